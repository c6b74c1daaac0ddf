/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "binary/elf_file.h"
#include "binary/ifunc_process.h"
#include "binary/relocations.h"
#include "binary/symbol_table.h"

struct indirect_name {
	const char *name, *version;
	uint64_t resolver;
};

struct scan {
	struct upm_binary *binary;
	UPM_VECTOR(struct indirect_name) names; /* in order of name */
	struct upm_ifunc_slots *slots;
	/* the module being read */
	struct upm_symbol_table *symbols;
	uint64_t bias;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct indirect_name *)a)->name,
		      ((const struct indirect_name *)b)->name);
}

static int collect_names(struct scan *scan)
{
	struct upm_symbol_table *table;
	int status = upm_binary_dynamic_symbols(scan->binary, &table);

	if (status || !table)
		return status;
	for (size_t i = 0; i < upm_symbol_table_size(table); i++) {
		struct indirect_name name;
		struct upm_symbol symbol;

		upm_symbol_table_get(table, i, &symbol);
		name = (struct indirect_name){symbol.name, symbol.version, symbol.address};
		if (symbol.type == STT_GNU_IFUNC && !symbol.undefined &&
		    !upm_vector_push(&scan->names, name))
			return upm_fail_memory("read the indirect functions");
	}
	if (scan->names.count)
		qsort(scan->names.items, scan->names.count, sizeof(*scan->names.items),
		      compare_names);
	return UPM_OK;
}

static size_t first_of_name(const struct scan *scan, const char *name)
{
	size_t low = 0, high = scan->names.count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(scan->names.items[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool versions_agree(const char *one, const char *two)
{
	return !*one || !*two || strcmp(one, two) == 0;
}

/* One name may have several versions, each with a resolver of its own. */
static bool add_import(const struct upm_relocation *relocation, void *context)
{
	struct scan *scan = context;
	struct upm_symbol symbol;

	if (relocation->symbol >= upm_symbol_table_size(scan->symbols))
		return true;
	upm_symbol_table_get(scan->symbols, relocation->symbol, &symbol);
	for (size_t i = first_of_name(scan, symbol.name);
	     i < scan->names.count && strcmp(scan->names.items[i].name, symbol.name) == 0; i++) {
		struct upm_ifunc_slot slot = {.resolver = scan->names.items[i].resolver,
					      .slot = relocation->slot + scan->bias};

		if (versions_agree(symbol.version, scan->names.items[i].version) &&
		    !upm_vector_push(&scan->slots->list, slot))
			return false;
	}
	return true;
}

static int scan_module(struct scan *scan, struct upm_binary *module,
		       const struct upm_mappings *mappings, int32_t pid)
{
	int status;

	if (module->bits != 64 || !upm_ifunc_load_bias(module, mappings, pid, &scan->bias))
		return UPM_OK;
	status = upm_binary_dynamic_symbols(module, &scan->symbols);
	if (status || !scan->symbols)
		return status;
	return upm_relocations_visit(module, UPM_RELOCATION_SYMBOL, add_import, scan);
}

static bool seen_before(const struct upm_mappings *mappings, size_t index)
{
	const struct upm_mapping *this = &mappings->list.items[index];

	for (size_t i = 0; i < index; i++) {
		const struct upm_mapping *other = &mappings->list.items[i];

		if (other->executable && other->device == this->device &&
		    other->inode == this->inode)
			return true;
	}
	return false;
}

/* A module that can not be opened or is damaged has no say. */
static int scan_mapping(struct scan *scan, const struct upm_mappings *mappings, size_t index,
			int32_t pid)
{
	const struct upm_mapping *mapping = &mappings->list.items[index];
	struct upm_binary *module;
	int fd, status;

	if (!mapping->executable || *mapping->path != '/' || seen_before(mappings, index))
		return UPM_OK;
	fd = upm_process_open_mapping(pid, mapping);
	if (fd < 0)
		return UPM_OK;
	status = upm_binary_open_fd(fd, mapping->path, &module);
	if (!status) {
		status = scan_module(scan, module, mappings, pid);
		upm_binary_unref(module);
	}
	return status == UPM_ERR_MEMORY ? status : UPM_OK;
}

int upm_ifunc_scan_imports(struct upm_binary *binary, const struct upm_mappings *mappings,
			   int32_t pid, struct upm_ifunc_slots *slots)
{
	struct scan scan = {.binary = binary, .slots = slots};
	int status = collect_names(&scan);

	for (size_t i = 0; i < mappings->list.count && scan.names.count && !status; i++)
		status = scan_mapping(&scan, mappings, i, pid);
	upm_vector_clear(&scan.names);
	return status;
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "resolve/probe_table.h"

#include <stdlib.h>
#include <string.h>

#include "resolve/return_safety.h"

struct upm_probe_table *upm_probe_table_new(void)
{
	struct upm_probe_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->references = 1;
	table->strings = upm_strings_new();
	if (!table->strings) {
		free(table);
		return NULL;
	}
	return table;
}

struct upm_probe_table *upm_probe_table_ref(struct upm_probe_table *table)
{
	__atomic_add_fetch(&table->references, 1, __ATOMIC_RELAXED);
	return table;
}

void upm_probe_table_unref(struct upm_probe_table *table)
{
	if (!table || __atomic_sub_fetch(&table->references, 1, __ATOMIC_ACQ_REL))
		return;
	for (size_t i = 0; i < table->files.count; i++)
		upm_binary_unref(table->files.items[i].binary);
	for (size_t i = 0; i < table->pools.count; i++)
		upm_strings_unref(table->pools.items[i]);
	upm_vector_clear(&table->probes);
	upm_vector_clear(&table->files);
	upm_vector_clear(&table->aliases);
	upm_vector_clear(&table->sites);
	upm_vector_clear(&table->specs);
	upm_vector_clear(&table->pools);
	for (size_t i = 0; i < table->kept.count; i++)
		upm_binary_unref(table->kept.items[i]);
	upm_vector_clear(&table->kept);
	upm_strings_unref(table->strings);
	free(table);
}

struct upm_probe_table *upm_probe_table_copy(const struct upm_probe_table *table)
{
	struct upm_probe_table *copy = upm_probe_table_new();

	if (!copy)
		return NULL;
	if (upm_probe_table_append(copy, table))
		return copy;
	upm_probe_table_unref(copy);
	return NULL;
}

static bool reserve_for(struct upm_probe_table *table, const struct upm_probe_table *other)
{
	return upm_vector_reserve(&table->probes, other->probes.count) &&
	       upm_vector_reserve(&table->files, other->files.count) &&
	       upm_vector_reserve(&table->aliases, other->aliases.count) &&
	       upm_vector_reserve(&table->sites, other->sites.count) &&
	       upm_vector_reserve(&table->specs, other->specs.count) &&
	       upm_vector_reserve(&table->pools, other->pools.count + 1) &&
	       upm_vector_reserve(&table->kept, other->files.count + other->kept.count);
}

/* Probes of other name their functions by the symbol tables of other's own binaries. */
static void keep_binaries(struct upm_probe_table *table, const struct upm_probe_table *other)
{
	for (size_t i = 0; i < other->files.count; i++)
		if (other->files.items[i].binary)
			table->kept.items[table->kept.count++] =
				upm_binary_ref(other->files.items[i].binary);
	for (size_t i = 0; i < other->kept.count; i++)
		table->kept.items[table->kept.count++] = upm_binary_ref(other->kept.items[i]);
}

/* With room reserved for the worst case, nothing below can fail. */
bool upm_probe_table_append(struct upm_probe_table *table, const struct upm_probe_table *other)
{
	uint32_t first_alias = (uint32_t)table->aliases.count;
	uint32_t first_spec = (uint32_t)table->specs.count;
	uint32_t first_site = (uint32_t)table->sites.count;
	uint32_t *files = malloc((other->files.count + 1) * sizeof(*files));
	size_t count = other->probes.count;

	if (!files || !reserve_for(table, other)) {
		free(files);
		return false;
	}
	for (size_t i = 0; i < other->files.count; i++)
		upm_probe_table_file(table, other->files.items[i].binary,
				     other->files.items[i].path, &files[i]);
	for (size_t i = 0; i < other->aliases.count; i++)
		table->aliases.items[table->aliases.count++] = other->aliases.items[i];
	for (size_t i = 0; i < other->sites.count; i++)
		table->sites.items[table->sites.count++] = other->sites.items[i];
	for (size_t i = 0; i < other->specs.count; i++)
		table->specs.items[table->specs.count++] = other->specs.items[i];
	for (size_t i = 0; i < other->pools.count; i++)
		table->pools.items[table->pools.count++] = upm_strings_ref(other->pools.items[i]);
	table->pools.items[table->pools.count++] = upm_strings_ref(other->strings);
	keep_binaries(table, other);
	for (size_t i = 0; i < count; i++) {
		struct upm_probe_entry probe = other->probes.items[i];

		probe.file = files[probe.file];
		probe.first_alias += first_alias;
		if (probe.site)
			probe.site += first_site;
		if (probe.spec != UINT32_MAX)
			probe.spec += first_spec;
		table->probes.items[table->probes.count++] = probe;
	}
	free(files);
	return true;
}

static bool same_file(const struct upm_probe_file *file, const struct upm_binary *binary,
		      const char *path)
{
	if (!binary || !file->binary)
		return !binary && !file->binary && strcmp(file->path, path) == 0;
	return file->binary == binary ||
	       (file->binary->device == binary->device && file->binary->inode == binary->inode);
}

int upm_probe_table_file(struct upm_probe_table *table, struct upm_binary *binary, const char *path,
			 uint32_t *index)
{
	for (size_t i = 0; i < table->files.count; i++) {
		if (same_file(&table->files.items[i], binary, path)) {
			*index = (uint32_t)i;
			return UPM_OK;
		}
	}
	if (!upm_vector_push(&table->files, ((struct upm_probe_file){binary, path})))
		return UPM_ERR_MEMORY;
	if (binary)
		upm_binary_ref(binary);
	*index = (uint32_t)(table->files.count - 1);
	return UPM_OK;
}

void upm_probe_table_describe(const struct upm_probe_table *table, size_t index,
			      struct upm_probe *probe)
{
	const struct upm_probe_entry *entry = &table->probes.items[index];
	const struct upm_probe_file *file = &table->files.items[entry->file];
	const struct upm_usdt_site *site = upm_probe_table_site(table, entry);
	uint8_t hazard;

	*probe = (struct upm_probe){
		.size = sizeof(*probe),
		.path = file->path,
		.symbol = entry->symbol,
		.version = entry->version,
		.spec = entry->spec == UINT32_MAX ? "" : table->specs.items[entry->spec],
		.reason = entry->reason,
		.offset = entry->offset,
		.symbol_offset = entry->symbol_offset,
		.symbol_size = entry->symbol_size,
		.ref_ctr_offset = entry->ref_ctr_offset,
		.cookie = entry->cookie,
		.kind = entry->kind,
		.verdict = entry->verdict,
		.cost = entry->cost,
		.flags = entry->flags,
		.alias_count = entry->alias_count,
		.provider = site ? site->provider : "",
		.argument_count = (uint32_t)upm_probe_table_arguments(table, entry, NULL),
	};
	if (upm_return_hazard(table, entry, &hazard))
		probe->flags |= UPM_PROBE_RETURN_UNSAFE;
	if (file->binary)
		upm_binary_address_of(file->binary, entry->offset, &probe->address);
}

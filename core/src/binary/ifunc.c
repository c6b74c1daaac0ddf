/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The implementation behind an indirect function is read, never guessed: guessing
 * would mean running the resolver, or repeating the CPU checks of every library.
 *
 * 1. The binary's own IRELATIVE relocations: the addend is the resolver, and the
 *    slot holds what it returned when the loader ran it at start-up.
 * 2. A resolver that the binary itself never calls has none. Other modules then
 *    bind the symbol by name, so their slots are read: but only when asked for
 *    such a resolver, since that means opening every module.
 *
 * A slot counts when its value lies in executable memory of the same file, where
 * a function begins by the file's own tables, and is not what the file itself holds
 * there, which is a lazy slot's stub. The process may write to its slots, and other
 * processes share the file: a breakpoint anywhere else would change what they do.
 */
#include "binary/ifunc.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "binary/elf_file.h"
#include "binary/function_starts.h"
#include "binary/ifunc_process.h"
#include "binary/relocations.h"

struct upm_ifunc_resolver {
	struct upm_binary *binary;
	int32_t pid;
	uint64_t bias;
	bool imports_scanned;
	struct upm_mappings mappings;
	struct upm_function_starts starts;
	struct upm_ifunc_slots own, imports; /* each in order of resolver */
};

static bool add_own_slot(const struct upm_relocation *relocation, void *context)
{
	struct upm_ifunc_resolver *resolver = context;
	struct upm_ifunc_slot slot = {.resolver = relocation->addend,
				      .slot = relocation->slot + resolver->bias};
	uint64_t offset;

	if (upm_binary_offset_of(resolver->binary, relocation->slot, &offset))
		upm_elf_read_at(resolver->binary->elf, &slot.unbound, sizeof(slot.unbound), offset);
	return upm_vector_push(&resolver->own.list, slot);
}

static int compare_slots(const void *a, const void *b)
{
	const struct upm_ifunc_slot *one = a, *two = b;

	return one->resolver < two->resolver ? -1 : one->resolver > two->resolver;
}

static void sort_slots(struct upm_ifunc_slots *slots)
{
	if (slots->list.count)
		qsort(slots->list.items, slots->list.count, sizeof(*slots->list.items),
		      compare_slots);
}

/* @return UPM_OK with *readable false when the process is not to be read */
static int load(struct upm_ifunc_resolver *resolver, bool *readable)
{
	int status = upm_process_mappings(resolver->pid, &resolver->mappings);

	*readable = false;
	if (status)
		return status == UPM_ERR_MEMORY ? status : UPM_OK;
	if (!upm_ifunc_load_bias(resolver->binary, &resolver->mappings, resolver->pid,
				 &resolver->bias))
		return UPM_OK;
	status = upm_relocations_visit(resolver->binary, UPM_RELOCATION_INDIRECT, add_own_slot,
				       resolver);
	if (status)
		return status == UPM_ERR_MEMORY ? status : UPM_OK;
	sort_slots(&resolver->own);
	*readable = upm_ifunc_read_slots(resolver->pid, &resolver->own);
	return UPM_OK;
}

int upm_ifunc_open(struct upm_binary *binary, int pid, struct upm_ifunc_resolver **out)
{
	struct upm_ifunc_resolver *resolver = calloc(1, sizeof(*resolver));
	bool readable;
	int status;

	*out = NULL;
	if (!resolver)
		return upm_fail_memory("read the indirect functions");
	resolver->binary = upm_binary_ref(binary);
	resolver->pid = upm_process_living_thread(pid ? pid : getpid());
	upm_function_starts_open(binary, &resolver->starts);
	status = load(resolver, &readable);
	if (status || !readable)
		upm_ifunc_close(resolver);
	else
		*out = resolver;
	return status;
}

static enum upm_ifunc_answer judge(struct upm_ifunc_resolver *resolver,
				   const struct upm_ifunc_slot *slot, uint64_t *offset)
{
	const struct upm_mapping *mapping;
	uint64_t address;

	if (!slot->value || slot->value == slot->unbound ||
	    slot->value == slot->unbound + resolver->bias ||
	    slot->value == slot->resolver + resolver->bias)
		return UPM_IFUNC_UNKNOWN;
	mapping = upm_ifunc_mapping_at(&resolver->mappings, slot->value);
	if (!mapping || !mapping->executable)
		return UPM_IFUNC_UNKNOWN;
	if (strcmp(mapping->path, "[vdso]") == 0)
		return UPM_IFUNC_ELSEWHERE;
	if (!upm_process_maps_file(resolver->pid, mapping, resolver->binary->device,
				   resolver->binary->inode))
		return UPM_IFUNC_UNKNOWN;
	*offset = mapping->offset + (slot->value - mapping->start);
	return upm_binary_address_of(resolver->binary, *offset, &address) &&
			       upm_function_starts_at(&resolver->starts, address)
		       ? UPM_IFUNC_RESOLVED
		       : UPM_IFUNC_UNKNOWN;
}

static size_t first_slot(const struct upm_ifunc_slots *slots, uint64_t resolver)
{
	size_t low = 0, high = slots->list.count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (slots->list.items[middle].resolver < resolver)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static enum upm_ifunc_answer search(struct upm_ifunc_resolver *resolver,
				    const struct upm_ifunc_slots *slots, uint64_t address,
				    uint64_t *offset)
{
	for (size_t i = first_slot(slots, address);
	     i < slots->list.count && slots->list.items[i].resolver == address; i++) {
		enum upm_ifunc_answer answer = judge(resolver, &slots->list.items[i], offset);

		if (answer != UPM_IFUNC_UNKNOWN)
			return answer;
	}
	return UPM_IFUNC_UNKNOWN;
}

/* What can not be read stays unknown: that is an answer, not a failure. */
static void scan_imports(struct upm_ifunc_resolver *resolver)
{
	resolver->imports_scanned = true;
	if (upm_ifunc_scan_imports(resolver->binary, &resolver->mappings, resolver->pid,
				   &resolver->imports) == UPM_OK &&
	    upm_ifunc_read_slots(resolver->pid, &resolver->imports))
		sort_slots(&resolver->imports);
	else
		upm_vector_clear(&resolver->imports.list);
}

enum upm_ifunc_answer upm_ifunc_target(struct upm_ifunc_resolver *resolver,
				       uint64_t resolver_address, uint64_t *offset)
{
	enum upm_ifunc_answer answer = search(resolver, &resolver->own, resolver_address, offset);

	if (answer != UPM_IFUNC_UNKNOWN)
		return answer;
	if (!resolver->imports_scanned)
		scan_imports(resolver);
	return search(resolver, &resolver->imports, resolver_address, offset);
}

void upm_ifunc_close(struct upm_ifunc_resolver *resolver)
{
	if (!resolver)
		return;
	upm_mappings_clear(&resolver->mappings);
	upm_function_starts_close(&resolver->starts);
	upm_vector_clear(&resolver->own.list);
	upm_vector_clear(&resolver->imports.list);
	upm_binary_unref(resolver->binary);
	free(resolver);
}

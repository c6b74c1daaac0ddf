/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "binary/ifunc_process.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <sys/uio.h>
#include <unistd.h>

static bool bias_of(const struct upm_binary *binary, const struct upm_mapping *mapping,
		    uint64_t *bias)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	for (size_t i = 0; i < binary->segments.count; i++) {
		const struct upm_segment *segment = &binary->segments.items[i];
		uint64_t first = segment->offset & ~(page - 1);

		if (segment->executable && mapping->offset >= first &&
		    mapping->offset - first < segment->file_size + (segment->offset - first)) {
			*bias = mapping->start -
				(segment->address + mapping->offset - segment->offset);
			return true;
		}
	}
	return false;
}

bool upm_ifunc_load_bias(const struct upm_binary *binary, const struct upm_mappings *mappings,
			 int32_t pid, uint64_t *bias)
{
	for (size_t i = 0; i < mappings->list.count; i++) {
		const struct upm_mapping *mapping = &mappings->list.items[i];

		if (mapping->executable &&
		    upm_process_maps_file(pid, mapping, binary->device, binary->inode) &&
		    bias_of(binary, mapping, bias))
			return true;
	}
	return false;
}

const struct upm_mapping *upm_ifunc_mapping_at(const struct upm_mappings *mappings,
					       uint64_t address)
{
	size_t low = 0, high = mappings->list.count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct upm_mapping *mapping = &mappings->list.items[middle];

		if (address < mapping->start)
			high = middle;
		else if (address >= mapping->end)
			low = middle + 1;
		else
			return mapping;
	}
	return NULL;
}

bool upm_ifunc_read_slots(int32_t pid, struct upm_ifunc_slots *slots)
{
	enum { BATCH = 256 };
	struct iovec ours[BATCH], theirs[BATCH];
	size_t at = 0;

	while (at < slots->list.count) {
		size_t count = slots->list.count - at < BATCH ? slots->list.count - at : BATCH;
		ssize_t got;

		for (size_t i = 0; i < count; i++) {
			struct upm_ifunc_slot *slot = &slots->list.items[at + i];

			slot->value = 0;
			ours[i] = (struct iovec){&slot->value, sizeof(slot->value)};
			theirs[i] =
				(struct iovec){(void *)(uintptr_t)slot->slot, sizeof(slot->value)};
		}
		got = process_vm_readv(pid, ours, count, theirs, count, 0);
		if (got < 0 && errno != EFAULT)
			return false;
		/* It stops at the first slot that is not mapped: pass over that one. */
		at += got < 0 ? 1 : (size_t)got / sizeof(uint64_t);
		if (got >= 0 && (size_t)got < count * sizeof(uint64_t))
			at++;
	}
	return true;
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "resolve/seen.h"

#include <stdlib.h>

enum {
	FIRST_SLOTS = 256,
	LARGEST = 1 << 28 /* bits: code of 4 GiB takes 32 MiB */
};

static bool names_functions_twice(struct upm_symbol_tables tables)
{
	return tables.count > 1 && !upm_symbol_table_is_debug(tables.items[1]) &&
	       !upm_symbol_table_has_versions(tables.items[0]);
}

void upm_seen_open(struct upm_seen *seen, const struct upm_binary *binary,
		   struct upm_symbol_tables tables)
{
	uint64_t first = UINT64_MAX, end = 0;

	*seen = (struct upm_seen){0};
	if (!names_functions_twice(tables))
		return;
	for (size_t i = 0; i < binary->segments.count; i++) {
		const struct upm_segment *segment = &binary->segments.items[i];

		if (!segment->executable)
			continue;
		if (segment->address < first)
			first = segment->address;
		if (segment->address + segment->file_size > end)
			end = segment->address + segment->file_size;
	}
	if (first >= end || (end - first) / UPM_SEEN_ALIGNMENT >= LARGEST)
		return;
	seen->first = first - first % UPM_SEEN_ALIGNMENT;
	seen->count = (end - seen->first) / UPM_SEEN_ALIGNMENT + 1;
	seen->bits = calloc(seen->count / 64 + 1, sizeof(*seen->bits));
	if (!seen->bits)
		seen->count = 0;
}

static uint64_t *slot_of(const struct upm_seen *seen, uint64_t address)
{
	size_t at = (address * 0x9e3779b97f4a7c15u >> 32) & (seen->slots - 1);

	while (seen->others[at] && seen->others[at] != address)
		at = (at + 1) & (seen->slots - 1);
	return &seen->others[at];
}

/* At most half of the slots are used. @return false when there is no memory for more */
static bool make_slots(struct upm_seen *seen)
{
	struct upm_seen larger = *seen;

	if (seen->used * 2 < seen->slots)
		return true;
	larger.slots = seen->slots ? seen->slots * 2 : FIRST_SLOTS;
	larger.others = calloc(larger.slots, sizeof(*larger.others));
	if (!larger.others)
		return false;
	for (size_t i = 0; i < seen->slots; i++)
		if (seen->others[i])
			*slot_of(&larger, seen->others[i]) = seen->others[i];
	free(seen->others);
	*seen = larger;
	return true;
}

void upm_seen_add_other(struct upm_seen *seen, uint64_t address)
{
	uint64_t *slot;

	if (!seen->count || !make_slots(seen))
		return;
	slot = slot_of(seen, address);
	seen->used += !*slot;
	*slot = address;
}

bool upm_seen_has_other(const struct upm_seen *seen, uint64_t address)
{
	return seen->slots && *slot_of(seen, address) == address;
}

void upm_seen_close(struct upm_seen *seen)
{
	free(seen->bits);
	free(seen->others);
}

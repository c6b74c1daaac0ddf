/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "resolve/seen.h"

#include <stdlib.h>

enum {
	ALIGNMENT = 16,
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
	if (first >= end || (end - first) / ALIGNMENT >= LARGEST)
		return;
	seen->first = first - first % ALIGNMENT;
	seen->count = (end - seen->first) / ALIGNMENT + 1;
	seen->bits = calloc(seen->count / 64 + 1, sizeof(*seen->bits));
	if (!seen->bits)
		seen->count = 0;
}

/* Other addresses have a bit that is out of range. */
static uint64_t bit_of(const struct upm_seen *seen, uint64_t address)
{
	return address % ALIGNMENT ? UINT64_MAX : (address - seen->first) / ALIGNMENT;
}

void upm_seen_add(struct upm_seen *seen, uint64_t address)
{
	uint64_t bit = bit_of(seen, address);

	if (bit < seen->count)
		seen->bits[bit / 64] |= 1ULL << bit % 64;
}

bool upm_seen_has(const struct upm_seen *seen, uint64_t address)
{
	uint64_t bit = bit_of(seen, address);

	return bit < seen->count && seen->bits[bit / 64] >> bit % 64 & 1;
}

void upm_seen_close(struct upm_seen *seen)
{
	free(seen->bits);
}

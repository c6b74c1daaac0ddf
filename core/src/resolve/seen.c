/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "resolve/seen.h"

#include <stdlib.h>

enum { LARGEST = 1 << 28 }; /* bits: code of 256 MiB takes 32 MiB */

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
	if (first >= end || end - first > LARGEST)
		return;
	seen->bits = calloc((end - first) / 64 + 1, sizeof(*seen->bits));
	seen->first = first;
	seen->count = seen->bits ? end - first : 0;
}

void upm_seen_add(struct upm_seen *seen, uint64_t address)
{
	uint64_t bit = address - seen->first;

	if (bit < seen->count)
		seen->bits[bit / 64] |= 1ULL << bit % 64;
}

bool upm_seen_has(const struct upm_seen *seen, uint64_t address)
{
	uint64_t bit = address - seen->first;

	return bit < seen->count && seen->bits[bit / 64] >> bit % 64 & 1;
}

void upm_seen_close(struct upm_seen *seen)
{
	free(seen->bits);
}

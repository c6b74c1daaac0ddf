/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "resolve/seen.h"

#include <stdlib.h>

enum {
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
	upm_intern_open(&seen->others, sizeof(uint64_t));
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

void upm_seen_add_other(struct upm_seen *seen, uint64_t address)
{
	uint32_t number;

	if (seen->count)
		upm_intern_add(&seen->others, &address, &number);
}

bool upm_seen_has_other(const struct upm_seen *seen, uint64_t address)
{
	return upm_intern_has(&seen->others, &address);
}

void upm_seen_close(struct upm_seen *seen)
{
	free(seen->bits);
	upm_intern_close(&seen->others);
}

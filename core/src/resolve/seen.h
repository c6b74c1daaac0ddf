/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Addresses at which .symtab has a function that was asked for.
 *
 * A linker copies what it exports from .symtab to .dynsym, so a file that was not stripped names
 * most functions twice. A bit for each address tells so before the second
 * entry costs a point, a place in the sort and two looks at names. Tables whose functions have
 * versions are read in full, since only .dynsym has these.
 *
 * Compilers align functions by 16 bytes. So only such addresses have a bit: the bits of 32 MiB of
 * code then fit the processor's cache. The few other functions that both tables name cost the
 * point.
 */
#ifndef UPM_RESOLVE_SEEN_H
#define UPM_RESOLVE_SEEN_H

#include "base/intern.h"
#include "binary/symbols.h"

#define UPM_SEEN_ALIGNMENT 16

struct upm_seen {
	uint64_t first; /* address of the first bit, aligned */
	uint64_t count; /* bits; 0 = nothing is remembered */
	uint64_t *bits;
	struct upm_intern others; /* addresses that have no bit */
};

/** Prepare for the tables of a binary; remembers nothing where that would not help. */
void upm_seen_open(struct upm_seen *seen, const struct upm_binary *binary,
		   struct upm_symbol_tables tables);
void upm_seen_close(struct upm_seen *seen);

void upm_seen_add_other(struct upm_seen *seen, uint64_t address);
bool upm_seen_has_other(const struct upm_seen *seen, uint64_t address);

static inline void upm_seen_add(struct upm_seen *seen, uint64_t address)
{
	uint64_t bit = (address - seen->first) / UPM_SEEN_ALIGNMENT;

	if (address % UPM_SEEN_ALIGNMENT)
		upm_seen_add_other(seen, address);
	else if (bit < seen->count)
		seen->bits[bit / 64] |= 1ULL << bit % 64;
}

/* What could not be remembered is met again, and then known by its symbols to be the same. */
static inline bool upm_seen_has(const struct upm_seen *seen, uint64_t address)
{
	uint64_t bit = (address - seen->first) / UPM_SEEN_ALIGNMENT;

	if (address % UPM_SEEN_ALIGNMENT)
		return upm_seen_has_other(seen, address);
	return bit < seen->count && seen->bits[bit / 64] >> bit % 64 & 1;
}

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Points found in one binary, before they become probes. */
#ifndef UPM_RESOLVE_FOUND_H
#define UPM_RESOLVE_FOUND_H

#include <elf.h>

#include "base/vector.h"
#include "binary/symbols.h"
#include "resolve/probe_name.h"

/*
 * Small, because every point is written, sorted and read once more: what its symbol table
 * knows is left there. Passed in registers.
 */
struct upm_found {
	uint64_t place;	 /* a file offset or an address: what the list is sorted by */
	uint32_t symbol; /* index in its table */
	uint8_t table;	 /* index of the symbol table */
	uint8_t flags;	 /* enum upm_probe_flag */
	uint8_t verdict; /* enum upm_verdict: what is known before the code is looked at */
};

struct upm_found_list {
	UPM_VECTOR(struct upm_found) list;
};

/** The symbol of a point, with its version; its address is the point's place. */
void upm_found_symbol(const struct upm_found *found, struct upm_symbol_tables tables,
		      struct upm_symbol *symbol);

/** @return the number of its name. */
static inline uint32_t upm_found_name(const struct upm_found *found)
{
	return upm_name_of_symbol(found->table, found->symbol);
}

/**
 * Sort by place; points of one place keep their order.
 * @param scratch  room for as many points, or NULL to have it allocated
 * @return false when out of memory
 */
bool upm_found_sort(struct upm_found_list *found, void *scratch);

/** @return whether a symbol is a function defined here, of known size. */
static inline bool upm_symbol_is_function(const struct upm_symbol *symbol)
{
	return (symbol->type == STT_FUNC || symbol->type == STT_GNU_IFUNC) && !symbol->undefined;
}

/**
 * Which of two names of one point is the one to show: exported before weak
 * before local, the default version before others, then no clone suffix and few
 * leading underscores.
 */
bool upm_symbol_is_better(const struct upm_symbol *symbol, const struct upm_symbol *than);

#endif

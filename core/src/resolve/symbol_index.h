/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Which function covers an address: a sorted index over the symbols of one binary. */
#ifndef UPM_RESOLVE_SYMBOL_INDEX_H
#define UPM_RESOLVE_SYMBOL_INDEX_H

#include "binary/symbols.h"
#include "resolve/found.h"

struct upm_symbol_index {
	struct upm_symbol_tables tables;
	struct upm_found_list functions; /* by address */
};

/** Index the functions of tables. @return UPM_OK or UPM_ERR_MEMORY */
int upm_symbol_index_open(struct upm_symbol_index *index, struct upm_symbol_tables tables);
/**
 * @param name  receives the number of the symbol's name: enum upm_name_layout
 * @return false when no function covers the virtual address
 */
bool upm_symbol_index_find(const struct upm_symbol_index *index, uint64_t address,
			   struct upm_symbol *symbol, uint32_t *name);
void upm_symbol_index_close(struct upm_symbol_index *index);

#endif

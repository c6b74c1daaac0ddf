/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Names for bare addresses. Each binary's functions are indexed at its first
 * question; its debug files only when the binary's own symbols do not cover an address.
 */
#ifndef UPM_RESOLVE_NAMING_H
#define UPM_RESOLVE_NAMING_H

#include "resolve/symbol_index.h"

struct upm_named_binary {
	struct upm_binary *binary; /* not owned */
	struct upm_symbol_index own, debug;
	bool has_debug;
};

struct upm_naming {
	UPM_VECTOR(struct upm_named_binary) binaries;
	uint32_t flags; /* enum upm_resolve_flag */
};

/**
 * Find the function that covers a virtual address.
 * @param found  receives whether there is one
 * @param name   receives the number of its name: enum upm_name_layout
 * @return UPM_OK or UPM_ERR_MEMORY; a binary whose symbols can not be read has none
 */
int upm_naming_find(struct upm_naming *naming, struct upm_binary *binary, uint64_t address,
		    bool *found, struct upm_symbol *symbol, uint32_t *name);
void upm_naming_close(struct upm_naming *naming);

#endif

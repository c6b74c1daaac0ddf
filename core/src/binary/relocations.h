/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The relocations with addends that the dynamic loader applies. */
#ifndef UPM_BINARY_RELOCATIONS_H
#define UPM_BINARY_RELOCATIONS_H

#include "binary/binary.h"

enum upm_relocation_kind {
	UPM_RELOCATION_INDIRECT, /* R_*_IRELATIVE: the addend is a resolver */
	UPM_RELOCATION_SYMBOL	 /* R_*_JUMP_SLOT, R_*_GLOB_DAT, R_*_64: the value of a symbol */
};

struct upm_relocation {
	uint64_t slot; /* virtual address, as linked */
	uint64_t addend;
	uint32_t symbol; /* number in the dynamic symbol table */
};

/** @return false stops the walk with UPM_ERR_MEMORY. */
typedef bool (*upm_relocation_fn)(const struct upm_relocation *relocation, void *context);

/** Visit all relocations of one kind; damaged tables are passed over. */
int upm_relocations_visit(const struct upm_binary *binary, enum upm_relocation_kind kind,
			  upm_relocation_fn visit, void *context);

#endif

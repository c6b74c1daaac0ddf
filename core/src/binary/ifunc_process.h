/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Private to ifunc: a process, where it maps a binary, and its memory. */
#ifndef UPM_BINARY_IFUNC_PROCESS_H
#define UPM_BINARY_IFUNC_PROCESS_H

#include "binary/binary.h"
#include "locate/process.h"

/* Where the implementation of one resolver was found; first in order of resolver. */
struct upm_ifunc_slot {
	uint64_t resolver; /* virtual address, as linked */
	uint64_t slot;	   /* virtual address in the process */
	uint64_t unbound;  /* what the slot holds before the loader binds it; 0 = not known */
	uint64_t value;	   /* what the process has there; 0 = nothing */
};

struct upm_ifunc_slots {
	UPM_VECTOR(struct upm_ifunc_slot) list;
};

/** @return false when no executable mapping of the process is of this binary. */
bool upm_ifunc_load_bias(const struct upm_binary *binary, const struct upm_mappings *mappings,
			 int32_t pid, uint64_t *bias);
/** Read the values of all slots. @return false when the memory may not be read. */
bool upm_ifunc_read_slots(int32_t pid, struct upm_ifunc_slots *slots);
/** @return the mapping that holds an address, or NULL. */
const struct upm_mapping *upm_ifunc_mapping_at(const struct upm_mappings *mappings,
					       uint64_t address);

/**
 * Find slots of other modules (and of the binary itself) that are bound to the
 * binary's indirect functions by name.
 */
int upm_ifunc_scan_imports(struct upm_binary *binary, const struct upm_mappings *mappings,
			   int32_t pid, struct upm_ifunc_slots *slots);

#endif

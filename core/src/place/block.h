/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The beginning of a function, up to where execution can part. */
#ifndef UPM_PLACE_BLOCK_H
#define UPM_PLACE_BLOCK_H

#include <stdint.h>

#include "judge/flow.h"

/* Bytes of a function that a cheaper site is looked for in; it has to fit a byte. */
#define UPM_BLOCK_BYTES 192

/**
 * Find the first cheap instruction behind a function's first one that is run exactly once whenever
 * the first one is and nothing jumps in between.
 * @param rules      of this kernel
 * @param needs      UPM_STATE_ bits that must be at the site as they are at the entry
 * @param calls      whether a direct call may be the site
 * @param code       of the function, from its entry
 * @param available  bytes of it, and of what follows it
 * @param size       of the function, bytes; 0 = not known
 * @param address    virtual
 * @return bytes from the entry to it; 0 = there is none
 */
uint8_t upm_block_site(const struct upm_insn_rules *rules, uint32_t needs, bool calls,
		       const uint8_t *code, size_t available, uint64_t size, uint64_t address);

#endif

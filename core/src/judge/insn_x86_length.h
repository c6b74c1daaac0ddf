/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The length of an x86 instruction. */
#ifndef UPM_JUDGE_INSN_X86_LENGTH_H
#define UPM_JUDGE_INSN_X86_LENGTH_H

#include "judge/insn.h"

/**
 * @param wide    64-bit mode
 * @param reason  receives why the bytes can be no instruction, or NULL
 * @return bytes; 0 when there is no such instruction. 0 without a reason: the bytes
 *         are enough, but no processor knows them.
 */
size_t upm_x86_length(bool wide, const uint8_t *code, size_t available, const char **reason);

/** @return the length of a common 64-bit instruction, or 0. Reads UPM_INSN_MAX bytes at most. */
size_t upm_x86_common_length(const uint8_t *code);

#endif

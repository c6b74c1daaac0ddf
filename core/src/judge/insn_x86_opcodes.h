/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the x86 kernel's tables say about opcodes; insn_x86.c has the whole story. */
#ifndef UPM_JUDGE_INSN_X86_OPCODES_H
#define UPM_JUDGE_INSN_X86_OPCODES_H

#include <stdbool.h>
#include <stdint.h>

enum upm_x86_encoding { UPM_X86_LEGACY, UPM_X86_VEX, UPM_X86_EVEX, UPM_X86_REX2, UPM_X86_XOP };

/* By the opcode byte: why the kernel refuses it, or NULL. */
extern const char *const upm_x86_refused_64[256];
extern const char *const upm_x86_refused_32[256];

/**
 * @param map      1 = 0f, 2 = 0f 38, 3 = 0f 3a, …
 * @param implied  prefix that the encoding implies: 0 none, 1 66, 2 f3, 3 f2
 * @return whether the kernel's decoder knows this opcode behind a VEX or EVEX prefix
 */
bool upm_x86_vector_known(enum upm_x86_encoding encoding, uint8_t map, uint8_t implied,
			  uint8_t opcode, uint8_t modrm);

/** @return whether the opcode of map 0 to 3 does not exist without a VEX or EVEX prefix. */
bool upm_x86_vector_only(uint8_t map, uint8_t implied, uint8_t opcode);

#endif

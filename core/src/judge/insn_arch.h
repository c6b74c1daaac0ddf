/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The rules of each architecture, as insn.c calls them. insn is all zero on entry. */
#ifndef UPM_JUDGE_INSN_ARCH_H
#define UPM_JUDGE_INSN_ARCH_H

#include "judge/insn.h"

void upm_insn_judge_x86(const struct upm_insn_rules *rules, const uint8_t *code, size_t available,
			uint64_t address, struct upm_insn *insn);
size_t upm_insn_length_x86(const struct upm_insn_rules *rules, const uint8_t *code,
			   size_t available);

void upm_insn_judge_aarch64(const uint8_t *code, size_t available, uint64_t address,
			    struct upm_insn *insn);

#endif

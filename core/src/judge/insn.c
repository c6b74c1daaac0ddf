// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Which rules hold for a piece of code, and which file knows them. */
#include "judge/insn.h"

#include <elf.h>
#include <string.h>
#include <unistd.h>

#include "attach/features.h"
#include "judge/insn_arch.h"

/*
 * A 64-bit x86 kernel runs 32-bit programs when it is built with IA32_EMULATION.
 * It then has this file, the switch of the 32-bit vDSO.
 */
#define IA32_SYSCTL "/proc/sys/abi/vsyscall32"

/* A library of one architecture can only be running on a kernel of that architecture. */
static bool kernel_runs(uint16_t machine, uint8_t bits)
{
#if defined(__x86_64__)
	if (machine == EM_386 && bits == 32)
		return access(IA32_SYSCTL, F_OK) == 0;
	return machine == EM_X86_64 && bits == 64;
#elif defined(__i386__)
	return machine == EM_386 && bits == 32;
#elif defined(__aarch64__)
	return machine == EM_AARCH64 && bits == 64;
#else
	(void)machine, (void)bits;
	return false;
#endif
}

bool upm_insn_rules_of_kernel(uint16_t machine, uint8_t bits, struct upm_insn_rules *rules)
{
	const struct upm_features *features;

	memset(rules, 0, sizeof(*rules));
	rules->machine = machine;
	rules->bits = bits;
	if (!kernel_runs(machine, bits))
		return false;
	features = upm_kernel_features();
	if (features->uprobe_syscall == UPM_YES) {
		rules->nops_emulated = true;
		rules->nop5_optimised =
			machine == EM_X86_64 && features->nop5_red_zone_safe != UPM_YES;
		rules->nop5_red_zone_safe = features->nop5_red_zone_safe == UPM_YES;
	}
	return true;
}

void upm_insn_judge(const struct upm_insn_rules *rules, const uint8_t *code, size_t available,
		    uint64_t address, struct upm_insn *insn)
{
	memset(insn, 0, sizeof(*insn));
	switch (rules->machine) {
	case EM_X86_64:
	case EM_386:
		upm_insn_judge_x86(rules, code, available, address, insn);
		return;
	case EM_AARCH64:
		upm_insn_judge_aarch64(code, available, address, insn);
		return;
	default:
		insn->reason = "no rules are known for this architecture";
	}
}

size_t upm_insn_length(const struct upm_insn_rules *rules, const uint8_t *code, size_t available)
{
	switch (rules->machine) {
	case EM_X86_64:
	case EM_386:
		return upm_insn_length_x86(rules, code, available);
	case EM_AARCH64:
		return available >= 4 ? 4 : 0;
	default:
		return 0;
	}
}

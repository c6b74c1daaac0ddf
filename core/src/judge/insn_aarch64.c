// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * What the arm64 kernel says about a breakpoint on an instruction.
 *
 * The kernel (arch/arm64/kernel/probes) emulates what computes with the program
 * counter, single-steps a copy of everything else, and refuses what a copy
 * can not do: reading literals beside itself, raising an exception, or being one
 * of several instructions that only work without an interruption.
 */
#include "judge/insn_arch.h"

#include "uprobe_multi.h"

#define INSN_BYTES 4
#define NOP 0xd503201fu

struct rule {
	uint32_t mask;
	uint32_t value;
	const char *refusal; /* NULL: the kernel emulates the instruction */
};

static const char literal[] = "it reads a literal beside itself, which a copy elsewhere can not";
static const char exclusive[] = "an exclusive access fails when it is single-stepped";
static const char copying[] = "memory copy and set instructions only work side by side";
static const char exception[] = "it raises an exception, which the kernel does not single-step";
static const char exception_return[] = "eret is privileged";
static const char authenticated[] = "the kernel does not emulate branches with authentication";
static const char system_write[] = "the kernel does not single-step writes to system registers";
static const char daif_read[] = "the interrupt mask reads differently when single-stepped";
static const char hint[] = "the kernel does not know what this hint does when single-stepped";

/* The first rule that fits holds; an instruction that none fits is single-stepped. */
static const struct rule rules_of_arm64[] = {
	{0x7c000000, 0x14000000, NULL}, /* b, bl */
	{0xff000000, 0x54000000, NULL}, /* b.cond */
	{0x7c000000, 0x34000000, NULL}, /* cbz, cbnz, tbz, tbnz */
	{0xfffffc1f, 0xd61f0000, NULL}, /* br */
	{0xfffffc1f, 0xd63f0000, NULL}, /* blr */
	{0xfffffc1f, 0xd65f0000, NULL}, /* ret */
	{0x1f000000, 0x10000000, NULL}, /* adr, adrp */
	{0xffffffff, NOP, NULL},
	{0xfedff800, 0xd61f0800, authenticated},    /* braa, blraa, … */
	{0xfffffbff, 0xd65f0bff, authenticated},    /* retaa, retab */
	{0xff000000, 0xd4000000, exception},	    /* svc, brk, hlt, … */
	{0xffffffff, 0xd69f03e0, exception_return}, /* eret */
	{0xfffffbff, 0xd69f0bff, exception_return}, /* eretaa, eretab */
	{0xfff8f01f, 0xd500401f, system_write},	    /* msr immediate */
	{0xfff00000, 0xd5100000, system_write},	    /* msr register */
	{0xffffffe0, 0xd53b4220, daif_read},	    /* mrs daif */
	{0xbf000000, 0x18000000, literal},	    /* ldr */
	{0xff000000, 0x98000000, literal},	    /* ldrsw */
	{0xff000000, 0xd8000000, literal},	    /* prfm */
	{0x3f800000, 0x08000000, exclusive},	    /* ldxr, stxr, … */
	{0x3b200c00, 0x19000400, copying},	    /* cpy…, set… */
};

/* Hints that may be single-stepped: xpaclri, the pac… family and bti, by their number. */
static bool steppable_hint(unsigned int number)
{
	static const uint64_t steppable = 1ull << 0x07 | 1ull << 0x08 | 1ull << 0x0a |
					  0xfull << 0x18 | 1ull << 0x20 | 1ull << 0x22 |
					  1ull << 0x24 | 1ull << 0x26;

	return number < 64 && steppable >> number & 1;
}

static const struct rule *rule_for(uint32_t code)
{
	static const struct rule unknown_hint = {0, 0, hint};

	for (size_t i = 0; i < sizeof(rules_of_arm64) / sizeof(rules_of_arm64[0]); i++)
		if ((code & rules_of_arm64[i].mask) == rules_of_arm64[i].value)
			return &rules_of_arm64[i];
	if ((code & 0xfffff01f) == 0xd503201f && !steppable_hint(code >> 5 & 0x7f))
		return &unknown_hint;
	return NULL;
}

void upm_insn_judge_aarch64(const uint8_t *code, size_t available, uint64_t address,
			    struct upm_insn *insn)
{
	const struct rule *rule;
	uint32_t word;

	if (address % INSN_BYTES) {
		insn->reason = "the address is not a multiple of four";
		return;
	}
	if (available < INSN_BYTES) {
		insn->reason = "the code ends in the middle of the instruction";
		return;
	}
	insn->length = INSN_BYTES;
	word = code[0] | (uint32_t)code[1] << 8 | (uint32_t)code[2] << 16 | (uint32_t)code[3] << 24;
	rule = rule_for(word);
	insn->nop = word == NOP;
	insn->reason = rule ? rule->refusal : NULL;
	insn->probeable = !insn->reason;
	if (insn->probeable)
		insn->cost = rule ? UPM_COST_EMULATED : UPM_COST_STEPPED;
}

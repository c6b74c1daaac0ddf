// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * What the x86 kernel says about a breakpoint on an instruction.
 *
 * The kernel (arch/x86/kernel/uprobes.c) runs the displaced instruction in one
 * of three ways, and which of them decides both verdict and cost:
 *
 * - It emulates nops, pushes of a register and direct branches: one trap.
 * - It single-steps a copy elsewhere in the address space: two traps.
 * - It refuses, because a copy would behave differently or because its table
 *   of one-byte opcodes says no.
 *
 * Its decoder takes instructions apart by structure and does not know which of
 * them a processor accepts; and all three decisions look at the opcode byte
 * alone. From that follows what no manual would lead one to expect:
 *
 * - The byte 0f is in the table as good, so everything behind it passes, even
 *   ud2 and privileged instructions.
 * - VEX and EVEX instructions are looked up by their opcode byte as though it
 *   were a one-byte opcode. vmovdqa (6f) is refused because 6f is outs.
 * - Worse, they are emulated by it. vpcmpeqb (74) is taken for je: the kernel
 *   accepts the probe, and when it is hit, the instruction is skipped. The
 *   program goes on with wrong data. xchg %rax,%r8 (49 90) is skipped as a nop.
 * - Some instructions do not survive the single step: syscall returns to the
 *   copy, pushf saves the trap flag and the program dies at its next popf.
 *
 * The last two kinds are called harmful here: the kernel would accept them, we
 * do not. All of it was seen on a 6.18 kernel; tests/live/oracle.c compares
 * this file with the kernel that it runs on.
 *
 * So the verdict comes from a scan of our own that sees what the kernel sees;
 * only the length, which insn_x86_length.c finds, is that of the processor.
 */
#include "judge/insn_arch.h"

#include <string.h>

#include "judge/insn_x86_length.h"
#include "judge/insn_x86_opcodes.h"
#include "uprobe_multi.h"

#define MOST_PREFIXES 4	 /* different ones that the kernel's decoder takes */
#define PAGE_BYTES 4096u /* a call is written into one page at once */

enum prefix { NONE, ES, CS, SS, DS, FS, GS, OPERAND, ADDRESS, LOCK, REPNE, REPE };

/* An instruction as the kernel's decoder sees it. */
struct layout {
	bool wide;	   /* 64-bit mode */
	uint8_t encoding;  /* enum upm_x86_encoding */
	uint16_t prefixes; /* 1 << enum prefix */
	uint8_t last;	   /* enum prefix */
	uint8_t rex;
	uint8_t map;	 /* 0 = one byte, 1 = 0f, 2 = 0f 38, 3 = 0f 3a, … */
	uint8_t implied; /* 0 none, 1 66, 2 f3, 3 f2 */
	uint8_t first;	 /* the byte that the kernel looks up: 0f stands for its maps */
	uint8_t opcode;
	uint8_t modrm; /* what follows the opcode, modrm or not */
};

struct bytes {
	const uint8_t *at;
	size_t left;
};

/* Behind the end there are zeros, as in the kernel's copy. */
static uint8_t peek(const struct bytes *bytes, size_t index)
{
	return index < bytes->left ? bytes->at[index] : 0;
}

static void skip(struct bytes *bytes, size_t count)
{
	if (count > bytes->left)
		count = bytes->left;
	bytes->at += count;
	bytes->left -= count;
}

static uint8_t take(struct bytes *bytes)
{
	uint8_t byte = peek(bytes, 0);

	skip(bytes, 1);
	return byte;
}

/* Repeated prefixes count once; a fifth different one is taken for the opcode. */
static void scan_prefixes(struct layout *layout, struct bytes *bytes)
{
	static const uint8_t prefix_of[256] = {
		[0x26] = ES,   [0x2e] = CS,    [0x36] = SS,	 [0x3e] = DS,
		[0x64] = FS,   [0x65] = GS,    [0x66] = OPERAND, [0x67] = ADDRESS,
		[0xf0] = LOCK, [0xf2] = REPNE, [0xf3] = REPE,
	};
	unsigned int different = 0;
	uint8_t prefix;

	while ((prefix = prefix_of[peek(bytes, 0)]) != NONE) {
		if (!(layout->prefixes >> prefix & 1) && different++ == MOST_PREFIXES)
			return;
		layout->prefixes |= 1u << prefix;
		layout->last = prefix;
		skip(bytes, 1);
	}
}

static void scan_vex(struct layout *layout, struct bytes *bytes)
{
	uint8_t kind = peek(bytes, 0), second = peek(bytes, 1), third = peek(bytes, 2);

	if (!layout->wide && second < 0xc0) /* les, lds, bound */
		return;
	layout->encoding = kind == 0x62 ? UPM_X86_EVEX : UPM_X86_VEX;
	if (kind == 0xc5) {
		layout->map = 1;
		layout->implied = second & 3;
		skip(bytes, 2);
	} else {
		layout->map = second & (kind == 0x62 ? 7 : 31);
		layout->implied = third & 3;
		skip(bytes, kind == 0x62 ? 4 : 3);
	}
}

static void scan_legacy_map(struct layout *layout, struct bytes *bytes)
{
	static const uint8_t implied_by[] = {[OPERAND] = 1, [REPE] = 2, [REPNE] = 3};
	uint8_t next = peek(bytes, 0);

	layout->implied = layout->last < sizeof(implied_by) ? implied_by[layout->last] : 0;
	layout->map = next == 0x38 ? 2 : next == 0x3a ? 3 : 1;
	if (layout->map > 1)
		skip(bytes, 1);
	layout->opcode = take(bytes);
}

/* What stands between the legacy prefixes and the opcode. */
static void scan_other_prefix(struct layout *layout, struct bytes *bytes)
{
	uint8_t next = peek(bytes, 0);

	if (layout->wide && (next & 0xf0) == 0x40)
		layout->rex = take(bytes);
	else if (next == 0xc4 || next == 0xc5 || next == 0x62)
		scan_vex(layout, bytes);
	else if (next == 0xd5 && layout->wide)
		layout->encoding = UPM_X86_REX2;
	else if (next == 0x8f && peek(bytes, 1) >> 3 & 7) /* else pop */
		layout->encoding = UPM_X86_XOP;
}

static void scan(struct layout *layout, const uint8_t *code, size_t available)
{
	struct bytes bytes = {code, available};

	scan_prefixes(layout, &bytes);
	scan_other_prefix(layout, &bytes);
	layout->first = layout->opcode = take(&bytes);
	if (layout->first == 0x0f && layout->encoding == UPM_X86_LEGACY)
		scan_legacy_map(layout, &bytes);
	layout->modrm = peek(&bytes, 0);
}

static bool has_prefix(const struct layout *layout, enum prefix prefix)
{
	return layout->prefixes >> prefix & 1;
}

static bool is_vector(const struct layout *layout)
{
	return layout->encoding == UPM_X86_VEX || layout->encoding == UPM_X86_EVEX;
}

static unsigned int modrm_reg(const struct layout *layout)
{
	return layout->modrm >> 3 & 7;
}

/* What the kernel takes for a direct branch. */
static bool branches(const struct layout *layout)
{
	if (layout->encoding == UPM_X86_LEGACY && layout->map == 1)
		return (layout->opcode & 0xf0) == 0x80;
	return (layout->first & 0xf0) == 0x70 || layout->first == 0xe8 || layout->first == 0xe9 ||
	       layout->first == 0xeb;
}

/* What the kernel does not decode. */
static const char *refuse_unknown(const struct layout *layout)
{
	if (is_vector(layout) &&
	    !upm_x86_vector_known(layout->encoding, layout->map, layout->implied, layout->opcode,
				  layout->modrm))
		return "the kernel does not know this AVX instruction";
	if (!is_vector(layout) && upm_x86_vector_only(layout->map, layout->implied, layout->opcode))
		return "the opcode exists with a VEX or EVEX prefix only";
	return NULL;
}

static const char *refuse_prefix(const struct layout *layout)
{
	if (has_prefix(layout, LOCK))
		return "the instruction has a lock prefix, which the kernel can not run out of "
		       "line";
	if (has_prefix(layout, CS))
		return "the instruction has a cs prefix, which the kernel refuses";
	if (has_prefix(layout, DS))
		return "the instruction has a ds (notrack) prefix, which the kernel refuses";
	if (has_prefix(layout, ES) || has_prefix(layout, SS))
		return "the instruction has an es or ss prefix, which the kernel refuses";
	return NULL;
}

static const char *refuse_opcode(const struct layout *layout)
{
	const char *const *refused = layout->wide ? upm_x86_refused_64 : upm_x86_refused_32;

	if (layout->first == 0x8e && modrm_reg(layout) == 2)
		return is_vector(layout) ? "the kernel takes this AVX instruction for a move to ss"
					 : "a move to ss holds back the trap of the single step";
	if (refused[layout->first])
		return is_vector(layout)
			       ? "the kernel takes this AVX instruction for one that it refuses"
			       : refused[layout->first];
	if (branches(layout) && has_prefix(layout, OPERAND))
		return "a branch with a 66 prefix differs between processors; the kernel refuses "
		       "it";
	return NULL;
}

/* A vector instruction that the kernel accepts, but treats as the one-byte opcode. */
static const char *harm_of_vector(const struct layout *layout)
{
	if (branches(layout))
		return "the kernel would take this AVX instruction for a jump and skip it";
	switch (layout->first) {
	case 0x90:
		return "the kernel would take this AVX instruction for a nop and skip it";
	case 0x9d:
		return "the kernel would take this AVX instruction for popf and leave the trap "
		       "flag set";
	case 0xc2 ... 0xc3:
	case 0xca ... 0xcb:
	case 0xea:
		return "the kernel would take this AVX instruction for a return and lose its way "
		       "back";
	case 0x9a:
		return "the kernel would take this AVX instruction for a call and change the stack";
	default:
		return NULL;
	}
}

static const char *harm_of(const struct layout *layout)
{
	if (is_vector(layout))
		return harm_of_vector(layout);
	if (layout->first == 0x90 && layout->rex & 1)
		return "the kernel would take this exchange of registers for a nop and skip it";
	if (layout->first == 0x9c)
		return "pushf would save the trap flag of the single step";
	if (layout->map == 1 && (layout->opcode == 0x05 || layout->opcode == 0x34))
		return "a system call does not come back from a single step as it should";
	return NULL;
}

/* push of a register without prefixes; of REX prefixes only the one for r8 to r15. */
static bool plain_push(const struct layout *layout)
{
	return (layout->first & 0xf8) == 0x50 && !is_vector(layout) && !layout->prefixes &&
	       (!layout->rex || layout->rex == 0x41);
}

static bool is_nop(const struct layout *layout)
{
	if (is_vector(layout))
		return false;
	return (layout->first == 0x90 && !(layout->rex & 1)) ||
	       (layout->map == 1 && layout->opcode == 0x1f && modrm_reg(layout) == 0);
}

/* The multi-byte nops that compilers use, up to 8 bytes, have no displacement but zeros. */
static bool is_standard_nop(const uint8_t *code, size_t length)
{
	static const uint8_t forms[][8] = {
		{0x0f, 0x1f, 0x00},	  {0x0f, 0x1f, 0x40}, {0x0f, 0x1f, 0x44},
		{0x66, 0x0f, 0x1f, 0x44}, {0x0f, 0x1f, 0x80}, {0x0f, 0x1f, 0x84},
	};

	return length >= 3 && length <= 8 && memcmp(code, forms[length - 3], length) == 0;
}

static bool in_one_page(uint64_t address, size_t length)
{
	return address % PAGE_BYTES + length <= PAGE_BYTES;
}

/* Newer kernels turn this nop into a call, and do not mind its cs prefix then. */
static bool calls_nop10(const struct upm_insn_rules *rules, const uint8_t *code, size_t length,
			uint64_t address)
{
	static const uint8_t start[] = {0x66, 0x2e, 0x0f, 0x1f, 0x84};

	return rules->nop5_red_zone_safe && rules->bits == 64 && length == 10 &&
	       memcmp(code, start, sizeof(start)) == 0 && in_one_page(address, length);
}

static uint8_t cost_of(const struct upm_insn_rules *rules, const struct layout *layout,
		       const uint8_t *code, const struct upm_insn *insn, uint64_t address)
{
	if (insn->nop5 && rules->nop5_optimised && in_one_page(address, insn->length))
		return UPM_COST_NOP5;
	if (layout->first == 0x90 || plain_push(layout) || branches(layout))
		return UPM_COST_EMULATED;
	if (rules->nops_emulated && is_nop(layout) &&
	    (insn->nop5 || rules->nop5_red_zone_safe || is_standard_nop(code, insn->length)))
		return UPM_COST_EMULATED;
	return UPM_COST_STEPPED;
}

static bool is_endbr(const struct layout *layout)
{
	return layout->map == 1 && layout->opcode == 0x1e && layout->last == REPE &&
	       (layout->modrm & 0xfe) == 0xfa;
}

size_t upm_insn_length_x86(const struct upm_insn_rules *rules, const uint8_t *code,
			   size_t available)
{
	const char *reason;

	return upm_x86_length(rules->bits == 64, code, available, &reason);
}

static const char *refuse(const struct layout *layout)
{
	const char *reason = refuse_prefix(layout);

	if (!reason)
		reason = refuse_unknown(layout);
	return reason ? reason : refuse_opcode(layout);
}

/* Single-stepping a string instruction stops after each repetition, at the breakpoint again. */
static bool repeats(const struct layout *layout)
{
	bool string = (layout->first >= 0xa4 && layout->first <= 0xa7) ||
		      (layout->first >= 0xaa && layout->first <= 0xaf);

	return string && layout->encoding == UPM_X86_LEGACY &&
	       (has_prefix(layout, REPE) || has_prefix(layout, REPNE));
}

/*
 * Encodings that older kernels take for something else; of those with a REX prefix before another
 * one, which no processor executes, 6.12 goes on to read the second prefix, and 6.18 does not.
 */
static const char *doubt(const struct layout *layout)
{
	if (layout->encoding == UPM_X86_REX2 || layout->map == 4)
		return "APX instructions are treated differently from kernel to kernel";
	if (layout->encoding == UPM_X86_XOP)
		return "XOP instructions are treated differently from kernel to kernel";
	if (layout->rex &&
	    (layout->first == 0xc4 || layout->first == 0xc5 || layout->first == 0x62))
		return "REX before VEX or EVEX is treated differently from kernel to kernel";
	return NULL;
}

static void reach_verdict(const struct layout *layout, struct upm_insn *insn)
{
	insn->reason = doubt(layout);
	insn->harmful = insn->reason;
	if (!insn->reason)
		insn->reason = refuse(layout);
	if (!insn->reason) {
		insn->reason = harm_of(layout);
		insn->harmful = insn->reason;
	}
	insn->probeable = !insn->reason;
}

/*
 * What most functions begin with needs no scan: endbr64, and opcodes of one byte that have a REX
 * prefix at most and mean to the kernel what they mean to the processor. The unit test compares
 * both ways.
 */
enum plain { NOT_PLAIN, PLAIN_STEPPED, PLAIN_PUSH, PLAIN_BRANCH };

static bool judge_plain(const uint8_t *code, struct upm_insn *insn)
{
	static const uint8_t plain_of[256] = {
		[0x01 ... 0x05] = PLAIN_STEPPED, [0x08 ... 0x0d] = PLAIN_STEPPED,
		[0x28 ... 0x2d] = PLAIN_STEPPED, [0x30 ... 0x35] = PLAIN_STEPPED,
		[0x38 ... 0x3d] = PLAIN_STEPPED, [0x50 ... 0x57] = PLAIN_PUSH,
		[0x58 ... 0x5f] = PLAIN_STEPPED, [0x63] = PLAIN_STEPPED,
		[0x68 ... 0x6b] = PLAIN_STEPPED, [0x70 ... 0x7f] = PLAIN_BRANCH,
		[0x80 ... 0x81] = PLAIN_STEPPED, [0x83 ... 0x8b] = PLAIN_STEPPED,
		[0x8d] = PLAIN_STEPPED,		 [0xb0 ... 0xbf] = PLAIN_STEPPED,
		[0xc3] = PLAIN_STEPPED,		 [0xc6 ... 0xc7] = PLAIN_STEPPED,
		[0xe8 ... 0xe9] = PLAIN_BRANCH,	 [0xeb] = PLAIN_BRANCH,
	};
	uint8_t rex = (code[0] & 0xf0) == 0x40 ? code[0] : 0;
	uint8_t plain = plain_of[code[rex != 0]];

	insn->endbr = memcmp(code, "\xf3\x0f\x1e\xfa", 4) == 0;
	if (insn->endbr)
		plain = PLAIN_STEPPED;
	if (plain != NOT_PLAIN)
		insn->length = (uint8_t)upm_x86_common_length(code);
	if (!insn->length)
		return false;
	insn->probeable = true;
	insn->cost = plain == PLAIN_BRANCH || (plain == PLAIN_PUSH && (!rex || rex == 0x41))
			     ? UPM_COST_EMULATED
			     : UPM_COST_STEPPED;
	return true;
}

void upm_insn_judge_x86(const struct upm_insn_rules *rules, const uint8_t *code, size_t available,
			uint64_t address, struct upm_insn *insn)
{
	struct layout layout = {.wide = rules->bits == 64};

	if (layout.wide && available >= UPM_INSN_MAX && judge_plain(code, insn))
		return;
	insn->length = upm_x86_length(layout.wide, code, available, &insn->reason);
	if (insn->reason)
		return;
	scan(&layout, code, available);
	insn->endbr = is_endbr(&layout);
	insn->repeats = repeats(&layout);
	insn->nop = is_nop(&layout);
	insn->nop5 = insn->nop && layout.wide && insn->length == 5;
	if (calls_nop10(rules, code, insn->length, address)) {
		insn->probeable = true;
		insn->cost = UPM_COST_NOP5;
		return;
	}
	reach_verdict(&layout, insn);
	if (insn->probeable)
		insn->cost = cost_of(rules, &layout, code, insn, address);
}

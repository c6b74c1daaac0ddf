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
 * them a processor accepts; and the table is asked about the opcode byte alone.
 * Two things follow that no manual would lead one to expect:
 *
 * - The byte 0f is in the table as good, so everything behind it passes, even
 *   ud2 and privileged instructions. Only prefixes and mov to ss are looked at.
 * - VEX and EVEX instructions are looked up by their opcode byte as though it
 *   were a one-byte opcode. vmovdqa (6f) is refused because 6f is outs.
 *
 * So the verdict comes from a scan of our own that sees what the kernel sees,
 * and Zydis says how long the instruction is and whether it is one.
 */
#include "judge/insn_arch.h"

#include <Zydis/Zydis.h>
#include <string.h>

#include "uprobe_multi.h"

#define MOST_BYTES 15	 /* that an x86 instruction has */
#define MOST_PREFIXES 4	 /* different ones that the kernel's decoder takes */
#define PAGE_BYTES 4096u /* code pages are patched one by one */

enum encoding { LEGACY, VEX, EVEX };

/* An instruction as the kernel's decoder sees it. */
struct layout {
	bool wide;	   /* 64-bit mode */
	uint16_t prefixes; /* 1 << enum prefix */
	uint8_t rex;
	uint8_t encoding; /* enum encoding */
	uint8_t opcode;	  /* the byte it looks up in its table */
	uint8_t second;	  /* behind 0f: the next byte */
	uint8_t modrm;	  /* 0 when there are no bytes left */
	uint8_t length;
};

enum prefix { NONE, ES, CS, SS, DS, FS, GS, OPERAND, ADDRESS, LOCK, REPNE, REPE };

static const uint8_t prefix_of[256] = {
	[0x26] = ES,   [0x2e] = CS,    [0x36] = SS,	 [0x3e] = DS,
	[0x64] = FS,   [0x65] = GS,    [0x66] = OPERAND, [0x67] = ADDRESS,
	[0xf0] = LOCK, [0xf2] = REPNE, [0xf3] = REPE,
};

#define BIT(prefix) (1u << (prefix))
#define SEGMENT_PREFIXES (BIT(ES) | BIT(CS) | BIT(SS) | BIT(DS))

enum refusal {
	GOOD,
	GONE,	 /* does not exist in 64-bit mode */
	SEGMENT, /* loads a segment register */
	PORT_STRING,
	PORT,
	TRAP,
	SOFTWARE_INTERRUPT,
	OVERFLOW_TRAP,
	INTERRUPT_RETURN,
	DEBUG_TRAP,
	HALT,
	INTERRUPT_FLAG,
};

static const char *const refusal_reason[] = {
	[GONE] = "the opcode does not exist in 64-bit mode",
	[SEGMENT] = "it loads a segment register, which the kernel does not single-step",
	[PORT_STRING] = "ins and outs are privileged",
	[PORT] = "in and out are privileged",
	[TRAP] = "it is a breakpoint (int3) already",
	[SOFTWARE_INTERRUPT] = "it is a software interrupt, which the kernel does not single-step",
	[OVERFLOW_TRAP] = "into raises a trap, which the kernel does not single-step",
	[INTERRUPT_RETURN] = "iret changes the flags that single-stepping needs",
	[DEBUG_TRAP] = "int1 raises a debug trap, which single-stepping needs itself",
	[HALT] = "hlt is privileged",
	[INTERRUPT_FLAG] = "cli and sti are privileged",
};

/* clang-format off */
#define REFUSED_IN_BOTH_MODES                                                      \
	[0x17] = SEGMENT, [0x1f] = SEGMENT,                                        \
	[0x6c ... 0x6f] = PORT_STRING,                                             \
	[0xcc] = TRAP, [0xcd] = SOFTWARE_INTERRUPT, [0xce] = OVERFLOW_TRAP,        \
	[0xcf] = INTERRUPT_RETURN,                                                 \
	[0xe4 ... 0xe7] = PORT, [0xec ... 0xef] = PORT,                            \
	[0xf1] = DEBUG_TRAP, [0xf4] = HALT, [0xfa ... 0xfb] = INTERRUPT_FLAG

static const uint8_t refused_64[256] = {
	REFUSED_IN_BOTH_MODES,
	[0x06 ... 0x07] = GONE, [0x0e] = GONE, [0x16] = GONE, [0x1e] = GONE,
	[0x27] = GONE, [0x2f] = GONE, [0x37] = GONE, [0x3f] = GONE,
	[0x60 ... 0x62] = GONE, [0x82] = GONE, [0x9a] = GONE,
	[0xd4 ... 0xd6] = GONE, [0xea] = GONE,
};

static const uint8_t refused_32[256] = {
	REFUSED_IN_BOTH_MODES,
	[0x07] = SEGMENT,
};
/* clang-format on */

static uint8_t byte_at(const uint8_t *code, size_t available, size_t at)
{
	return at < available ? code[at] : 0;
}

/* Bytes of legacy prefixes; repeated ones count once, and a fifth different one is an opcode. */
static size_t scan_prefixes(struct layout *layout, const uint8_t *code, size_t available)
{
	unsigned int different = 0;
	size_t at = 0;

	for (; at < available; at++) {
		uint8_t prefix = prefix_of[code[at]];

		if (prefix == NONE)
			break;
		if (layout->prefixes & BIT(prefix))
			continue;
		if (different++ == MOST_PREFIXES)
			break;
		layout->prefixes |= BIT(prefix);
	}
	return at;
}

/* @return bytes of a VEX or EVEX prefix, or 0 when the byte at code is an opcode. */
static size_t scan_vector_prefix(struct layout *layout, const uint8_t *code, size_t available)
{
	uint8_t first = byte_at(code, available, 0);
	uint8_t second = byte_at(code, available, 1);

	if (first != 0xc4 && first != 0xc5 && first != 0x62)
		return 0;
	if (!layout->wide && second < 0xc0) /* les, lds, bound */
		return 0;
	layout->encoding = first == 0x62 ? EVEX : VEX;
	return first == 0x62 ? 4 : first == 0xc4 ? 3 : 2;
}

static void scan(struct layout *layout, const uint8_t *code, size_t available)
{
	size_t at = scan_prefixes(layout, code, available);

	if (layout->wide && (byte_at(code, available, at) & 0xf0) == 0x40)
		layout->rex = code[at++];
	at += scan_vector_prefix(layout, code + at, available - at);
	layout->opcode = byte_at(code, available, at++);
	layout->second = byte_at(code, available, at);
	layout->modrm = layout->second;
}

static bool masks_exceptions(const struct layout *layout)
{
	return layout->opcode == 0x8e && (layout->modrm >> 3 & 7) == 2;
}

static const char *refuse(const struct layout *layout)
{
	const uint8_t *table = layout->wide ? refused_64 : refused_32;

	if (layout->prefixes & BIT(LOCK))
		return "the instruction has a lock prefix, which the kernel can not run out of "
		       "line";
	if (layout->prefixes & SEGMENT_PREFIXES)
		return "the instruction has a cs, ds, es or ss prefix, which the kernel refuses";
	if (masks_exceptions(layout))
		return "a move to ss hides the next trap, which single-stepping needs";
	return refusal_reason[table[layout->opcode]];
}

static bool conditional_jump(const struct layout *layout)
{
	if (layout->opcode == 0x0f)
		return (layout->second & 0xf0) == 0x80;
	return (layout->opcode & 0xf0) == 0x70;
}

static bool direct_branch(const struct layout *layout)
{
	return layout->opcode == 0xe8 || layout->opcode == 0xe9 || layout->opcode == 0xeb ||
	       conditional_jump(layout);
}

/* push of a register without prefixes; of REX prefixes only the one for r8 to r15. */
static bool plain_push(const struct layout *layout)
{
	return (layout->opcode & 0xf8) == 0x50 && layout->encoding == LEGACY && !layout->prefixes &&
	       (!layout->rex || layout->rex == 0x41);
}

static bool is_nop(const struct layout *layout)
{
	return layout->opcode == 0x90 || (layout->opcode == 0x0f && layout->second == 0x1f);
}

static uint8_t cost_of(const struct upm_insn_rules *rules, const struct layout *layout)
{
	if (layout->opcode == 0x90 || plain_push(layout) || direct_branch(layout))
		return UPM_COST_EMULATED;
	if (rules->nops_emulated && is_nop(layout))
		return UPM_COST_EMULATED;
	return UPM_COST_STEPPED;
}

static bool is_nop5(const uint8_t *code, size_t available)
{
	static const uint8_t nop5[] = {0x0f, 0x1f, 0x44, 0x00, 0x00};

	return available >= sizeof(nop5) && memcmp(code, nop5, sizeof(nop5)) == 0;
}

static bool is_endbr(const uint8_t *code, size_t available)
{
	return available >= 4 && code[0] == 0xf3 && code[1] == 0x0f && code[2] == 0x1e &&
	       (code[3] & 0xfe) == 0xfa;
}

/* The call is written in one piece, so it must lie within one page. */
static bool optimised(const struct upm_insn_rules *rules, uint64_t address)
{
	return rules->nop5_optimised && rules->bits == 64 && address % PAGE_BYTES + 5 <= PAGE_BYTES;
}

static ZyanStatus decode(const struct upm_insn_rules *rules, const uint8_t *code, size_t available,
			 ZydisDecodedInstruction *decoded)
{
	bool wide = rules->bits == 64;
	ZydisDecoder decoder;

	ZydisDecoderInit(&decoder,
			 wide ? ZYDIS_MACHINE_MODE_LONG_64 : ZYDIS_MACHINE_MODE_LONG_COMPAT_32,
			 wide ? ZYDIS_STACK_WIDTH_64 : ZYDIS_STACK_WIDTH_32);
	ZydisDecoderEnableMode(&decoder, ZYDIS_DECODER_MODE_MINIMAL, ZYAN_TRUE);
	return ZydisDecoderDecodeInstruction(&decoder, NULL, code, available, decoded);
}

size_t upm_insn_length_x86(const struct upm_insn_rules *rules, const uint8_t *code,
			   size_t available)
{
	ZydisDecodedInstruction decoded;

	return ZYAN_SUCCESS(decode(rules, code, available, &decoded)) ? decoded.length : 0;
}

void upm_insn_judge_x86(const struct upm_insn_rules *rules, const uint8_t *code, size_t available,
			uint64_t address, struct upm_insn *insn)
{
	struct layout layout = {.wide = rules->bits == 64};
	ZydisDecodedInstruction decoded;
	ZyanStatus status;

	if (available > MOST_BYTES)
		available = MOST_BYTES;
	status = decode(rules, code, available, &decoded);
	if (ZYAN_SUCCESS(status))
		insn->length = decoded.length;
	if (status == ZYDIS_STATUS_NO_MORE_DATA) {
		insn->reason = "the code ends in the middle of the instruction";
		return;
	}
	if (status == ZYDIS_STATUS_INSTRUCTION_TOO_LONG) {
		insn->reason = "the instruction is longer than 15 bytes";
		return;
	}
	scan(&layout, code, available);
	insn->reason = refuse(&layout);
	if (insn->reason)
		return;
	insn->probeable = true;
	insn->endbr = is_endbr(code, available);
	insn->nop5 = is_nop5(code, available);
	insn->cost =
		insn->nop5 && optimised(rules, address) ? UPM_COST_NOP5 : cost_of(rules, &layout);
}

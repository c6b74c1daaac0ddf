// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * How long an x86 instruction is.
 *
 * Zydis knows them all and needs some 150 ns for each. Nearly every function begins
 * with one of a few dozen opcodes that have a REX prefix at most; their length is
 * computed here in a tenth of that. The unit test compares both ways.
 */
#include "judge/insn_x86_length.h"

#include <Zydis/Zydis.h>
#include <string.h>

#define MOST_BYTES 15 /* that an x86 instruction has */
#define ENDBR64_LENGTH 4

/* What follows an opcode: the number of immediate bytes, and these. */
enum {
	MODRM = 0x10,
	MEMORY = 0x20,	 /* modrm may not name a register */
	MEMBER_0 = 0x40, /* only this member of the group */
	COMMON = 0x80	 /* the opcode is known here */
};

/* clang-format off */
#define ARITHMETIC(first)                                       \
	[(first) ... (first) + 3] = COMMON | MODRM,             \
	[(first) + 4] = COMMON | 1, [(first) + 5] = COMMON | 4

static const uint8_t shape_of[256] = {
	ARITHMETIC(0x00), ARITHMETIC(0x08), ARITHMETIC(0x10), ARITHMETIC(0x18),
	ARITHMETIC(0x20), ARITHMETIC(0x28), ARITHMETIC(0x30), ARITHMETIC(0x38),
	[0x50 ... 0x5f] = COMMON, [0x63] = COMMON | MODRM,
	[0x68] = COMMON | 4, [0x69] = COMMON | MODRM | 4,
	[0x6a] = COMMON | 1, [0x6b] = COMMON | MODRM | 1,
	[0x70 ... 0x7f] = COMMON | 1,
	[0x80] = COMMON | MODRM | 1, [0x81] = COMMON | MODRM | 4, [0x83] = COMMON | MODRM | 1,
	[0x84 ... 0x8b] = COMMON | MODRM, [0x8d] = COMMON | MODRM | MEMORY,
	[0x90] = COMMON, [0xa8] = COMMON | 1, [0xa9] = COMMON | 4,
	[0xb0 ... 0xb7] = COMMON | 1, [0xb8 ... 0xbf] = COMMON | 4,
	[0xc3] = COMMON, [0xc6] = COMMON | MODRM | MEMBER_0 | 1, [0xc7] = COMMON | MODRM | MEMBER_0 | 4,
	[0xcc] = COMMON, [0xe8 ... 0xe9] = COMMON | 4, [0xeb] = COMMON | 1,
};

/* The same behind 0f. */
static const uint8_t shape_of_0f[256] = {
	[0x1f] = COMMON | MODRM | MEMBER_0, [0x80 ... 0x8f] = COMMON | 4,
	[0xb6 ... 0xb7] = COMMON | MODRM, [0xbe ... 0xbf] = COMMON | MODRM,
};
/* clang-format on */

/* Bytes of modrm and what it asks for: sib and displacement. */
static size_t modrm_length(const uint8_t *modrm)
{
	unsigned int mode = modrm[0] >> 6, base = modrm[0] & 7;
	size_t length = 1;

	if (mode == 3)
		return length;
	if (base == 4) {
		base = modrm[1] & 7;
		length++;
	}
	if (mode == 1)
		return length + 1;
	return mode == 2 || base == 5 ? length + 4 : length;
}

static bool is_endbr64(const uint8_t *code)
{
	return memcmp(code, "\xf3\x0f\x1e\xfa", ENDBR64_LENGTH) == 0;
}

size_t upm_x86_common_length(const uint8_t *code)
{
	bool wide_operand = (code[0] & 0xf8) == 0x48;
	size_t at = (code[0] & 0xf0) == 0x40;
	uint8_t opcode = code[at++], shape = shape_of[opcode];

	if (opcode == 0x0f)
		shape = shape_of_0f[code[at++]];
	else if (wide_operand && (opcode & 0xf8) == 0xb8) /* mov of 8 immediate bytes */
		shape += 4;
	if (is_endbr64(code))
		return ENDBR64_LENGTH;
	if (!shape || (shape & MEMORY && code[at] >= 0xc0) ||
	    (shape & MEMBER_0 && code[at] >> 3 & 7))
		return 0;
	if (shape & MODRM)
		at += modrm_length(code + at);
	return at + (shape & 0xf);
}

static ZyanStatus decode(bool wide, const uint8_t *code, size_t available,
			 ZydisDecodedInstruction *decoded)
{
	ZydisDecoder decoder;

	ZydisDecoderInit(&decoder,
			 wide ? ZYDIS_MACHINE_MODE_LONG_64 : ZYDIS_MACHINE_MODE_LONG_COMPAT_32,
			 wide ? ZYDIS_STACK_WIDTH_64 : ZYDIS_STACK_WIDTH_32);
	ZydisDecoderEnableMode(&decoder, ZYDIS_DECODER_MODE_MINIMAL, ZYAN_TRUE);
	return ZydisDecoderDecodeInstruction(&decoder, NULL, code, available, decoded);
}

size_t upm_x86_length(bool wide, const uint8_t *code, size_t available, const char **reason)
{
	size_t length = wide && available >= UPM_INSN_MAX ? upm_x86_common_length(code) : 0;
	ZydisDecodedInstruction decoded;
	ZyanStatus status;

	*reason = NULL;
	if (length)
		return length;
	status = decode(wide, code, available, &decoded);
	if (ZYAN_SUCCESS(status))
		return decoded.length;
	if (status == ZYDIS_STATUS_INSTRUCTION_TOO_LONG ||
	    (status == ZYDIS_STATUS_NO_MORE_DATA && available >= MOST_BYTES))
		*reason = "the instruction is longer than 15 bytes";
	else if (status == ZYDIS_STATUS_NO_MORE_DATA)
		*reason = "the code ends in the middle of the instruction";
	return 0;
}

// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The flow of x86-64 code, by opcode. Only branches matter here, and they have opcodes of one byte
 * or of two that begin with 0f; whatever has a VEX or EVEX prefix goes on. What a processor might
 * treat differently from another (a branch with a 66 prefix), and what has an other place to go on
 * at (xbegin), is unknown.
 */
#include "judge/flow.h"

#include <Zydis/Zydis.h>
#include <elf.h>
#include <string.h>

#include "judge/insn_x86_length.h"

#define MOST_PREFIXES 14

/* What an opcode asks for beside a kind. */
enum { NEAR_TARGET = 0x10, FAR_TARGET = 0x20, GROUP = 0x40, KIND = 0x0f };

/* What is not listed goes on. */
/* clang-format off */
static const uint8_t one_byte[256] = {
	[0x70 ... 0x7f] = UPM_FLOW_BRANCH | NEAR_TARGET,
	[0xc2 ... 0xc3] = UPM_FLOW_END, [0xc7] = GROUP,
	[0xca ... 0xcd] = UPM_FLOW_END, [0xcf] = UPM_FLOW_END,
	[0xd5] = UPM_FLOW_UNKNOWN,
	[0xe0 ... 0xe3] = UPM_FLOW_BRANCH | NEAR_TARGET,
	[0xe8] = UPM_FLOW_CALL | FAR_TARGET, [0xe9] = UPM_FLOW_JUMP | FAR_TARGET,
	[0xeb] = UPM_FLOW_JUMP | NEAR_TARGET,
	[0xf1] = UPM_FLOW_END, [0xf4] = UPM_FLOW_END, [0xff] = GROUP,
};

static const uint8_t two_bytes[256] = {
	[0x05] = UPM_FLOW_SYSTEM, [0x07] = UPM_FLOW_END, [0x0b] = UPM_FLOW_END,
	[0x34] = UPM_FLOW_SYSTEM, [0x35] = UPM_FLOW_END,
	[0x80 ... 0x8f] = UPM_FLOW_BRANCH | FAR_TARGET,
	[0xaa] = UPM_FLOW_END, [0xb9] = UPM_FLOW_END, [0xff] = UPM_FLOW_END,
};
/* clang-format on */

/* Of a modrm byte that names memory: whether it lies where neither rsp nor rbp leads. */
static bool is_off_stack(const uint8_t *modrm, uint8_t rex)
{
	unsigned int mode = modrm[0] >> 6, base = modrm[0] & 7;

	if (mode == 3)
		return false;
	if (base == 4)
		base = modrm[1] & 7;
	if (base == 5 && mode == 0) /* no base but the instruction pointer, or none at all */
		return true;
	return rex & 1 || (base != 4 && base != 5);
}

static uint8_t kind_of_jump(const uint8_t *modrm, uint8_t rex, struct upm_flow *flow)
{
	if (modrm[0] < 0xc0)
		return is_off_stack(modrm, rex) ? UPM_FLOW_JUMP_POINTER : UPM_FLOW_UNKNOWN;
	flow->target = (modrm[0] & 7) | (rex & 1) << 3;
	return UPM_FLOW_JUMP_REGISTER;
}

/* ff: its modrm byte tells. c7 f8 is xbegin, which goes elsewhere when a transaction fails. */
static uint8_t kind_of_group(const uint8_t *opcode, uint8_t rex, struct upm_flow *flow)
{
	if (opcode[0] == 0xc7)
		return opcode[1] == 0xf8 ? UPM_FLOW_UNKNOWN : UPM_FLOW_ON;
	switch (opcode[1] >> 3 & 7) {
	case 2:
		return UPM_FLOW_CALL_INDIRECT;
	case 4:
		return kind_of_jump(opcode + 1, rex, flow);
	case 3:
	case 5:
		return UPM_FLOW_UNKNOWN;
	default:
		return UPM_FLOW_ON;
	}
}

bool upm_loads_pointer(const uint8_t *code, unsigned int number)
{
	if ((code[0] & 0xf8) != 0x48 || code[1] != 0x8b)
		return false;
	return ((code[2] >> 3 & 7u) | (code[0] & 4u) << 1) == number &&
	       is_off_stack(code + 2, code[0]);
}

bool upm_sets_eax(const uint8_t *code, uint32_t *value)
{
	if (code[0] == 0xb8)
		memcpy(value, code + 1, sizeof(*value));
	return code[0] == 0xb8;
}

static bool is_legacy_prefix(uint8_t byte)
{
	return byte == 0x66 || byte == 0x67 || byte == 0xf2 || byte == 0xf3 || byte == 0x2e ||
	       byte == 0x36 || byte == 0x3e || byte == 0x26 || byte == 0x64 || byte == 0x65 ||
	       byte == 0xf0;
}

static int32_t far_distance(const uint8_t *bytes)
{
	int32_t distance;

	memcpy(&distance, bytes, sizeof(distance));
	return distance;
}

static int32_t near_distance(uint8_t byte)
{
	return byte < 0x80 ? byte : byte - 0x100;
}

static void classify(const uint8_t *code, struct upm_flow *flow)
{
	bool operand_size = false;
	uint8_t shape, rex = 0;
	size_t at = 0;

	/* A REX prefix counts right before the opcode only. */
	for (; at < MOST_PREFIXES; at++) {
		if ((code[at] & 0xf0) != 0x40 && !is_legacy_prefix(code[at]))
			break;
		rex = (code[at] & 0xf0) == 0x40 ? code[at] : 0;
		operand_size |= code[at] == 0x66;
	}
	shape = code[at] == 0x0f ? two_bytes[code[at + 1]] : one_byte[code[at]];
	if (shape & GROUP)
		shape = kind_of_group(code + at, rex, flow);
	flow->kind = shape & KIND;
	if (shape & NEAR_TARGET) {
		flow->near = true;
		flow->target = near_distance(code[flow->length - 1]);
	} else if (shape & FAR_TARGET) {
		flow->target = far_distance(code + flow->length - sizeof(int32_t));
	} else if (flow->kind == UPM_FLOW_SYSTEM) {
		flow->target = code[at + 1] == 0x05;
	}
	if (operand_size && shape & (NEAR_TARGET | FAR_TARGET) && flow->kind != UPM_FLOW_CALL)
		flow->kind = UPM_FLOW_UNKNOWN;
}

bool upm_flow_of(const struct upm_insn_rules *rules, const uint8_t *code, size_t available,
		 struct upm_flow *flow)
{
	uint8_t padded[UPM_INSN_MAX] = {0};
	const char *reason;

	*flow = (struct upm_flow){0};
	if (rules->machine != EM_X86_64 || rules->bits != 64)
		return false;
	flow->length = (uint8_t)upm_x86_length(true, code, available, &reason);
	if (!flow->length)
		return false;
	if (available < UPM_INSN_MAX)
		code = memcpy(padded, code, available);
	classify(code, flow);
	return true;
}

/* ---- what an instruction changes */

static uint32_t register_bit(ZydisRegister reg)
{
	ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);

	if (whole < ZYDIS_REGISTER_RAX || whole > ZYDIS_REGISTER_R15)
		return 0;
	return 1u << (whole - ZYDIS_REGISTER_RAX);
}

static uint32_t change_of(const ZydisDecodedInstruction *instruction,
			  const ZydisDecodedOperand *operand)
{
	if (!(operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
		return 0;
	if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER)
		return register_bit(operand->reg.value);
	if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY)
		return 0;
	if (instruction->mnemonic == ZYDIS_MNEMONIC_PUSH &&
	    operand->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN)
		return 0;
	return UPM_STATE_MEMORY;
}

uint32_t upm_state_changed(const struct upm_insn_rules *rules, const uint8_t *code,
			   size_t available)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction instruction;
	uint32_t changed = 0;
	ZydisDecoder decoder;

	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	if (rules->machine != EM_X86_64 ||
	    !ZYAN_SUCCESS(
		    ZydisDecoderDecodeFull(&decoder, code, available, &instruction, operands)))
		return UPM_STATE_REGISTERS | UPM_STATE_MEMORY;
	for (uint8_t i = 0; i < instruction.operand_count; i++)
		changed |= change_of(&instruction, &operands[i]);
	return changed;
}

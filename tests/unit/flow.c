/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Where instructions lead: compared with a decoder that knows them all, over random bytes. */
#include "support.h"

#include <Zydis/Zydis.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "judge/flow.h"

#define ROUNDS 400000

static const struct upm_insn_rules rules = {.machine = EM_X86_64, .bits = 64};

static uint64_t random_number(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void fill(uint8_t *bytes, size_t size, uint64_t *state)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(random_number(state) >> 32);
}

static bool may_leave(const ZydisDecodedInstruction *instruction)
{
	switch (instruction->meta.category) {
	case ZYDIS_CATEGORY_COND_BR:
		return instruction->mnemonic != ZYDIS_MNEMONIC_XEND; /* where xbegin said */
	case ZYDIS_CATEGORY_UNCOND_BR:
	case ZYDIS_CATEGORY_CALL:
	case ZYDIS_CATEGORY_RET:
	case ZYDIS_CATEGORY_SYSCALL:
	case ZYDIS_CATEGORY_SYSRET:
	case ZYDIS_CATEGORY_INTERRUPT:
		return true;
	default:
		return instruction->mnemonic == ZYDIS_MNEMONIC_HLT ||
		       instruction->mnemonic == ZYDIS_MNEMONIC_XABORT;
	}
}

static bool has_target(uint8_t kind)
{
	return kind == UPM_FLOW_BRANCH || kind == UPM_FLOW_JUMP || kind == UPM_FLOW_CALL;
}

static void compare(const uint8_t *code, const ZydisDecodedInstruction *wanted,
		    const ZydisDecodedOperand *operands)
{
	bool leaves = may_leave(wanted);
	struct upm_flow flow;

	if (!upm_flow_of(&rules, code, UPM_INSN_MAX, &flow))
		fail_msg("%s does not decode", ZydisMnemonicGetString(wanted->mnemonic));
	assert_int_equal(flow.length, wanted->length);
	if (leaves && flow.kind == UPM_FLOW_ON && wanted->mnemonic != ZYDIS_MNEMONIC_XABORT)
		fail_msg("%s (%02x %02x %02x) is said to go on",
			 ZydisMnemonicGetString(wanted->mnemonic), code[0], code[1], code[2]);
	if (!leaves && flow.kind != UPM_FLOW_ON && flow.kind != UPM_FLOW_UNKNOWN &&
	    flow.kind != UPM_FLOW_END)
		fail_msg("%s is said to have kind %u", ZydisMnemonicGetString(wanted->mnemonic),
			 flow.kind);
	if (has_target(flow.kind) && !(wanted->attributes & ZYDIS_ATTRIB_HAS_OPERANDSIZE)) {
		assert_int_equal(operands[0].type, ZYDIS_OPERAND_TYPE_IMMEDIATE);
		assert_int_equal(operands[0].imm.value.s, flow.target);
	}
}

static void random_code(void **state)
{
	uint64_t seed = 88172645463325252;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction wanted;
	uint8_t code[UPM_INSN_MAX];
	ZydisDecoder decoder;

	(void)state;
	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	for (int round = 0; round < ROUNDS; round++) {
		fill(code, sizeof(code), &seed);
		if (round % 4 == 0)
			code[0] = 0xff;
		else if (round % 4 == 1)
			code[0] = 0x0f;
		if (ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code, sizeof(code), &wanted,
							operands)))
			compare(code, &wanted, operands);
	}
}

static struct upm_flow flow_of(const char *hex)
{
	uint8_t code[UPM_INSN_MAX] = {0};
	struct upm_flow flow;

	test_from_hex(hex, code);
	assert_true(upm_flow_of(&rules, code, sizeof(code), &flow));
	return flow;
}

static void known_instructions(void **state)
{
	static const struct {
		const char *hex;
		uint8_t kind;
	} known[] = {
		{"c5 fd 74 c1", UPM_FLOW_ON}, /* vpcmpeqb, whose opcode is that of je */
		{"62 f1 fe 48 6f 06", UPM_FLOW_ON},
		{"f3 c3", UPM_FLOW_END},
		{"c2 08 00", UPM_FLOW_END},
		{"0f 0b", UPM_FLOW_END},
		{"f4", UPM_FLOW_END},
		{"0f 05", UPM_FLOW_SYSTEM},
		{"e3 05", UPM_FLOW_BRANCH},
		{"3e 74 05", UPM_FLOW_BRANCH},
		{"f2 e9 05 00 00 00", UPM_FLOW_JUMP},
		{"66 e9 05 00 00 00", UPM_FLOW_UNKNOWN},
		{"66 66 48 e8 05 00 00 00", UPM_FLOW_CALL},
		{"3e ff e0", UPM_FLOW_JUMP_REGISTER},
		{"41 ff e3", UPM_FLOW_JUMP_REGISTER},
		{"ff 25 00 10 00 00", UPM_FLOW_JUMP_POINTER},
		{"ff 24 c5 00 10 00 00", UPM_FLOW_JUMP_POINTER},
		{"41 ff 24 24", UPM_FLOW_JUMP_POINTER}, /* r12, which is encoded like rsp */
		{"ff 24 24", UPM_FLOW_UNKNOWN},
		{"ff 65 08", UPM_FLOW_UNKNOWN},
		{"41 3e ff 24 24",
		 UPM_FLOW_UNKNOWN}, /* a REX prefix that is not the last is none */
		{"ff 2f", UPM_FLOW_UNKNOWN},
		{"c7 f8 00 00 00 00", UPM_FLOW_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (flow_of(known[i].hex).kind != known[i].kind)
			fail_msg("%s has kind %u", known[i].hex, flow_of(known[i].hex).kind);
	assert_int_equal(flow_of("41 ff e3").target, 11);
	assert_int_equal(flow_of("3e 74 fe").target, -2);
}

static void changes(void **state)
{
	static const struct {
		const char *hex;
		uint32_t changed;
	} known[] = {
		{"48 89 f8", 1u << 0},
		{"40 88 f8", 1u << 0}, /* al is a part of rax */
		{"48 85 ff", 0},
		{"53", UPM_STATE_RSP},
		{"5b", UPM_STATE_RSP | 1u << 3},
		{"48 89 07", UPM_STATE_MEMORY},
		{"ff 37", UPM_STATE_RSP},
		{"48 87 07", UPM_STATE_MEMORY | 1u << 0},
		{"aa", UPM_STATE_MEMORY | 1u << 7},
		{"0f a2", 1u << 0 | 1u << 1 | 1u << 2 | 1u << 3},
		{"45 31 c9", 1u << 9},
		{"48 0f 44 c7", 1u << 0},
		{"06", UPM_STATE_REGISTERS | UPM_STATE_MEMORY},
	};
	uint8_t code[UPM_INSN_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		uint32_t changed;

		memset(code, 0, sizeof(code));
		test_from_hex(known[i].hex, code);
		changed = upm_state_changed(&rules, code, sizeof(code));
		if (changed != known[i].changed)
			fail_msg("%s changes %#x, wanted %#x", known[i].hex, changed,
				 known[i].changed);
	}
}

/* Pointers from memory, but not from the stack, into the register that is asked about. */
static void loads(void **state)
{
	static const struct {
		const char *hex;
		unsigned number;
		bool loads;
	} known[] = {
		{"48 8b 07", 0, true},
		{"48 8b 07", 3, false},
		{"4c 8b 07", 8, true},
		{"4c 8b 07", 0, false},
		{"40 8b 07", 0, false},
		{"48 89 07", 0, false},
		{"48 8b 04 24", 0, false},
		{"49 8b 04 24", 0, true},
		{"48 8b 45 f8", 0, false},
		{"48 8b c7", 0, false},
		{"48 8b 05 10 00 00 00", 0, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		uint8_t code[UPM_INSN_MAX] = {0};

		test_from_hex(known[i].hex, code);
		if (upm_loads_pointer(code, known[i].number) != known[i].loads)
			fail_msg("%s into %u", known[i].hex, known[i].number);
	}
}

/* Every byte that could begin one, and no other. */
static void far_references(void **state)
{
	enum { SIZE = 4096 };
	uint8_t *code = malloc(SIZE + UPM_INSN_MAX);
	uint64_t seed = 362436069;
	struct upm_far_place place;
	size_t at = 0, found = 0;

	(void)state;
	assert_non_null(code);
	fill(code, SIZE + UPM_INSN_MAX, &seed);
	memcpy(code + SIZE / 3, (const uint8_t[]){0xc7, 0xf8}, 2); /* too rare to come by chance */
	for (size_t i = 0; i < SIZE; i++) {
		size_t before = code[i] == 0xe8 || code[i] == 0xe9 ? 1 : 2;
		int32_t distance;

		if (before == 2 && !(code[i] == 0x0f && code[i + 1] >> 4 == 8) &&
		    !(code[i] == 0x8d && (code[i + 1] & 0xc7) == 5) &&
		    !(code[i] == 0xc7 && code[i + 1] == 0xf8))
			continue;
		memcpy(&distance, code + i + before, sizeof(distance));
		assert_true(upm_far_reference(code, SIZE, &at, &place));
		assert_int_equal(at, i + 1);
		assert_true(place.distance == (int64_t)(i + before + 4) + distance);
		assert_int_equal(place.called, code[i] == 0xe8);
		found++;
	}
	assert_false(upm_far_reference(code, SIZE, &at, &place));
	assert_true(found > 20);
	free(code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_code),	  cmocka_unit_test(known_instructions),
		cmocka_unit_test(changes),	  cmocka_unit_test(loads),
		cmocka_unit_test(far_references),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

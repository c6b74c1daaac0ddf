// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Verdict, cost and length of known encodings; tests/live/oracle.c has the comparison. */
#include "support.h"

#include <elf.h>
#include <string.h>

#include "judge/insn.h"

enum expected { EMULATED, STEPPED, CALLED, REFUSED, HARMFUL };

struct encoding {
	const char *name;
	const char *hex;
	enum expected expected;
	uint8_t length;
};

static const struct upm_insn_rules new_kernel = {
	.machine = EM_X86_64, .bits = 64, .nops_emulated = true, .nop5_optimised = true};
static const struct upm_insn_rules old_kernel = {.machine = EM_X86_64, .bits = 64};
static const struct upm_insn_rules nop10_kernel = {
	.machine = EM_X86_64, .bits = 64, .nops_emulated = true, .nop5_red_zone_safe = true};
static const struct upm_insn_rules kernel_32 = {
	.machine = EM_386, .bits = 32, .nops_emulated = true};
static const struct upm_insn_rules arm64 = {.machine = EM_AARCH64, .bits = 64};

static struct upm_insn judge(const struct upm_insn_rules *rules, const char *hex, uint64_t address)
{
	uint8_t bytes[UPM_INSN_MAX] = {0};
	struct upm_insn insn;

	test_from_hex(hex, bytes);
	upm_insn_judge(rules, bytes, sizeof(bytes), address, &insn);
	return insn;
}

static enum expected outcome(const struct upm_insn *insn)
{
	if (!insn->probeable)
		return insn->harmful ? HARMFUL : REFUSED;
	return insn->cost == UPM_COST_NOP5	 ? CALLED
	       : insn->cost == UPM_COST_EMULATED ? EMULATED
						 : STEPPED;
}

static void expect(const struct upm_insn_rules *rules, const struct encoding *encoding)
{
	struct upm_insn insn = judge(rules, encoding->hex, 0x1000);

	if (outcome(&insn) != encoding->expected || insn.length != encoding->length)
		fail_msg("%s: outcome %d length %u (%s), wanted %d and %u", encoding->name,
			 outcome(&insn), insn.length, insn.reason ? insn.reason : "probeable",
			 encoding->expected, encoding->length);
	assert_true(insn.probeable == !insn.reason);
	if (insn.reason)
		assert_true(strlen(insn.reason) < 90);
}

#define expect_all(rules, table)                                                                   \
	do {                                                                                       \
		for (size_t i_ = 0; i_ < sizeof(table) / sizeof((table)[0]); i_++)                 \
			expect((rules), &(table)[i_]);                                             \
	} while (0)

static void emulates_branches_pushes_and_nops(void **state)
{
	static const struct encoding table[] = {
		{"push rbp", "55", EMULATED, 1},
		{"push r12", "41 54", EMULATED, 2},
		{"rex push", "40 55", STEPPED, 2},
		{"push of 16 bits", "66 55", STEPPED, 2},
		{"fs push", "64 55", STEPPED, 2},
		{"push imm8", "6a 05", STEPPED, 2},
		{"call rel32", "e8 10 00 00 00", EMULATED, 5},
		{"jmp rel8", "eb 10", EMULATED, 2},
		{"jmp rel32", "e9 10 00 00 00", EMULATED, 5},
		{"je rel8", "74 10", EMULATED, 2},
		{"jg rel32", "0f 8f 10 00 00 00", EMULATED, 6},
		{"bnd jmp", "f2 e9 10 00 00 00", EMULATED, 6},
		{"nop", "90", EMULATED, 1},
		{"pause", "f3 90", EMULATED, 2},
		{"nop2", "66 90", EMULATED, 2},
		{"nop3", "0f 1f 00", EMULATED, 3},
		{"nop4", "0f 1f 40 00", EMULATED, 4},
		{"nop6", "66 0f 1f 44 00 00", EMULATED, 6},
		{"nop7", "0f 1f 80 00 00 00 00", EMULATED, 7},
		{"nop8", "0f 1f 84 00 00 00 00 00", EMULATED, 8},
		{"nop9", "66 0f 1f 84 00 00 00 00 00", STEPPED, 9},
		{"nop4 with displacement", "0f 1f 40 01", STEPPED, 4},
		{"nop of another group member", "0f 1f 48 00", STEPPED, 4},
	};

	(void)state;
	expect_all(&new_kernel, table);
}

static void steps_the_rest(void **state)
{
	static const struct encoding table[] = {
		{"endbr64", "f3 0f 1e fa", STEPPED, 4},
		{"ret", "c3", STEPPED, 1},
		{"lea rip", "48 8d 05 10 00 00 00", STEPPED, 7},
		{"sub rsp", "48 83 ec 08", STEPPED, 4},
		{"mov fs", "64 48 8b 04 25 28 00 00 00", STEPPED, 9},
		{"mov gs", "65 8b 00", STEPPED, 3},
		{"mov ds, ax", "8e d8", STEPPED, 2},
		{"ud2", "0f 0b", STEPPED, 2},
		{"undefined", "0f 04", STEPPED, 0},
		{"loop", "e2 00", STEPPED, 2},
		{"rep stosq", "f3 48 ab", STEPPED, 3},
		{"vmovups", "c5 f8 10 c1", STEPPED, 4},
		{"vxorps", "c5 f0 57 c2", STEPPED, 4},
		{"vpbroadcastd", "c4 e2 79 58 c1", STEPPED, 5},
		{"vmovups zmm", "62 f1 7c 48 10 c1", STEPPED, 6},
		{"movdqa", "66 0f 6f c1", STEPPED, 4},
		{"pshufb", "66 0f 38 00 c1", STEPPED, 5},
	};

	(void)state;
	expect_all(&new_kernel, table);
	assert_true(judge(&new_kernel, table[0].hex, 0).endbr);
	assert_true(judge(&new_kernel, "f3 0f 1e fb", 0).endbr);
	assert_false(judge(&new_kernel, "0f 1e fa", 0).endbr);
}

static void knows_what_hits_more_than_once(void **state)
{
	(void)state;
	assert_true(judge(&new_kernel, "f3 48 ab", 0).repeats);
	assert_true(judge(&new_kernel, "f3 a4", 0).repeats);
	assert_true(judge(&kernel_32, "f2 ae", 0).repeats);
	assert_false(judge(&new_kernel, "48 ab", 0).repeats);
	assert_false(judge(&new_kernel, "f3 c3", 0).repeats);
	assert_false(judge(&new_kernel, "f3 a8 00", 0).repeats);
}

static void refuses_what_the_kernel_refuses(void **state)
{
	static const struct encoding table[] = {
		{"lock cmpxchg", "f0 0f b1 17", REFUSED, 4},
		{"lock dec", "f0 ff 0f", REFUSED, 3},
		{"cs mov", "2e 8b 00", REFUSED, 3},
		{"ss mov", "36 8b 00", REFUSED, 3},
		{"ds mov", "3e 8b 00", REFUSED, 3},
		{"es mov", "26 8b 00", REFUSED, 3},
		{"notrack jmp", "3e ff e0", REFUSED, 3},
		{"nop10", "66 2e 0f 1f 84 00 00 00 00 00", REFUSED, 10},
		{"int3", "cc", REFUSED, 1},
		{"int 80", "cd 80", REFUSED, 2},
		{"int1", "f1", REFUSED, 1},
		{"hlt", "f4", REFUSED, 1},
		{"cli", "fa", REFUSED, 1},
		{"in", "e4 10", REFUSED, 2},
		{"out dx", "ee", REFUSED, 1},
		{"rep insb", "f3 6c", REFUSED, 2},
		{"iret", "48 cf", REFUSED, 2},
		{"mov ss", "8e d0", REFUSED, 2},
		{"no opcode", "06", REFUSED, 0},
		{"jmp of 16 bits", "66 e9 10 00 00 00", REFUSED, 6},
		{"vmovdqa", "c5 f9 6f c1", REFUSED, 4},
		{"vpxor", "c5 f1 ef c2", REFUSED, 4},
		{"no vex opcode", "c5 f8 00 c0", REFUSED, 0},
		{"andn without vex", "0f 38 f2 c0", REFUSED, 0},
		{"16 prefixes", "66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 66", REFUSED, 0},
	};

	(void)state;
	expect_all(&new_kernel, table);
}

static void refuses_what_the_kernel_runs_wrongly(void **state)
{
	static const struct encoding table[] = {
		{"vzeroupper", "c5 f8 77", HARMFUL, 3},
		{"vpcmpeqb", "c5 f5 74 c1", HARMFUL, 4},
		{"vpshufd", "c5 f9 70 c1 01", HARMFUL, 5},
		{"vpor", "c5 f1 eb c2", HARMFUL, 4},
		{"vpbroadcastb", "c4 e2 79 78 c1", HARMFUL, 5},
		{"kmovw", "c5 f8 90 c1", HARMFUL, 4},
		{"vfnmadd132sd", "c4 e2 f1 9d c2", HARMFUL, 5},
		{"vcmpps", "c5 f0 c2 c2 00", HARMFUL, 5},
		{"vpermi2d zmm", "62 f2 7d 48 76 c1", HARMFUL, 6},
		{"xchg r8, rax", "49 90", HARMFUL, 2},
		{"pushf", "9c", HARMFUL, 1},
		{"syscall", "0f 05", HARMFUL, 2},
		{"rex2", "d5 00 58", HARMFUL, 0},
	};

	(void)state;
	expect_all(&new_kernel, table);
	expect_all(&old_kernel, table);
}

static void knows_which_nops_become_calls(void **state)
{
	static const char *const forms[] = {"0f 1f 44 00 00", "0f 1f 44 00 01", "66 66 66 66 90",
					    "48 0f 1f 40 00"};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const struct encoding nop5 = {forms[i], forms[i], CALLED, 5};
		struct upm_insn insn = judge(&new_kernel, forms[i], 0x1ffb);

		expect(&new_kernel, &nop5);
		assert_true(insn.nop5);
		assert_int_equal(insn.cost, UPM_COST_NOP5);
		assert_int_equal(judge(&new_kernel, forms[i], 0x1ffc).cost, UPM_COST_EMULATED);
	}
	assert_int_equal(judge(&old_kernel, forms[0], 0).cost, UPM_COST_STEPPED);
	assert_int_equal(judge(&old_kernel, "66 90", 0).cost, UPM_COST_EMULATED);
	assert_int_equal(judge(&nop10_kernel, forms[0], 0).cost, UPM_COST_EMULATED);
	assert_false(judge(&new_kernel, "66 66 66 41 90", 0).probeable);
}

static void takes_the_ten_byte_nop_where_it_becomes_a_call(void **state)
{
	static const char nop10[] = "66 2e 0f 1f 84 00 00 00 00 00";

	(void)state;
	assert_int_equal(judge(&nop10_kernel, nop10, 0xff6).cost, UPM_COST_NOP5);
	assert_false(judge(&nop10_kernel, nop10, 0xff7).probeable);
	assert_false(judge(&new_kernel, nop10, 0xff6).probeable);
}

static void follows_32_bit_rules(void **state)
{
	static const struct encoding table[] = {
		{"push ebp", "55", EMULATED, 1},
		{"inc ecx", "41", STEPPED, 1},
		{"xchg eax, esp", "94", STEPPED, 1},
		{"push es", "06", STEPPED, 1},
		{"pop es", "07", REFUSED, 1},
		{"pop ss", "17", REFUSED, 1},
		{"les", "c4 00", STEPPED, 2},
		{"bound", "62 00", STEPPED, 2},
		{"endbr32", "f3 0f 1e fb", STEPPED, 4},
		{"vzeroupper", "c5 f8 77", HARMFUL, 3},
		{"vpminsw", "c5 f1 ea c2", HARMFUL, 4},
		{"nop5", "0f 1f 44 00 00", EMULATED, 5},
		{"salc", "d6", STEPPED, 1},
		{"int 80", "cd 80", REFUSED, 2},
	};

	(void)state;
	expect_all(&kernel_32, table);
	assert_false(judge(&kernel_32, "0f 1f 44 00 00", 0).nop5);
}

static void follows_arm64_rules(void **state)
{
	static const struct encoding table[] = {
		{"nop", "1f 20 03 d5", EMULATED, 4},
		{"stp x29, x30, [sp, -16]!", "fd 7b bf a9", STEPPED, 4},
		{"bti c", "5f 24 03 d5", STEPPED, 4},
		{"paciasp", "3f 23 03 d5", STEPPED, 4},
		{"wfi", "7f 20 03 d5", REFUSED, 4},
		{"b", "02 00 00 14", EMULATED, 4},
		{"bl", "02 00 00 94", EMULATED, 4},
		{"b.ne", "41 00 00 54", EMULATED, 4},
		{"cbz", "40 00 00 b4", EMULATED, 4},
		{"tbnz", "40 00 00 37", EMULATED, 4},
		{"adrp", "00 00 00 90", EMULATED, 4},
		{"adr", "00 00 00 10", EMULATED, 4},
		{"ret", "c0 03 5f d6", EMULATED, 4},
		{"blr x1", "20 00 3f d6", EMULATED, 4},
		{"retaa", "ff 0b 5f d6", REFUSED, 4},
		{"braaz x0", "1f 08 1f d6", REFUSED, 4},
		{"ldr literal", "40 00 00 58", REFUSED, 4},
		{"ldxr", "00 7c 5f c8", REFUSED, 4},
		{"stlr", "00 fc 9f c8", STEPPED, 4},
		{"brk", "00 00 20 d4", REFUSED, 4},
		{"svc", "01 00 00 d4", REFUSED, 4},
		{"eret", "e0 03 9f d6", REFUSED, 4},
		{"msr tpidr_el0", "40 d0 1b d5", REFUSED, 4},
		{"mrs tpidr_el0", "40 d0 3b d5", STEPPED, 4},
		{"mrs daif", "20 42 3b d5", REFUSED, 4},
		{"dmb ish", "bf 3b 03 d5", STEPPED, 4},
		{"cpyp", "40 04 01 1d", REFUSED, 4},
	};
	const uint8_t half[2] = {0x1f, 0x20};
	struct upm_insn insn;

	(void)state;
	expect_all(&arm64, table);
	assert_false(judge(&arm64, table[0].hex, 2).probeable);
	upm_insn_judge(&arm64, half, sizeof(half), 0, &insn);
	assert_false(insn.probeable);
	assert_int_equal(upm_insn_length(&arm64, half, 2), 0);
	assert_int_equal(upm_insn_length(&arm64, half, 4), 4);
}

static void refuses_code_that_ends_early(void **state)
{
	static const uint8_t call[] = {0xe8, 0x00, 0x00, 0x00, 0x00};
	struct upm_insn insn;

	(void)state;
	for (size_t available = 0; available < sizeof(call); available++) {
		upm_insn_judge(&new_kernel, call, available, 0, &insn);
		assert_false(insn.probeable);
		assert_int_equal(insn.length, 0);
		assert_non_null(insn.reason);
		assert_int_equal(upm_insn_length(&new_kernel, call, available), 0);
	}
	upm_insn_judge(&new_kernel, call, sizeof(call), 0, &insn);
	assert_true(insn.probeable);
	assert_int_equal(upm_insn_length(&new_kernel, call, sizeof(call)), 5);
}

static uint32_t random_state = 7;

/* Random bytes, often with a REX prefix or an opcode of two bytes. */
static void make_up(uint8_t code[UPM_INSN_MAX], int round)
{
	static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};

	for (size_t i = 0; i < UPM_INSN_MAX; i++)
		code[i] = (random_state = random_state * 1664525 + 1013904223) >> 24;
	if (round % 4 == 0)
		code[0] = 0x40 | (code[0] & 0xf);
	if (round % 4 == 1)
		code[0] = 0x0f;
	if (round % 64 == 2)
		memcpy(code, endbr64, sizeof(endbr64));
}

/* With 16 bytes at hand common instructions take a short cut; with 15, none. */
static void finds_the_same_length_both_ways(void **state)
{
	(void)state;
	for (int round = 0; round < 2000000; round++) {
		uint8_t code[UPM_INSN_MAX];
		size_t length;

		make_up(code, round);
		length = upm_insn_length(&new_kernel, code, sizeof(code));
		if (length != upm_insn_length(&new_kernel, code, sizeof(code) - 1))
			fail_msg("%02x %02x %02x %02x: length %zu", code[0], code[1], code[2],
				 code[3], length);
	}
}

static void judges_the_same_both_ways(void **state)
{
	(void)state;
	for (int round = 0; round < 1000000; round++) {
		const struct upm_insn_rules *rules = round & 512 ? &new_kernel : &old_kernel;
		struct upm_insn shortly, in_full;
		uint8_t code[UPM_INSN_MAX];

		make_up(code, round);
		upm_insn_judge(rules, code, sizeof(code), 0, &shortly);
		upm_insn_judge(rules, code, sizeof(code) - 1, 0, &in_full);
		if (memcmp(&shortly, &in_full, sizeof(shortly)) != 0)
			fail_msg("%02x %02x %02x %02x: probeable %d, cost %d, length %d", code[0],
				 code[1], code[2], code[3], shortly.probeable, shortly.cost,
				 shortly.length);
	}
}

static void refuses_architectures_without_rules(void **state)
{
	struct upm_insn_rules rules;
	struct upm_insn insn;
	const uint8_t code[UPM_INSN_MAX] = {0};

	(void)state;
	assert_false(upm_insn_rules_of_kernel(EM_RISCV, 64, &rules));
	upm_insn_judge(&rules, code, sizeof(code), 0, &insn);
	assert_false(insn.probeable);
	assert_non_null(insn.reason);
	assert_int_equal(upm_insn_length(&rules, code, sizeof(code)), 0);
}

/* Whatever the bytes: no read behind the end, and a verdict with its reason or a cost. */
static void judges_anything(void **state)
{
	static const struct upm_insn_rules *const all[] = {&new_kernel, &nop10_kernel, &kernel_32,
							   &arm64};
	uint32_t random = 12345;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		const struct upm_insn_rules *rules = all[round % 4];
		size_t available = round / 4 % (UPM_INSN_MAX + 1);
		uint8_t *code = test_malloc(available);
		struct upm_insn insn;

		for (size_t i = 0; i < available; i++)
			code[i] = (random = random * 1664525 + 1013904223) >> 24;
		upm_insn_judge(rules, code, available, round, &insn);
		assert_true(insn.probeable == !insn.reason);
		assert_true(insn.probeable == (insn.cost != UPM_COST_UNKNOWN));
		assert_true(insn.length <= available);
		test_free(code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(emulates_branches_pushes_and_nops),
		cmocka_unit_test(steps_the_rest),
		cmocka_unit_test(knows_what_hits_more_than_once),
		cmocka_unit_test(refuses_what_the_kernel_refuses),
		cmocka_unit_test(refuses_what_the_kernel_runs_wrongly),
		cmocka_unit_test(knows_which_nops_become_calls),
		cmocka_unit_test(takes_the_ten_byte_nop_where_it_becomes_a_call),
		cmocka_unit_test(follows_32_bit_rules),
		cmocka_unit_test(follows_arm64_rules),
		cmocka_unit_test(refuses_code_that_ends_early),
		cmocka_unit_test(finds_the_same_length_both_ways),
		cmocka_unit_test(judges_the_same_both_ways),
		cmocka_unit_test(refuses_architectures_without_rules),
		cmocka_unit_test(judges_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

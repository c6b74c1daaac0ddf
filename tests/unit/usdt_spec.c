/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* From arguments to what programs read: the engine's lists and libbpf's two layouts. */
#include "support.h"

#include <elf.h>
#include <string.h>

#include "usdt/argument_table.h"
#include "usdt/libbpf_spec.h"

enum { RAX = 80, RBX = 40, RDI = 112, RIP = 128, SITE = 0x1000 };

static bool symbol(void *context, const char *name, size_t length, uint64_t *address)
{
	(void)context;
	(void)length;
	*address = *name == 't' ? (uint64_t)-16 : 0x4000; /* thread@tpoff, others */
	return true;
}

static struct upm_usdt_argument parse(const char *text)
{
	struct upm_usdt_argument arguments[UPM_USDT_ARGUMENTS_MAX];

	assert_int_equal(upm_usdt_arguments(EM_X86_64, text, symbol, NULL, arguments), 1);
	return arguments[0];
}

static struct upm_usdt_position position(bool fixed)
{
	return (struct upm_usdt_position){
		.machine = EM_X86_64, .fixed = fixed, .address = SITE, .thread = 64};
}

static void readings_are_sums(void **state)
{
	enum {
		V = UPM_READ_VALID,
		B = UPM_READ_BASE,
		I = UPM_READ_INDEX,
		T = UPM_READ_THREAD,
		M = UPM_READ_MEMORY,
		S = UPM_READ_SIGNED
	};
	static const struct {
		const char *text;
		bool fixed;
		uint8_t flags, unused, scale;
		uint16_t base, index;
		int64_t value;
	} cases[] = {
		{"-4@$-5", false, V | S, 32, 0, 0, 0, -5},
		{"8@%rax", false, V | B, 0, 0, RAX, 0, 0},
		{"1@%ah", false, V | B, 56, 0, RAX + 1, 0, 0},
		{"-2@-8(%rdi)", false, V | S | B | M, 48, 0, RDI, 0, -8},
		{"4@8(%rdi,%rax,4)", false, V | B | I | M, 32, 2, RDI, RAX, 8},
		{"4@8(,%rax,1)", false, V | B | M, 32, 0, RAX, 0, 8},
		{"4@8(,%rax,4)", false, V | I | M, 32, 2, 0, RAX, 8},
		{"4@sym(%rip)", false, V | B | M, 32, 0, RIP, 0, 0x3000},
		{"4@sym(%rip)", true, V | B | M, 32, 0, RIP, 0, 0x3000},
		{"4@sym(%rax)", true, V | B | M, 32, 0, RAX, 0, 0x4000},
		{"4@sym(%rax)", false, V | B | I | M, 32, 0, RIP, RAX, 0x3000},
		{"4@sym(,%rax,8)", true, V | B | I | M, 32, 3, RIP, RAX, 0x3000},
		{"4@sym(%rbx,%rax,8)", true, V | B | I | M, 32, 3, RBX, RAX, 0x4000},
		{"4@sym(%rbx,%rax,8)", false, 0, 0, 0, 0, 0, 0},
		{"4@%fs:thread@tpoff", false, V | T | M, 32, 0, 0, 64, -16},
		{"8@%xmm0", false, 0, 0, 0, 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct upm_usdt_argument argument = parse(cases[i].text);
		struct upm_usdt_position at = position(cases[i].fixed);
		struct upm_usdt_read read = upm_usdt_reading(&argument, &at);

		if (read.flags != cases[i].flags)
			print_message("%s\n", cases[i].text);
		assert_int_equal(read.flags, cases[i].flags);
		assert_int_equal(read.unused, cases[i].unused);
		assert_int_equal(read.scale, cases[i].scale);
		assert_int_equal(read.base, cases[i].base);
		assert_int_equal(read.index, cases[i].index);
		assert_int_equal(read.value, cases[i].value);
	}
}

static void threads_unknown_are_unreadable(void **state)
{
	struct upm_usdt_argument argument = parse("4@%fs:thread@tpoff");
	struct upm_usdt_position at = position(false);

	(void)state;
	at.thread = 0;
	assert_int_equal(upm_usdt_reading(&argument, &at).flags, 0);
}

static void equal_lists_are_one(void **state)
{
	struct upm_argument_table table;
	struct upm_usdt_position at = position(false), elsewhere = at;
	struct upm_usdt_argument in_register = parse("8@%rax"), variable = parse("4@sym(%rip)");
	uint32_t list;

	(void)state;
	elsewhere.address++;
	upm_argument_table_open(&table);
	assert_int_equal(upm_argument_table_size(&table), 1);
	for (uint32_t round = 0; round < 2; round++) {
		assert_upm_ok(upm_argument_table_add(&table, &at, &in_register, 1, &list));
		assert_int_equal(list, 0);
		assert_upm_ok(upm_argument_table_add(&table, &elsewhere, &in_register, 1, &list));
		assert_int_equal(list, 0);
		assert_upm_ok(upm_argument_table_add(&table, &at, &variable, 1, &list));
		assert_int_equal(list, 1);
		assert_upm_ok(upm_argument_table_add(&table, &elsewhere, &variable, 1, &list));
		assert_int_equal(list, 2);
		assert_upm_ok(upm_argument_table_add(&table, &at, NULL, 0, &list));
		assert_int_equal(list, 3);
	}
	assert_int_equal(upm_argument_table_size(&table), 4);
	upm_argument_table_close(&table);
}

static void interned_items_keep_their_numbers(void **state)
{
	struct upm_intern intern;
	uint32_t number;

	(void)state;
	upm_intern_open(&intern, sizeof(uint64_t));
	for (uint64_t round = 0; round < 2; round++) {
		for (uint64_t i = 0; i < 5000; i++) {
			uint64_t item = i * i;

			assert_true(upm_intern_add(&intern, &item, &number));
			assert_int_equal(number, i);
			assert_memory_equal(upm_intern_item(&intern, number), &item, sizeof(item));
		}
	}
	assert_int_equal(intern.count, 5000);
	upm_intern_close(&intern);
}

static void write_one(const char *text, uint32_t size, uint8_t spec[UPM_LIBBPF_SPEC_MAX])
{
	struct upm_usdt_argument argument = parse(text);
	struct upm_usdt_position at = position(false);

	upm_libbpf_spec_write(spec, size, &at, &argument, 1, 0x1122334455667788);
}

static void layouts_differ_as_they_should(void **state)
{
	static const uint8_t cookie[] = {0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 1, 0};
	static const uint8_t old_memory[] = {0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					     2,	   0,	 0,    0,    RDI,  0,	 1,    48};
	static const uint8_t new_memory[] = {0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,
					     0,	   0,	 0,    0,    0,	   RDI,	 0,    1,    48};
	static const uint8_t new_indexed[] = {8, 0,   0,      0, 0, 0,	 0, 0, 3,
					      0, RAX, 2 << 4, 0, 0, RDI, 0, 0, 32};
	uint8_t spec[UPM_LIBBPF_SPEC_MAX];

	(void)state;
	write_one("-2@-8(%rdi)", UPM_LIBBPF_SPEC_OLD, spec);
	assert_memory_equal(spec, old_memory, sizeof(old_memory));
	assert_memory_equal(spec + 192, cookie, sizeof(cookie));
	write_one("-2@-8(%rdi)", UPM_LIBBPF_SPEC_NEW, spec);
	assert_memory_equal(spec, new_memory, sizeof(new_memory));
	assert_memory_equal(spec + 288, cookie, sizeof(cookie));
	write_one("4@8(%rdi,%rax,4)", UPM_LIBBPF_SPEC_NEW, spec);
	assert_memory_equal(spec, new_indexed, sizeof(new_indexed));
	write_one("4@8(%rdi,%rax,4)", UPM_LIBBPF_SPEC_OLD, spec);
	assert_int_equal(spec[8], 255);
	write_one("4@%fs:thread@tpoff", UPM_LIBBPF_SPEC_NEW, spec);
	assert_int_equal(spec[8], 255);
	assert_false(upm_libbpf_spec_known(0));
	assert_false(upm_libbpf_spec_known(312));
}

static void elements_change_hands(void **state)
{
	static const uint32_t sizes[] = {UPM_LIBBPF_SPEC_OLD, UPM_LIBBPF_SPEC_NEW};
	uint8_t spec[UPM_LIBBPF_SPEC_MAX], before[UPM_LIBBPF_SPEC_MAX];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct upm_usdt_position at = position(false);

		upm_libbpf_spec_write(spec, sizes[i], &at, NULL, 0, 0);
		assert_true(upm_libbpf_spec_free(spec, sizes[i]));
		upm_libbpf_spec_take(spec, sizes[i]); /* also one that is all zero */
		assert_false(upm_libbpf_spec_free(spec, sizes[i]));
		write_one("8@%rax", sizes[i], spec);
		assert_false(upm_libbpf_spec_free(spec, sizes[i]));
		memcpy(before, spec, sizes[i]);
		upm_libbpf_spec_take(spec, sizes[i]);
		upm_libbpf_spec_leave(spec, sizes[i]);
		assert_true(upm_libbpf_spec_free(spec, sizes[i]));
		assert_memory_equal(spec, before, sizes[i] - 6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readings_are_sums),
		cmocka_unit_test(threads_unknown_are_unreadable),
		cmocka_unit_test(equal_lists_are_one),
		cmocka_unit_test(interned_items_keep_their_numbers),
		cmocka_unit_test(layouts_differ_as_they_should),
		cmocka_unit_test(elements_change_hands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

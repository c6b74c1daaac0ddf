/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Items and strings that are kept once, and the hash that nobody outside can foresee. */
#include "support.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/intern.h"

/* CPython's hashes of bytes with PYTHONHASHSEED=0: siphash13 under a key of zeros. */
static void siphash(void **state)
{
	static const struct {
		const char *text;
		uint64_t hash;
	} known[] = {
		{"a", UINT64_C(0x407448d2b89b1813)},
		{"abc", UINT64_C(0xc03bc3a0042630f2)},
		{"abcdefgh", UINT64_C(0x3f7b849c0b8e35ea)},
		{"a name that is longer than sixteen bytes", UINT64_C(0x4de6c8d30bf30614)},
	};
	struct upm_hash_key zero = {{0}};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_int_equal(upm_hash(zero, known[i].text, strlen(known[i].text)),
				 known[i].hash);
}

/* What this program says when it is run with --key. */
static struct upm_hash_key key_of_another_process(void)
{
	struct upm_hash_key key;
	FILE *other = popen("/proc/$PPID/exe --key", "r");

	assert_non_null(other);
	assert_int_equal(fread(&key, sizeof(key), 1, other), 1);
	assert_int_equal(pclose(other), 0);
	return key;
}

static void each_process_has_its_key(void **state)
{
	struct upm_hash_key ours = upm_hash_key(), again = upm_hash_key();
	struct upm_hash_key theirs = key_of_another_process();

	(void)state;
	assert_memory_equal(&ours, &again, sizeof(ours));
	assert_memory_not_equal(&ours, &theirs, sizeof(ours));
}

static void items_have_numbers(void **state)
{
	struct upm_intern intern;
	uint32_t number;

	(void)state;
	upm_intern_open(&intern, sizeof(uint64_t));
	for (int round = 0; round < 2; round++) {
		for (uint64_t i = 0; i < 1000; i++) {
			uint64_t item = i << 40;

			assert_int_equal(upm_intern_has(&intern, &item), round);
			assert_true(upm_intern_add(&intern, &item, &number));
			assert_int_equal(number, i);
		}
	}
	assert_int_equal(intern.count, 1000);
	upm_intern_close(&intern);
	assert_false(upm_intern_has(&intern, &(uint64_t){0}));
	assert_true(upm_intern_add(&intern, &(uint64_t){7}, &number));
	assert_int_equal(number, 0);
	upm_intern_close(&intern);
}

static void strings_are_compared_as_such(void **state)
{
	char twice[2][4] = {"one", "one"};
	struct upm_intern texts;
	bool added;

	(void)state;
	upm_intern_open_texts(&texts);
	assert_true(upm_intern_add_text(&texts, twice[0], &added));
	assert_true(added);
	assert_true(upm_intern_add_text(&texts, twice[1], &added));
	assert_false(added);
	assert_true(upm_intern_add_text(&texts, "on", &added));
	assert_true(added);
	assert_int_equal(texts.count, 2);
	upm_intern_close(&texts);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash),
		cmocka_unit_test(each_process_has_its_key),
		cmocka_unit_test(items_have_numbers),
		cmocka_unit_test(strings_are_compared_as_such),
	};
	struct upm_hash_key key = upm_hash_key();

	if (argc > 1 && strcmp(argv[1], "--key") == 0)
		return fwrite(&key, sizeof(key), 1, stdout) != 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

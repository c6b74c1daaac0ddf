/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "locate/ldso_cache.h"

#define CACHE_MAX (4u << 20)

struct tally {
	size_t entries, native, letters;
	const char *wanted;
	char path[256];
};

static bool count(const struct upm_ldso_entry *entry, void *context)
{
	struct tally *tally = context;

	tally->entries++;
	tally->native += entry->native;
	tally->letters += strlen(entry->name) + strlen(entry->path);
	if (tally->wanted && strcmp(entry->name, tally->wanted) == 0)
		snprintf(tally->path, sizeof(tally->path), "%s", entry->path);
	return true;
}

static char *read_cache(size_t *size)
{
	char *bytes = calloc(1, CACHE_MAX);
	FILE *file = fopen("/etc/ld.so.cache", "re");

	*size = 0;
	if (bytes && file)
		*size = fread(bytes, 1, CACHE_MAX - 1, file);
	if (file)
		fclose(file);
	if (*size == 0) {
		skip_because("this system has no /etc/ld.so.cache");
		abort();
	}
	return bytes;
}

static void reads_the_cache_of_this_machine(void **state)
{
	struct tally tally = {.wanted = "libc.so.6"};
	size_t size;
	char *bytes = read_cache(&size);

	(void)state;
	assert_true(upm_ldso_cache_visit(bytes, size, count, &tally));
	assert_true(tally.native > 0);
	assert_int_equal(access(tally.path, R_OK), 0);
	free(bytes);
}

static void reads_the_new_format_behind_the_old(void **state)
{
	struct tally new_only = {0}, both = {0};
	size_t size, old_size = 16 + 5 * 12, gap = (old_size + 7) & ~(size_t)7;
	char *bytes = read_cache(&size), *joined = calloc(1, gap + size + 1);

	(void)state;
	assert_non_null(joined);
	memcpy(joined, "ld.so-1.7.0", sizeof("ld.so-1.7.0"));
	joined[12] = 5;
	memcpy(joined + gap, bytes, size);
	assert_true(upm_ldso_cache_visit(bytes, size, count, &new_only));
	assert_true(upm_ldso_cache_visit(joined, gap + size, count, &both));
	assert_int_equal(new_only.entries, both.entries);
	assert_int_equal(new_only.letters, both.letters);
	free(joined);
	free(bytes);
}

static bool stop(const struct upm_ldso_entry *entry, void *context)
{
	(void)entry;
	return ++*(int *)context < 3;
}

static void stops_when_told(void **state)
{
	int calls = 0;
	size_t size;
	char *bytes = read_cache(&size);

	(void)state;
	assert_true(upm_ldso_cache_visit(bytes, size, stop, &calls));
	assert_int_equal(calls, 3);
	free(bytes);
}

static void survives_what_is_no_cache(void **state)
{
	static const char *const texts[] = {"",
					    "x",
					    "ld.so-1.7.0",
					    "ld.so-1.7.0\377\377\377\377\377",
					    "glibc-ld.so.cache1.1",
					    "glibc-ld.so.cache9.9"};
	struct tally tally = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(upm_ldso_cache_visit(texts[i], strlen(texts[i]), count, &tally));
	assert_int_equal(tally.entries, 0);
}

static void survives_cuts_and_mutations(void **state)
{
	size_t size;
	char *bytes = read_cache(&size);

	(void)state;
	srand(4);
	for (int i = 0; i < 4000; i++) {
		size_t length = i % 2 ? size : (size_t)rand() % size;
		char *copy = malloc(length + 1); /* exact, for the address sanitizer */
		struct tally tally = {0};

		assert_non_null(copy);
		memcpy(copy, bytes, length);
		copy[length] = '\0';
		for (int hits = rand() % 8; hits > 0 && length; hits--)
			copy[(size_t)rand() % (hits % 2 && length > 400 ? 400 : length)] =
				(char)rand();
		upm_ldso_cache_visit(copy, length, count, &tally);
		free(copy);
	}
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_cache_of_this_machine),
		cmocka_unit_test(reads_the_new_format_behind_the_old),
		cmocka_unit_test(stops_when_told),
		cmocka_unit_test(survives_what_is_no_cache),
		cmocka_unit_test(survives_cuts_and_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

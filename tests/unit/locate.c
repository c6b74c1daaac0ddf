/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Files as this process sees them, and those that a program about to run will map. */
#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf_image.h"
#include "locate/locate.h"

static char directory[] = "/tmp/upm-names-XXXXXX";

static const char *in_directory(const char *name)
{
	static char paths[16][160];
	static unsigned next;
	char *path = paths[next++ % 16];

	snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

static struct upm_locations locate(const char *program, const char *name)
{
	struct upm_locations locations;
	struct upm_locator *locator;

	assert_upm_ok(upm_locator_open(NULL, 0, program, &locator));
	assert_upm_ok(upm_locate(locator, name, &locations));
	upm_locator_close(locator);
	return locations;
}

static bool has(const struct upm_locations *locations, const char *path, int32_t verdict)
{
	for (size_t i = 0; i < locations->list.count; i++) {
		if (strcmp(locations->list.items[i].path, path) == 0)
			return locations->list.items[i].verdict == verdict;
	}
	return false;
}

static void expect_paths(const char *program, const char *name, const char *const *paths,
			 size_t count)
{
	struct upm_locations found = locate(program, name);

	for (size_t i = 0; i < count; i++) {
		if (!has(&found, paths[i], UPM_VERDICT_OK))
			fail_msg("%s does not give %s", name, paths[i]);
	}
	assert_int_equal(found.list.count, count);
	upm_locations_clear(&found);
}

static void expect_path(const char *program, const char *name, const char *path)
{
	expect_paths(program, name, &path, 1);
}

static void expect_failure(const char *name, int32_t verdict, const char *reason)
{
	struct upm_locations found = locate(NULL, name);

	assert_int_equal(found.list.count, 1);
	assert_int_equal(found.list.items[0].verdict, verdict);
	if (!strstr(found.list.items[0].reason, reason))
		fail_msg("%s: \"%s\" lacks \"%s\"", name, found.list.items[0].reason, reason);
	upm_locations_clear(&found);
}

struct entry {
	uint64_t tag;
	const char *text;
};

/* A library that says no more than what it needs. */
static void make_elf(const char *path, unsigned bits, const struct entry *entries, size_t count)
{
	struct image *image = image_new(bits, false);
	uint8_t dynamic[16 * 16] = {0};
	char strings[512] = "";
	size_t at = 1, word = bits / 8, i;
	uint64_t strings_at;

	for (i = 0; i < count; i++) {
		image_put(image, dynamic + 2 * word * i, entries[i].tag, word);
		image_put(image, dynamic + 2 * word * i + word, at, word);
		strcpy(strings + at, entries[i].text);
		at += strlen(entries[i].text) + 1;
	}
	strings_at = image_append(image, strings, at);
	image_put(image, dynamic + 2 * word * i, DT_STRTAB, word);
	image_put(image, dynamic + 2 * word * i++ + word, IMAGE_BASE + strings_at, word);
	image_put(image, dynamic + 2 * word * i, DT_STRSZ, word);
	image_put(image, dynamic + 2 * word * i++ + word, at, word);
	image->dynamic = image_append(image, dynamic, sizeof(dynamic));
	image->dynamic_size = sizeof(dynamic);
	image_finish(image);
	bytes_to_file(image->bytes, image->size, path);
	assert_int_equal(chmod(path, 0755), 0);
	free(image);
}

static void make_plain(const char *path)
{
	make_elf(path, 64, NULL, 0);
}

static void finds_paths_and_globs(void **state)
{
	char one[160], two[160];
	const char *both[] = {one, two};

	(void)state;
	snprintf(one, sizeof(one), "%s/bin/one", directory);
	snprintf(two, sizeof(two), "%s/bin/two", directory);
	make_plain(both[0]);
	make_plain(both[1]);
	bytes_to_file("#!/bin/sh\n", 10, in_directory("bin/script"));
	expect_path(NULL, both[0], both[0]);
	expect_paths(NULL, in_directory("bin/*"), both, 2);
	expect_paths(NULL, in_directory("b?n/[ot]*"), both, 2);
	expect_failure(in_directory("bin/s*"), UPM_VERDICT_NO_MATCH, "none is an ELF file");
	expect_failure(in_directory("bin/x*"), UPM_VERDICT_NO_MATCH, "no file matches");
	expect_failure(in_directory("bin/x"), UPM_VERDICT_UNREADABLE, "No such file");
	expect_failure(in_directory("bin/script"), UPM_VERDICT_UNREADABLE, "script");
	expect_failure(in_directory("bin"), UPM_VERDICT_UNREADABLE, "directory");
	/* A second name of a file is not a second file. */
	assert_int_equal(link(both[0], in_directory("bin/zero")), 0);
	expect_paths(NULL, in_directory("bin/*"), both, 2);
}

static void finds_commands_and_libraries(void **state)
{
	const char *set = getenv("PATH");
	char *saved = strdup(set ? set : "");

	(void)state;
	make_plain(in_directory("bin/command"));
	make_plain(in_directory("lib/libown.so.1"));
	setenv("PATH", in_directory("bin"), 1);
	setenv("LD_LIBRARY_PATH", in_directory("lib"), 1);
	expect_path(NULL, "command", in_directory("bin/command"));
	expect_path(NULL, "comm*d", in_directory("bin/command"));
	expect_path(NULL, "libown.so.1", in_directory("lib/libown.so.1"));
	expect_path(NULL, "libown*", in_directory("lib/libown.so.1"));
	expect_failure("libown.so.2", UPM_VERDICT_NO_MATCH, "ld.so.cache");
	unsetenv("LD_LIBRARY_PATH");
	expect_failure("libown.so.1", UPM_VERDICT_NO_MATCH, "LD_LIBRARY_PATH");
	setenv("PATH", saved, 1);
	free(saved);
}

static void takes_the_cache_before_other_directories(void **state)
{
	struct upm_locations found = locate(NULL, "libc.so.6");

	(void)state;
	assert_int_equal(found.list.count, 1);
	assert_int_equal(found.list.items[0].verdict, UPM_VERDICT_OK);
	assert_int_equal(found.list.items[0].binary->bits, 8 * sizeof(void *));
	upm_locations_clear(&found);
}

static void passes_over_the_other_class(void **state)
{
	char both[400];

	(void)state;
	make_elf(in_directory("lib/libwide.so"), 32, NULL, 0);
	make_plain(in_directory("lib/sub/libwide.so"));
	setenv("LD_LIBRARY_PATH", in_directory("lib"), 1);
	expect_path(NULL, "libwide.so", in_directory("lib/libwide.so"));
	snprintf(both, sizeof(both), "%s:%s", in_directory("lib"), in_directory("lib/sub"));
	setenv("LD_LIBRARY_PATH", both, 1);
	expect_path(NULL, "libwide.so", in_directory("lib/sub/libwide.so"));
	unsetenv("LD_LIBRARY_PATH");
}

static void follows_what_a_program_needs(void **state)
{
	const struct entry program[] = {{DT_NEEDED, "liba.so"},
					{DT_NEEDED, "libmissing.so"},
					{DT_RUNPATH, "/nowhere:$ORIGIN/../lib"}};
	const struct entry a[] = {{DT_NEEDED, "libb.so"},
				  {DT_RPATH, "$NOTHING/x:${ORIGIN}/sub"},
				  {DT_SONAME, "liba.so"}};
	const struct entry b[] = {{DT_NEEDED, "liba.so"}, {DT_SONAME, "libother.so"}};
	struct upm_locations all;
	char b_path[200];

	(void)state;
	make_elf(in_directory("bin/program"), 64, program, 3);
	make_elf(in_directory("lib/liba.so"), 64, a, 3);
	make_elf(in_directory("lib/sub/libb.so"), 64, b, 2);
	all = locate(in_directory("bin/program"), "*");
	assert_true(has(&all, in_directory("bin/program"), UPM_VERDICT_OK));
	assert_true(has(&all, in_directory("bin/../lib/liba.so"), UPM_VERDICT_OK));
	snprintf(b_path, sizeof(b_path), "%s/bin/../lib/sub/libb.so", directory);
	assert_true(has(&all, b_path, UPM_VERDICT_OK));
	assert_true(has(&all, "libmissing.so", UPM_VERDICT_UNREADABLE));
	assert_int_equal(all.list.count, 4);
	upm_locations_clear(&all);
	expect_path(in_directory("bin/program"), "libother.so", b_path);
	expect_path(in_directory("bin/program"), "libb*", b_path);
	expect_failure("*", UPM_VERDICT_NO_MATCH, "-p PID");
}

static void follows_a_real_program(void **state)
{
	struct upm_locations all = locate("sh", "*"), script;
	char *real = realpath("/bin/sh", NULL);
	bool libc = false;

	(void)state;
	assert_true(has(&all, real, UPM_VERDICT_OK));
	for (size_t i = 0; i < all.list.count; i++) {
		assert_int_equal(all.list.items[i].verdict, UPM_VERDICT_OK);
		libc |= strstr(all.list.items[i].path, "/libc.so") != NULL;
	}
	assert_true(libc);
	assert_true(all.list.count >= 3); /* itself, its interpreter, libc */
	bytes_to_file("#! /bin/sh -e\n", 14, in_directory("bin/script"));
	chmod(in_directory("bin/script"), 0755);
	script = locate(in_directory("bin/script"), "*");
	assert_int_equal(script.list.count, all.list.count);
	upm_locations_clear(&script);
	upm_locations_clear(&all);
	script = locate(in_directory("bin/none"), "*");
	assert_true(has(&script, in_directory("bin/none"), UPM_VERDICT_UNREADABLE));
	upm_locations_clear(&script);
	free(real);
}

static void counts_preloaded_libraries(void **state)
{
	struct upm_locations all;

	(void)state;
	make_plain(in_directory("lib/libearly.so"));
	setenv("LD_PRELOAD", in_directory("lib/libearly.so"), 1);
	all = locate("/bin/sh", "*");
	unsetenv("LD_PRELOAD");
	assert_true(has(&all, in_directory("lib/libearly.so"), UPM_VERDICT_OK));
	upm_locations_clear(&all);
}

static int make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) && !mkdir(in_directory("bin"), 0755) &&
			       !mkdir(in_directory("lib"), 0755) &&
			       !mkdir(in_directory("lib/sub"), 0755)
		       ? 0
		       : -1;
}

static int remove_directory(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_paths_and_globs),
		cmocka_unit_test(finds_commands_and_libraries),
		cmocka_unit_test(takes_the_cache_before_other_directories),
		cmocka_unit_test(passes_over_the_other_class),
		cmocka_unit_test(follows_what_a_program_needs),
		cmocka_unit_test(follows_a_real_program),
		cmocka_unit_test(counts_preloaded_libraries),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}

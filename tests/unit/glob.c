/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Patterns of paths: what the C library's glob() finds, and nothing outside a view's root. */
#include "support.h"

#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "locate/view.h"

static char directory[] = "/tmp/upm-glob-XXXXXX";
static const struct upm_view ours = {.root = -1};

/* Each is tried as it is, and below the absolute path of the directory. */
static const char *const patterns[] = {
	"*",	       "*/",	     "**",	    "?",	  "a*",		"[ab]*",
	"[!a]*",       ".*",	     ".h*",	    "*/.*",	  "*/*",	"*/*/*",
	"*/*/*/*",     "a/*",	     "//a//*",	    "a/../a/*",	  "*/../b/*",	"./*/one",
	"*/one",       "*/none",     "*/deep/",	    "*/deep/../", "one/*",	"none/*",
	"x\\*y",       "x\\*[y]",    "\\a/*",	    "x[*]y",	  "[",		"open[*",
	"open\\[*",    "a/[o-z]*",   "*/lo*p/*",    "dangling*",  "dangling*/", "*dangling",
	"a/link*/one", "*\xc3\xa4*", "[[:alpha:]]", "",
};

static void touch(const char *name)
{
	int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	close(fd);
}

static int make_tree(void **state)
{
	static const char *const directories[] = {"a", "b", "a/deep", ".hidden"};
	static const char *const files[] = {"one",	  ".hide", "x*y",      "xzy",	"[",
					    "open[1",	  "B",	   "a/one",    "a/two", "b/one",
					    "a/deep/one", "b/.in", "Z\xc3\xa4"};
	static const char *const links[][2] = {{"/nowhere", "dangling"},
					       {".", "a/loop"},
					       {"../b", "a/link"},
					       {"/b", "a/link-of-root"},
					       {"../../../../../../../../etc", "out"},
					       {"/etc", "absolute"}};

	(void)state;
	if (!mkdtemp(directory) || chdir(directory))
		return -1;
	for (size_t i = 0; i < sizeof(directories) / sizeof(*directories); i++)
		assert_int_equal(mkdir(directories[i], 0755), 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		touch(files[i]);
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		assert_int_equal(symlink(links[i][0], links[i][1]), 0);
	return 0;
}

static int remove_tree(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return chdir("/") || system(command);
}

static void expect_as_glob(const char *pattern)
{
	struct upm_paths found;
	glob_t theirs;
	bool matches = glob(pattern, 0, NULL, &theirs) == 0;
	size_t count = matches ? theirs.gl_pathc : 0;

	assert_upm_ok(upm_view_glob(&ours, pattern, &found));
	for (size_t i = 0; i < count && i < found.list.count; i++)
		if (strcmp(found.list.items[i], theirs.gl_pathv[i]) != 0)
			fail_msg("%s: %s, where glob() has %s", pattern, found.list.items[i],
				 theirs.gl_pathv[i]);
	if (found.list.count != count)
		fail_msg("%s: %zu paths, where glob() has %zu", pattern, found.list.count, count);
	upm_paths_clear(&found);
	if (matches)
		globfree(&theirs);
}

static void finds_what_glob_finds(void **state)
{
	char below[128];

	(void)state;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		snprintf(below, sizeof(below), "%s/%s", directory, patterns[i]);
		expect_as_glob(below);
		if (*patterns[i] != '/')
			expect_as_glob(patterns[i]);
	}
	expect_as_glob("/*");
	expect_as_glob("/tm[p]/upm-glob-*/a/*");
	expect_as_glob("/proc/self/fd/0*");
}

static void expect_in_root(const char *pattern, const char *const *paths, size_t count)
{
	struct upm_view inside = {.pid = 1, .root = open(directory, O_PATH | O_CLOEXEC)};
	struct upm_paths found;

	assert_true(inside.root >= 0);
	assert_upm_ok(upm_view_glob(&inside, pattern, &found));
	upm_view_close(&inside);
	if (found.list.count != count)
		fail_msg("%s: %zu paths, not %zu", pattern, found.list.count, count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(found.list.items[i], paths[i]);
	upm_paths_clear(&found);
}

static void stays_in_its_root(void **state)
{
	const char *one[] = {"/a/one", "/b/one"}, *links[] = {"/a/link-of-root/one", "/a/link/one"};

	(void)state;
	expect_in_root("/*/one", one, 2);
	expect_in_root("/*/one/", NULL, 0);
	expect_in_root("/../../*/one", (const char *[]){"/../../a/one", "/../../b/one"}, 2);
	expect_in_root("/a/link*/one", links, 2);
	expect_in_root("/out/*", NULL, 0);
	expect_in_root("/abs*/*", NULL, 0);
	expect_in_root("/o*t/hostname", NULL, 0);
	expect_in_root("/a/link*", (const char *[]){"/a/link", "/a/link-of-root"}, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_glob_finds),
		cmocka_unit_test(stays_in_its_root),
	};

	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* How the attach grows: from one probe to a million in one file, and over 200 files. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "floor.h"

#define ROUNDS 11
#define ROUNDS_LARGE 5
#define LARGE 100000
#define MOST_FILES 200

/* ---- probes in one file */

static double compare_size(size_t probes)
{
	char name[32], what[64], detach_name[32], detach_what[64], spec[4200];
	struct comparison attach = {.name = name, .what = what};
	struct comparison detach = {.name = detach_name, .what = detach_what};
	int rounds = probes < LARGE ? ROUNDS : ROUNDS_LARGE;

	snprintf(name, sizeof(name), "grow_%zu", probes);
	snprintf(what, sizeof(what), "attach %zu in one file, first time", probes);
	snprintf(detach_name, sizeof(detach_name), "grow_let_go_%zu", probes);
	snprintf(detach_what, sizeof(detach_what), "let go of %zu in one file", probes);
	snprintf(spec, sizeof(spec), "%s:*", generated_path(probes));
	compare_with_floor(
		&(struct attach_case){spec, UPM_RESOLVE_NO_INDEX, rounds, &attach, &detach});
	return samples_ratio(&attach.ours, &attach.base);
}

/* ---- probes in many files */

static void copy_file(const char *from, const char *to)
{
	char command[9000];

	snprintf(command, sizeof(command), "cp '%s' '%s'", from, to);
	need_errno(system(command) ? -1 : 0, "copy a library");
}

static void make_copies(const char *folder, size_t files)
{
	char path[64];

	for (size_t i = 0; i < files; i++) {
		snprintf(path, sizeof(path), "%s/lib%03zu.so", folder, i);
		copy_file(generated_path(100), path);
	}
}

static void remove_copies(const char *folder, size_t files)
{
	char path[64];

	for (size_t i = 0; i < files; i++) {
		snprintf(path, sizeof(path), "%s/lib%03zu.so", folder, i);
		unlink(path);
	}
	rmdir(folder);
}

static void compare_files(size_t files)
{
	char folder[] = "/tmp/upm-bench-XXXXXX", name[32], what[64], detach_name[32];
	char detach_what[64], spec[64];
	struct comparison attach = {.name = name, .what = what};
	struct comparison detach = {.name = detach_name, .what = detach_what};

	need_errno(mkdtemp(folder) ? 0 : -1, "make a folder");
	make_copies(folder, files);
	snprintf(name, sizeof(name), "files_%zu", files);
	snprintf(what, sizeof(what), "attach 100 in each of %zu files", files);
	snprintf(detach_name, sizeof(detach_name), "files_let_go_%zu", files);
	snprintf(detach_what, sizeof(detach_what), "let go of %zu links", files);
	snprintf(spec, sizeof(spec), "%s/*.so:*", folder);
	compare_with_floor(&(struct attach_case){spec, 0, ROUNDS_LARGE, &attach, &detach});
	remove_copies(folder, files);
}

void bench_growth(void)
{
	const size_t sizes[] = {1, 100, 10000};
	double hundred_thousand, million;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		compare_size(sizes[i]);
	hundred_thousand = compare_size(LARGE);
	million = compare_size(1000000);
	report_number("grow_beyond_floor",
		      "time a probe beyond the floor's growth, 1,000,000 to 100,000",
		      million / hundred_thousand, "(goal: at most 1.2)");
	compare_files(1);
	compare_files(10);
	compare_files(MOST_FILES);
}

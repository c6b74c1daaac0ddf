/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "ten_target.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

typedef void (*const table)(void);

static char directory[] = "/tmp/upm-paths-XXXXXX";
static void *libraries[TEN_MOST];

const char *ten_path(size_t file, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/libten-%04zu.so", directory, file);
	return path;
}

static void ten_copy(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC),
	    out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	struct stat facts;

	assert_int_equal(fstat(in, &facts), 0);
	assert_int_equal(copy_file_range(in, NULL, out, NULL, (size_t)facts.st_size, 0),
			 facts.st_size);
	close(in);
	close(out);
}

void ten_restore(size_t file)
{
	char path[PATH_MAX];

	ten_copy(test_build_path("target/libten.so"), ten_path(file, path));
}

int ten_make(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	for (size_t i = 0; i < TEN_MOST; i++)
		ten_restore(i);
	return 0;
}

int ten_remove(void **state)
{
	char path[PATH_MAX];

	(void)state;
	for (size_t i = 0; i < TEN_MOST; i++)
		unlink(ten_path(i, path));
	return rmdir(directory);
}

bool has_paths(void)
{
	struct upm_features features = {.size = sizeof(features)};

	assert_upm_ok(upm_check(&features));
	return features.paths == UPM_YES;
}

struct upm_probe_set *ten_resolve(size_t files, const char *kind)
{
	char specs[TEN_MOST][PATH_MAX + 32], path[PATH_MAX];
	const char *list[TEN_MOST];
	struct upm_probe_set *set;

	for (size_t i = 0; i < files; i++) {
		snprintf(specs[i], sizeof(specs[i]), "%s:%s:ten_?", kind, ten_path(i, path));
		list[i] = specs[i];
	}
	assert_upm_ok(upm_resolve(list, files, NULL, &set));
	assert_int_equal(upm_probe_set_count_verdict(set, UPM_VERDICT_OK), files * TEN_FUNCTIONS);
	return set;
}

void ten_load(size_t files)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < files; i++) {
		libraries[i] = dlopen(ten_path(i, path), RTLD_NOW | RTLD_LOCAL);
		assert_non_null(libraries[i]);
	}
}

void ten_unload(size_t files)
{
	for (size_t i = 0; i < files; i++)
		dlclose(libraries[i]);
}

/* Each function of file number i is called so often. */
static uint64_t ten_calls(size_t file, size_t function)
{
	return 1 + (file * 7 + function) % 3;
}

void ten_call(size_t files)
{
	for (size_t i = 0; i < files; i++) {
		table *functions = dlsym(libraries[i], "ten_table");

		for (size_t j = 0; j < TEN_FUNCTIONS; j++)
			for (uint64_t left = ten_calls(i, j); left > 0; left--)
				functions[j]();
	}
}

/* Files and functions come in the order of the specs and of the offsets. */
void ten_assert_hits(const struct upm_observer *observer, size_t files)
{
	uint64_t *hits = calloc(files * TEN_FUNCTIONS, sizeof(*hits));

	assert_non_null(hits);
	assert_upm_ok(upm_observer_hits(observer, hits, files * TEN_FUNCTIONS));
	for (size_t i = 0; i < files * TEN_FUNCTIONS; i++)
		assert_int_equal(hits[i], ten_calls(i / TEN_FUNCTIONS, i % TEN_FUNCTIONS));
	free(hits);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "stack/jit.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/regular.h"
#include "locate/process.h"

/* More is not read: whoever wrote the file need not mean well. */
#define FILE_LIMIT ((uint64_t)64 << 20)
enum { MOST_FUNCTIONS = 1 << 20 };

enum { LOOK_BACK = 64 }; /* functions that may overlap an address from below */

/* Its number in its own PID namespace, which is the one in the name. */
static int32_t own_id(int32_t thread)
{
	char path[64], line[256];
	int32_t id = thread;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%" PRId32 "/status", thread);
	status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status)) {
		const char *last = strrchr(line, '\t');

		if (strncmp(line, "NStgid:", 7) == 0 && last)
			id = (int32_t)strtol(last, NULL, 10);
	}
	if (status)
		fclose(status);
	return id;
}

static int open_in_root(int32_t thread, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS,
	};
	char root_path[64];
	int root, fd;

	snprintf(root_path, sizeof(root_path), "/proc/%" PRId32 "/root", thread);
	root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -1;
	fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	close(root);
	return upm_regular_reopen(fd);
}

static bool is_trusted(int fd, int32_t thread, struct stat *facts)
{
	struct stat process;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%" PRId32, thread);
	return fstat(fd, facts) == 0 && stat(path, &process) == 0 && S_ISREG(facts->st_mode) &&
	       (facts->st_uid == 0 || facts->st_uid == process.st_uid) &&
	       (uint64_t)facts->st_size <= FILE_LIMIT;
}

static bool take_line(struct upm_jit *jit, char *line)
{
	struct upm_jit_function function = {.order = (uint32_t)jit->functions.count};
	int at = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%" SCNx64 " %" SCNx64 " %n", &function.start, &function.size, &at) < 2 ||
	    !at || !line[at] || !function.size)
		return true;
	function.name = jit->functions.count < MOST_FUNCTIONS
				? upm_strings_add(jit->names, line + at)
				: NULL;
	return function.name && upm_vector_push(&jit->functions, function);
}

/* A last line that is not whole yet is left for the next time. The file may grow meanwhile. */
static void take_lines(struct upm_jit *jit, FILE *file)
{
	size_t capacity = 0;
	char *line = NULL;
	ssize_t length;
	bool room = true;

	while (room && jit->read < FILE_LIMIT && (length = getline(&line, &capacity, file)) > 0 &&
	       line[length - 1] == '\n') {
		room = take_line(jit, line);
		jit->read += (uint64_t)length;
	}
	free(line);
}

static int by_start(const void *left, const void *right)
{
	const struct upm_jit_function *a = left, *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

void upm_jit_read(struct upm_jit *jit, FILE *file)
{
	if (fseeko(file, (off_t)jit->read, SEEK_SET) == 0)
		take_lines(jit, file);
	if (jit->functions.count)
		qsort(jit->functions.items, jit->functions.count, sizeof(*jit->functions.items),
		      by_start);
}

static void read_on(struct upm_jit *jit, int fd)
{
	FILE *file = fdopen(fd, "re");

	if (file) {
		upm_jit_read(jit, file);
		fclose(file);
	} else {
		close(fd);
	}
}

void upm_jit_update(struct upm_jit *jit, int32_t pid)
{
	int32_t thread = upm_process_living_thread(pid);
	struct stat facts;
	int fd;

	if (!jit->names)
		jit->names = upm_strings_new();
	if (!jit->names || !thread)
		return;
	if (!jit->path[0])
		snprintf(jit->path, sizeof(jit->path), "/tmp/perf-%" PRId32 ".map", own_id(thread));
	fd = open_in_root(thread, jit->path);
	if (fd < 0)
		return;
	if (!is_trusted(fd, thread, &facts) ||
	    (facts.st_ino == jit->inode && (uint64_t)facts.st_size == jit->read)) {
		close(fd);
		return;
	}
	if (facts.st_ino != jit->inode || (uint64_t)facts.st_size < jit->read) {
		jit->functions.count = 0;
		jit->read = 0;
		jit->inode = facts.st_ino;
	}
	read_on(jit, fd);
}

const struct upm_jit_function *upm_jit_find(const struct upm_jit *jit, uint64_t address)
{
	const struct upm_jit_function *functions = jit->functions.items, *found = NULL;
	size_t low = 0, high = jit->functions.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (functions[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = low; i > 0 && low - i < LOOK_BACK; i--)
		if (address - functions[i - 1].start < functions[i - 1].size &&
		    (!found || functions[i - 1].order > found->order))
			found = &functions[i - 1];
	return found;
}

void upm_jit_close(struct upm_jit *jit)
{
	upm_vector_clear(&jit->functions);
	upm_strings_unref(jit->names);
}

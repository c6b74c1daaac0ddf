/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What glob(3) would find, in a view: not every C library's glob(3) can be told how to
 * open a directory. A pattern is taken part by part, each with the slashes behind it;
 * all paths found so far are one level, from which a part makes the next one.
 */
#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "locate/locator.h"
#include "locate/view.h"

struct part {
	char *name;
	const char *slashes;
	int slash_count;
};

static bool is_pattern(const struct part *part)
{
	return strpbrk(part->name, "*?[\\") != NULL;
}

/* @return what follows the part, or NULL when out of memory */
static const char *next_part(const char *pattern, struct part *part)
{
	part->slashes = pattern + strcspn(pattern, "/");
	part->slash_count = (int)strspn(part->slashes, "/");
	part->name = strndup(pattern, part->slashes - pattern);
	return part->name ? part->slashes + part->slash_count : NULL;
}

static bool add(const char *directory, const char *name, const struct part *part,
		struct upm_paths *to)
{
	char *path;

	if (asprintf(&path, "%s%s%.*s", directory, name, part->slash_count, part->slashes) < 0)
		return false;
	if (upm_vector_push(&to->list, path))
		return true;
	free(path);
	return false;
}

static DIR *open_directory(const struct upm_view *view, const char *path)
{
	int fd = upm_view_try_flags(view, *path ? path : ".", O_RDONLY | O_DIRECTORY);
	DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;

	if (fd >= 0 && !stream)
		close(fd);
	return stream;
}

static bool add_matches(const struct upm_view *view, const char *directory, const struct part *part,
			struct upm_paths *to)
{
	DIR *stream = open_directory(view, directory);
	struct dirent *entry;
	bool enough = true;

	if (!stream)
		return true;
	while (enough && (entry = readdir(stream)))
		if (fnmatch(part->name, entry->d_name, FNM_PERIOD) == 0)
			enough = add(directory, entry->d_name, part, to);
	closedir(stream);
	return enough;
}

static bool add_level(const struct upm_view *view, const struct upm_paths *from,
		      const struct part *part, struct upm_paths *to)
{
	bool enough = true;

	for (size_t i = 0; i < from->list.count && enough; i++)
		enough = is_pattern(part) ? add_matches(view, from->list.items[i], part, to)
					  : add(from->list.items[i], part->name, part, to);
	return enough;
}

static bool apply(const struct upm_view *view, const struct part *part, struct upm_paths *paths)
{
	struct upm_paths next = {{0}};
	bool enough = add_level(view, paths, part, &next);

	upm_paths_clear(paths);
	*paths = next;
	return enough;
}

static bool expand(const struct upm_view *view, const char *pattern, struct upm_paths *paths)
{
	struct part part = {.slashes = ""};

	if (!add("", "", &part, paths))
		return false;
	while (*pattern) {
		bool enough;

		pattern = next_part(pattern, &part);
		enough = pattern && apply(view, &part, paths);
		free(part.name);
		if (!enough)
			return false;
	}
	return true;
}

/* A part without a pattern, and a slash, was only put behind what was found. */
static void keep_existing(const struct upm_view *view, struct upm_paths *paths)
{
	size_t kept = 0;

	for (size_t i = 0; i < paths->list.count; i++) {
		int fd = upm_view_try_flags(view, paths->list.items[i], O_PATH | O_NOFOLLOW);

		if (fd >= 0) {
			close(fd);
			paths->list.items[kept++] = paths->list.items[i];
		} else {
			free(paths->list.items[i]);
		}
	}
	paths->list.count = kept;
}

static int by_name(const void *a, const void *b)
{
	return strcoll(*(char *const *)a, *(char *const *)b);
}

int upm_view_glob(const struct upm_view *view, const char *pattern, struct upm_paths *paths)
{
	*paths = (struct upm_paths){{0}};
	if (!expand(view, pattern, paths)) {
		upm_paths_clear(paths);
		return upm_fail_memory(UPM_LOCATE);
	}
	keep_existing(view, paths);
	if (paths->list.count)
		qsort(paths->list.items, paths->list.count, sizeof(*paths->list.items), by_name);
	return UPM_OK;
}

void upm_paths_clear(struct upm_paths *paths)
{
	for (size_t i = 0; i < paths->list.count; i++)
		free(paths->list.items[i]);
	upm_vector_clear(&paths->list);
}

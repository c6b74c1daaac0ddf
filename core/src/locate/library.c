/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "locate/library.h"

#include <fnmatch.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "binary/dynamic.h"
#include "locate/ldso_cache.h"
#include "locate/locator.h"

#define CACHE_MAX (64u << 20)

#if defined(__x86_64__)
#define MULTIARCH "x86_64-linux-gnu"
#elif defined(__aarch64__)
#define MULTIARCH "aarch64-linux-gnu"
#else
#define MULTIARCH "linux-gnu"
#endif

static const char default_directories[] =
	"/lib/" MULTIARCH ":/usr/lib/" MULTIARCH ":/lib64:/usr/lib64:/lib:/usr/lib:/usr/local/lib";

struct upm_library_search {
	const struct upm_view *view;
	char *library_path; /* LD_LIBRARY_PATH; NULL = not set */
	char *cache;
	size_t cache_size;
};

/* One question: a name, and what becomes of the answers. */
struct question {
	const struct upm_view *view;
	const char *name;
	bool glob;
	bool any_class; /* take 32-bit files too */
	upm_library_fn visit;
	void *context;
	size_t found;
	int status;
};

int upm_library_search_new(const struct upm_view *view, struct upm_library_search **out)
{
	struct upm_library_search *search = calloc(1, sizeof(*search));

	if (!search)
		return upm_fail_memory(UPM_LOCATE);
	search->view = view;
	search->library_path = upm_view_environment(view, "LD_LIBRARY_PATH");
	search->cache = upm_view_read(view, "/etc/ld.so.cache", CACHE_MAX, &search->cache_size);
	*out = search;
	return UPM_OK;
}

void upm_library_search_free(struct upm_library_search *search)
{
	if (!search)
		return;
	free(search->library_path);
	free(search->cache);
	free(search);
}

/* The loader passes over files of another class, and so does a search until nothing else is left.
 */
static bool is_usable(int fd, bool any_class)
{
	unsigned char ident[5];
	struct stat facts;

	return fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) &&
	       pread(fd, ident, sizeof(ident), 0) == sizeof(ident) &&
	       memcmp(ident, "\177ELF", 4) == 0 && (any_class || ident[4] == sizeof(void *) / 4);
}

static void try_file(struct question *question, const char *path)
{
	int fd = upm_view_try(question->view, path);

	if (fd < 0)
		return;
	if (!is_usable(fd, question->any_class)) {
		close(fd);
		return;
	}
	question->found++;
	question->status = question->visit(fd, path, question->context);
}

static void try_directory(struct question *question, const char *directory)
{
	char path[PATH_MAX];
	struct upm_paths matches;

	if (snprintf(path, sizeof(path), "%s/%s", directory, question->name) >= (int)sizeof(path))
		return;
	if (!question->glob) {
		try_file(question, path);
		return;
	}
	question->status = upm_view_glob(question->view, path, &matches);
	for (size_t i = 0; i < matches.list.count && !question->status; i++)
		try_file(question, matches.list.items[i]);
	upm_paths_clear(&matches);
}

static bool is_answered(const struct question *question)
{
	return question->status || (question->found && !question->glob);
}

/* Replace $ORIGIN; a directory with another variable is none that we know. */
static bool expand(const char *text, size_t length, const char *origin, char *to, size_t size)
{
	static const char *const names[] = {"${ORIGIN}", "$ORIGIN"};
	size_t at = 0;

	for (size_t i = 0; i < length;) {
		size_t skip = 0;

		for (size_t n = 0; n < 2 && !skip; n++) {
			if (length - i >= strlen(names[n]) &&
			    strncmp(text + i, names[n], strlen(names[n])) == 0)
				skip = strlen(names[n]);
		}
		if (!skip && text[i] == '$')
			return false;
		at += skip ? (size_t)snprintf(to + at, size - at, "%s", origin) : 1;
		if (at >= size)
			return false;
		if (!skip)
			to[at - 1] = text[i];
		i += skip ? skip : 1;
	}
	to[at] = '\0';
	return at > 0;
}

/* @param list  directories with ':' or ';' between; NULL = none */
static void try_directories(struct question *question, const char *list, const char *origin)
{
	char directory[PATH_MAX];

	while (list && *list && !is_answered(question)) {
		size_t length = strcspn(list, ":;");

		if (expand(list, length, origin, directory, sizeof(directory)))
			try_directory(question, directory);
		list += length;
		list += *list != '\0';
	}
}

struct cache_walk {
	struct question *question;
	bool native;
};

static bool try_entry(const struct upm_ldso_entry *entry, void *context)
{
	struct cache_walk *walk = context;
	struct question *question = walk->question;

	if (entry->native == walk->native &&
	    (question->glob ? fnmatch(question->name, entry->name, 0) == 0
			    : strcmp(question->name, entry->name) == 0))
		try_file(question, entry->path);
	return !question->status;
}

static void try_cache(struct question *question, const struct upm_library_search *search)
{
	struct cache_walk walk = {question, !question->any_class};

	if (search->cache)
		upm_ldso_cache_visit(search->cache, search->cache_size, try_entry, &walk);
}

struct run_paths {
	char *rpath, *runpath, *origin;
};

static void read_run_paths(const struct upm_binary *needer, struct run_paths *paths)
{
	struct upm_dynamic dynamic;
	char real[PATH_MAX];

	memset(paths, 0, sizeof(*paths));
	if (!needer || upm_dynamic_read(needer, &dynamic))
		return;
	if (dynamic.has_runpath)
		paths->runpath = upm_dynamic_string(needer, &dynamic, dynamic.runpath);
	else if (dynamic.has_rpath)
		paths->rpath = upm_dynamic_string(needer, &dynamic, dynamic.rpath);
	upm_dynamic_clear(&dynamic);
	snprintf(real, sizeof(real), "%s", needer->path);
	paths->origin = strdup(dirname(real));
}

static void ask_everywhere(struct question *question, const struct upm_library_search *search,
			   const struct run_paths *paths)
{
	const char *origin = paths->origin ? paths->origin : "";

	try_directories(question, paths->rpath, origin);
	try_directories(question, search->library_path, origin);
	try_directories(question, paths->runpath, origin);
	if (!is_answered(question))
		try_cache(question, search);
	try_directories(question, default_directories, origin);
}

int upm_library_find(struct upm_library_search *search, const char *name,
		     const struct upm_binary *needer, upm_library_fn visit, void *context,
		     size_t *found)
{
	struct question question = {.view = search->view,
				    .name = name,
				    .glob = upm_is_glob(name),
				    .visit = visit,
				    .context = context};
	struct run_paths paths;

	read_run_paths(needer, &paths);
	ask_everywhere(&question, search, &paths);
	if (!question.found && !question.status) {
		question.any_class = true;
		ask_everywhere(&question, search, &paths);
	}
	free(paths.rpath);
	free(paths.runpath);
	free(paths.origin);
	*found = question.found;
	return question.status;
}

int upm_command_find(const struct upm_view *view, const char *name, upm_library_fn visit,
		     void *context, size_t *found)
{
	struct question question = {.view = view,
				    .name = name,
				    .glob = upm_is_glob(name),
				    .any_class = true,
				    .visit = visit,
				    .context = context};
	char *path = upm_view_environment(view, "PATH");

	try_directories(&question, path ? path : "/usr/local/bin:/usr/bin:/bin", "");
	free(path);
	*found = question.found;
	return question.status;
}

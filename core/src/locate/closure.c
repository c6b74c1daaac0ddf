/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What a program will map when it starts: itself (or the interpreter of a script),
 * its ELF interpreter, the libraries of LD_PRELOAD, and all that these need,
 * breadth first as the dynamic loader goes.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "binary/dynamic.h"
#include "locate/locator.h"

#define SCRIPT_DEPTH_MAX 5 /* as the kernel */

struct closure {
	struct upm_locator *locator;
	const struct upm_view *view;
	struct upm_library_search *search;
	UPM_VECTOR(char *) loaded; /* names that the loader needs not look for again */
};

static int add_file(int fd, const char *path, void *context)
{
	struct closure *closure = context;
	struct upm_sighting sighting = {.path = path};

	return upm_locations_add_fd(closure->locator, fd, &sighting, &closure->locator->closure);
}

static int add_path(struct closure *closure, const char *path, const char *what)
{
	int fd = upm_view_try(closure->view, path);

	if (fd >= 0)
		return add_file(fd, path, closure);
	return upm_locations_add_failure(&closure->locator->closure, UPM_VERDICT_UNREADABLE, path,
					 0, "%s can not be opened: %s", what, strerror(-fd));
}

/* @return the interpreter that the first line of a script names, for free(); NULL = no script */
static char *script_interpreter(const struct upm_view *view, const char *path)
{
	char line[256] = "", *start;
	int fd = upm_view_try(view, path);
	ssize_t got;

	if (fd < 0)
		return NULL;
	got = pread(fd, line, sizeof(line) - 1, 0);
	close(fd);
	if (got < 3 || line[0] != '#' || line[1] != '!')
		return NULL;
	start = line + 2 + strspn(line + 2, " \t");
	start[strcspn(start, " \t\r\n")] = '\0';
	return *start ? strdup(start) : NULL;
}

/* The first file of this name in PATH that may be executed. */
static char *find_on_path(const char *name)
{
	const char *list = getenv("PATH");
	char path[PATH_MAX];
	struct stat facts;

	if (strchr(name, '/'))
		return strdup(name);
	for (list = list ? list : "/usr/local/bin:/usr/bin:/bin"; *list;) {
		size_t length = strcspn(list, ":");

		if (snprintf(path, sizeof(path), "%.*s%s%s", (int)length, list, length ? "/" : "./",
			     name) < (int)sizeof(path) &&
		    access(path, X_OK) == 0 && stat(path, &facts) == 0 && S_ISREG(facts.st_mode))
			return strdup(path);
		list += length;
		list += *list != '\0';
	}
	return strdup(name);
}

static int add_executable(struct closure *closure)
{
	char *path = find_on_path(closure->locator->program), *real;
	int status;

	for (int depth = 0; path && depth < SCRIPT_DEPTH_MAX; depth++) {
		char *interpreter = script_interpreter(closure->view, path);

		if (!interpreter)
			break;
		free(path);
		path = interpreter;
	}
	if (!path)
		return upm_fail_memory(UPM_LOCATE);
	real = realpath(path, NULL);
	status = add_path(closure, real ? real : path, "the program to run");
	free(real);
	free(path);
	return status;
}

static bool is_loaded(const struct closure *closure, const char *name)
{
	for (size_t i = 0; i < closure->loaded.count; i++) {
		if (strcmp(closure->loaded.items[i], name) == 0)
			return true;
	}
	return false;
}

/* @param name  allocated; becomes the closure's */
static int note_loaded(struct closure *closure, char *name)
{
	if (name && upm_vector_push(&closure->loaded, name))
		return UPM_OK;
	free(name);
	return upm_fail_memory(UPM_LOCATE);
}

static int add_library(struct closure *closure, const char *name, const struct upm_binary *needer)
{
	size_t found = 0;
	int status;

	if (strchr(name, '/'))
		return add_path(closure, name, "a library that the program needs");
	if (is_loaded(closure, name))
		return UPM_OK;
	status = upm_library_find(closure->search, name, needer, add_file, closure, &found);
	if (status || found)
		return status ? status : note_loaded(closure, strdup(name));
	return upm_locations_add_failure(&closure->locator->closure, UPM_VERDICT_UNREADABLE, name,
					 0, "%s needs this library, but it is nowhere to be found",
					 needer ? needer->path : "LD_PRELOAD");
}

static int add_preloaded(struct closure *closure)
{
	char *list = upm_view_environment(closure->view, "LD_PRELOAD"), *rest, *name;
	int status = UPM_OK;

	if (!list)
		return UPM_OK;
	for (name = strtok_r(list, " :", &rest); name && !status;
	     name = strtok_r(NULL, " :", &rest))
		status = add_library(closure, name, NULL);
	free(list);
	return status;
}

static int add_needed(struct closure *closure, const struct upm_binary *needer)
{
	struct upm_dynamic dynamic;
	char *soname;
	int status = upm_dynamic_read(needer, &dynamic);

	if (status)
		return status == UPM_ERR_MEMORY ? status : UPM_OK;
	soname = dynamic.has_soname ? upm_dynamic_string(needer, &dynamic, dynamic.soname) : NULL;
	if (soname)
		status = note_loaded(closure, soname);
	for (size_t i = 0; i < dynamic.needed.count && !status; i++) {
		char *name = upm_dynamic_string(needer, &dynamic, dynamic.needed.items[i]);

		if (name)
			status = add_library(closure, name, needer);
		free(name);
	}
	upm_dynamic_clear(&dynamic);
	return status;
}

static int add_interpreter(struct closure *closure, const struct upm_binary *executable)
{
	char *path = executable ? upm_binary_interpreter(executable) : NULL;
	int status = path ? add_path(closure, path, "the program's interpreter") : UPM_OK;

	free(path);
	return status;
}

static int read_closure(struct closure *closure)
{
	struct upm_locations *all = &closure->locator->closure;
	int status = add_executable(closure);

	if (!status)
		status = add_interpreter(closure, all->list.items[0].binary);
	if (!status && all->list.count > 1)
		status = add_preloaded(closure);
	for (size_t i = 0; i < all->list.count && !status; i++) {
		if (all->list.items[i].binary)
			status = add_needed(closure, all->list.items[i].binary);
	}
	return status;
}

int upm_program_closure(struct upm_locator *locator, const struct upm_locations **out)
{
	const struct upm_view ours = {.root = -1};
	struct closure closure = {.locator = locator, .view = &ours};
	int status = UPM_OK;

	*out = &locator->closure;
	if (locator->closure_read)
		return UPM_OK;
	status = upm_library_search_new(&ours, &closure.search);
	if (!status)
		status = read_closure(&closure);
	upm_library_search_free(closure.search);
	for (size_t i = 0; i < closure.loaded.count; i++)
		free(closure.loaded.items[i]);
	upm_vector_clear(&closure.loaded);
	locator->closure_read = !status;
	if (status)
		upm_locations_clear(&locator->closure);
	return status;
}

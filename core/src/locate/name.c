/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * BINARY without a slash: what the processes map under that file name or
 * DT_SONAME; else what the program about to run will load; else where the dynamic
 * loader would find a library of that name; else a command on PATH.
 */
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "binary/dynamic.h"
#include "locate/locator.h"

static bool matches(const char *pattern, const char *name)
{
	return upm_is_glob(pattern) ? fnmatch(pattern, name, 0) == 0 : strcmp(pattern, name) == 0;
}

static bool soname_matches(const char *pattern, const struct upm_binary *binary)
{
	char *soname = binary ? upm_binary_soname(binary) : NULL;
	bool same = soname && matches(pattern, soname);

	free(soname);
	return same;
}

static int add_by_file_name(struct upm_locator *locator, struct upm_target *target,
			    const char *name, struct upm_locations *out)
{
	const struct upm_mappings *mappings;
	int status = upm_target_mappings(target, &mappings);

	for (size_t i = 0; i < mappings->list.count && !status; i++) {
		const struct upm_mapping *mapping = &mappings->list.items[i];

		if (upm_mapping_is_code(mapping) && matches(name, upm_base_name(mapping->path)))
			status = upm_locations_add_mapping(locator, target, mapping, out);
	}
	return status;
}

static int add_by_soname(struct upm_locator *locator, struct upm_target *target, const char *name,
			 struct upm_locations *out)
{
	struct upm_locations all = {0};
	const struct upm_mappings *mappings;
	int status = upm_target_mappings(target, &mappings);

	for (size_t i = 0; i < mappings->list.count && !status; i++) {
		if (upm_mapping_is_code(&mappings->list.items[i]))
			status = upm_locations_add_mapping(locator, target,
							   &mappings->list.items[i], &all);
	}
	for (size_t i = 0; i < all.list.count && !status; i++) {
		if (soname_matches(name, all.list.items[i].binary))
			status = upm_locations_add_copy(out, &all.list.items[i]);
	}
	upm_locations_clear(&all);
	return status;
}

static int add_mapped(struct upm_locator *locator, struct upm_target *target, const char *name,
		      struct upm_locations *out)
{
	size_t before = out->list.count;
	int status = add_by_file_name(locator, target, name, out);

	if (!status && (out->list.count == before || upm_is_glob(name)))
		status = add_by_soname(locator, target, name, out);
	return status;
}

static int add_of_program(struct upm_locator *locator, const char *name, struct upm_locations *out)
{
	const struct upm_locations *closure;
	int status = upm_program_closure(locator, &closure);

	for (size_t i = 0; i < closure->list.count && !status; i++) {
		const struct upm_location *location = &closure->list.items[i];

		if (matches(name, upm_base_name(location->path)) ||
		    soname_matches(name, location->binary))
			status = upm_locations_add_copy(out, location);
	}
	return status;
}

struct finding {
	struct upm_locator *locator;
	const struct upm_target *target;
	struct upm_locations *out;
};

static int add_found(int fd, const char *path, void *context)
{
	struct finding *finding = context;
	struct upm_sighting sighting = {.path = path};
	char remark[64];

	if (finding->target->view.root >= 0) {
		snprintf(remark, sizeof(remark), "as process %" PRId32 " sees it",
			 finding->target->pid);
		sighting.remark = remark;
	}
	return upm_locations_add_fd(finding->locator, fd, &sighting, finding->out);
}

/* The executable of a process, whose DT_RPATH counts; NULL when it can not be read. */
static struct upm_binary *executable_of(const struct upm_target *target)
{
	struct upm_binary *executable = NULL;
	char link[64], path[4096];
	ssize_t length;
	int fd;

	if (!target->pid)
		return NULL;
	snprintf(link, sizeof(link), "/proc/%" PRId32 "/exe", target->view.directory);
	length = readlink(link, path, sizeof(path) - 1);
	if (length <= 0)
		return NULL;
	path[length] = '\0';
	fd = upm_view_try(&(struct upm_view){.root = -1}, link);
	if (fd < 0 || upm_binary_open_fd(fd, path, &executable))
		return NULL;
	return executable;
}

static int add_searched(struct upm_locator *locator, struct upm_target *target, const char *name,
			struct upm_locations *out)
{
	struct finding finding = {locator, target, out};
	struct upm_binary *executable;
	size_t found;
	int status = UPM_OK;

	if (!target->search)
		status = upm_library_search_new(&target->view, &target->search);
	if (status)
		return status;
	executable = executable_of(target);
	status = upm_library_find(target->search, name, executable, add_found, &finding, &found);
	upm_binary_unref(executable);
	if (!status && !found)
		status = upm_command_find(&target->view, name, add_found, &finding, &found);
	return status;
}

static int add_nothing_found(const struct upm_locator *locator, const char *name,
			     struct upm_locations *out)
{
	const struct upm_target *first = locator->targets.items;
	const char *places = "LD_LIBRARY_PATH, ld.so.cache, the library directories and PATH";

	if (first->pid)
		return upm_locations_add_failure(out, UPM_VERDICT_NO_MATCH, name, 0,
						 "process %" PRId32
						 " maps nothing of this name, nor is it in its %s",
						 first->pid, places);
	if (!upm_is_glob(name) && access(name, F_OK) == 0)
		return upm_locations_add_failure(out, UPM_VERDICT_NO_MATCH, name, 0,
						 "it is not in %s; for the file in this directory "
						 "write ./%s",
						 places, name);
	return upm_locations_add_failure(out, UPM_VERDICT_NO_MATCH, name, 0,
					 "it is not in %s; a path must contain a /", places);
}

int upm_locate_name(struct upm_locator *locator, const char *name, struct upm_locations *out)
{
	int status = UPM_OK;

	for (size_t i = 0; i < locator->targets.count && !status; i++)
		status = add_mapped(locator, &locator->targets.items[i], name, out);
	if (!status && locator->program)
		status = add_of_program(locator, name, out);
	for (size_t i = 0; i < locator->targets.count && !status && !out->list.count; i++)
		status = add_searched(locator, &locator->targets.items[i], name, out);
	if (!status && !out->list.count)
		status = add_nothing_found(locator, name, out);
	return status;
}

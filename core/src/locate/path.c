/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * BINARY with a slash: a path, or a glob of paths. With a process the path is its
 * own, and where the process maps another file than the one now at that path (an
 * upgrade replaced it), the file that it runs is the one to probe.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "locate/locator.h"

/* The path as /proc/PID/maps would show it to us, where the file may be gone. */
static char *path_in_maps(const struct upm_target *target, const char *absolute, int fd)
{
	char *path, link[64], root[4096];
	ssize_t length;

	if (fd >= 0)
		return upm_path_of_fd(fd);
	if (target->view.root < 0)
		return strdup(absolute);
	snprintf(link, sizeof(link), "/proc/%" PRId32 "/root", target->view.directory);
	length = readlink(link, root, sizeof(root) - 1);
	if (length <= 1)
		return strdup(absolute);
	root[length] = '\0';
	return asprintf(&path, "%s%s", root, absolute) < 0 ? NULL : path;
}

enum use {
	USE_NONE, /* the process does not map the path */
	USE_SAME, /* it maps the file that is there now */
	USE_OTHER /* it maps a file that was there before */
};

static enum use used_as(const struct upm_target *target, const struct upm_mappings *mappings,
			const char *path, int fd, const struct upm_mapping **other)
{
	struct stat facts = {0};
	enum use use = USE_NONE;

	if (fd >= 0 && fstat(fd, &facts))
		return USE_NONE;
	for (size_t i = 0; i < mappings->list.count; i++) {
		const struct upm_mapping *mapping = &mappings->list.items[i];
		bool same_path = strcmp(mapping->path, path) == 0;

		if (!upm_mapping_is_code(mapping))
			continue;
		if (fd >= 0 &&
		    (mapping->inode == facts.st_ino || (same_path && !mapping->deleted)) &&
		    upm_process_maps_file(target->pid, mapping, facts.st_dev, facts.st_ino))
			return USE_SAME;
		if (same_path && use == USE_NONE) {
			*other = mapping;
			use = USE_OTHER;
		}
	}
	return use;
}

static int add_from_disk(struct upm_locator *locator, const struct upm_target *target,
			 const char *path, int fd, int32_t pid, bool elf_only,
			 struct upm_locations *out)
{
	struct upm_sighting sighting = {.path = path, .pid = pid, .elf_only = elf_only};
	char remark[64];

	if (target->view.root >= 0) {
		snprintf(remark, sizeof(remark), "as process %" PRId32 " sees it", target->pid);
		sighting.remark = remark;
	}
	return upm_locations_add_fd(locator, fd, &sighting, out);
}

/* @param failure  receives the errno when there is no such file and no such mapping */
static int add_path(struct upm_locator *locator, struct upm_target *target, const char *path,
		    bool elf_only, struct upm_locations *out, int *failure)
{
	const struct upm_mapping *other;
	const struct upm_mappings *mappings;
	char *absolute = upm_view_absolute(&target->view, path), *shown = NULL;
	enum use use = USE_NONE;
	int fd, status = upm_target_mappings(target, &mappings);

	if (status || !absolute) {
		free(absolute);
		return status ? status : upm_fail_memory(UPM_LOCATE);
	}
	fd = upm_view_try(&target->view, absolute);
	if (mappings->list.count && (shown = path_in_maps(target, absolute, fd)))
		use = used_as(target, mappings, shown, fd, &other);
	if (use == USE_OTHER) {
		status = upm_locations_add_mapping(locator, target, other, out);
		if (fd >= 0)
			close(fd);
	} else if (fd >= 0) {
		status = add_from_disk(locator, target, path, fd, use == USE_SAME ? target->pid : 0,
				       elf_only, out);
	} else {
		*failure = -fd;
	}
	free(absolute);
	free(shown);
	return status;
}

static int add_glob(struct upm_locator *locator, struct upm_target *target, const char *pattern,
		    struct upm_locations *out, size_t *matches)
{
	char *absolute = upm_view_absolute(&target->view, pattern);
	struct upm_paths found;
	int failure, status;

	if (!absolute)
		return upm_fail_memory(UPM_LOCATE);
	status = upm_view_glob(&target->view, absolute, &found);
	*matches += found.list.count;
	for (size_t i = 0; i < found.list.count && !status; i++)
		status = add_path(locator, target, found.list.items[i], true, out, &failure);
	upm_paths_clear(&found);
	free(absolute);
	return status;
}

static int locate_glob(struct upm_locator *locator, const char *pattern, struct upm_locations *out)
{
	size_t matches = 0;
	int status = UPM_OK;

	for (size_t i = 0; i < locator->targets.count && !status; i++)
		status = add_glob(locator, &locator->targets.items[i], pattern, out, &matches);
	if (status || out->list.count)
		return status;
	if (matches)
		return upm_locations_add_failure(out, UPM_VERDICT_NO_MATCH, pattern, 0,
						 "%zu files match, but none is an ELF file",
						 matches);
	return upm_locations_add_failure(out, UPM_VERDICT_NO_MATCH, pattern, 0,
					 "no file matches this pattern");
}

int upm_locate_path(struct upm_locator *locator, const char *path, struct upm_locations *out)
{
	int failure = 0, status = UPM_OK;
	const struct upm_target *first = locator->targets.items;

	if (upm_is_glob(path) && access(path, F_OK))
		return locate_glob(locator, path, out);
	for (size_t i = 0; i < locator->targets.count && !status; i++)
		status = add_path(locator, &locator->targets.items[i], path, false, out, &failure);
	if (status || out->list.count)
		return status;
	if (!first->pid)
		return upm_locations_add_failure(out, UPM_VERDICT_UNREADABLE, path, 0, "%s",
						 strerror(failure));
	return upm_locations_add_failure(out, UPM_VERDICT_UNREADABLE, path, 0,
					 "%s, as process %" PRId32 " sees it", strerror(failure),
					 first->pid);
}

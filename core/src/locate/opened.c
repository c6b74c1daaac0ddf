/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Files become locations here: each opened once, each listed once. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "locate/locator.h"

static int fail_memory(void)
{
	return upm_fail_memory(UPM_LOCATE);
}

static bool is_listed(const struct upm_locations *out, const struct upm_location *location)
{
	for (size_t i = 0; i < out->list.count; i++) {
		const struct upm_location *other = &out->list.items[i];

		if (location->binary ? location->binary == other->binary
				     : !other->binary && location->verdict == other->verdict &&
					       strcmp(location->path, other->path) == 0)
			return true;
	}
	return false;
}

static void free_location(struct upm_location *location)
{
	upm_binary_unref(location->binary);
	free(location->path);
	free(location->reason);
}

static int add_new(struct upm_locations *out, const struct upm_location *location)
{
	struct upm_location copy = {
		.binary = location->binary,
		.path = strdup(location->path),
		.reason = location->reason ? strdup(location->reason) : NULL,
		.verdict = location->verdict,
		.pid = location->pid,
	};

	if (copy.binary)
		upm_binary_ref(copy.binary);
	if (copy.path && (copy.reason || !location->reason) && upm_vector_push(&out->list, copy))
		return UPM_OK;
	free_location(&copy);
	return fail_memory();
}

int upm_locations_add_copy(struct upm_locations *out, const struct upm_location *location)
{
	return is_listed(out, location) ? UPM_OK : add_new(out, location);
}

int upm_locations_add_failure(struct upm_locations *out, int32_t verdict, const char *path,
			      int32_t pid, const char *format, ...)
{
	struct upm_location location = {.path = (char *)path, .verdict = verdict, .pid = pid};
	va_list arguments;
	int length, status;

	va_start(arguments, format);
	length = vasprintf(&location.reason, format, arguments);
	va_end(arguments);
	if (length < 0)
		return fail_memory();
	status = upm_locations_add_copy(out, &location);
	free(location.reason);
	return status;
}

void upm_locations_clear(struct upm_locations *locations)
{
	for (size_t i = 0; i < locations->list.count; i++)
		free_location(&locations->list.items[i]);
	upm_vector_clear(&locations->list);
}

/* Open it, or keep why it can not be used. */
static int open_new(struct upm_locator *locator, int fd, const char *path, const struct stat *facts,
		    size_t *index)
{
	struct upm_binary *binary = NULL;
	int status = upm_binary_open_fd(fd, path, &binary);
	struct upm_opened opened = {
		.device = facts->st_dev,
		.inode = facts->st_ino,
		.binary = binary,
		.reason = status ? strdup(upm_error_last()->message) : NULL,
	};

	*index = locator->opened.count;
	if (status != UPM_ERR_MEMORY && (binary || opened.reason) &&
	    upm_vector_push(&locator->opened, opened))
		return UPM_OK;
	upm_binary_unref(binary);
	free(opened.reason);
	return fail_memory();
}

static int open_once(struct upm_locator *locator, int fd, const char *path, size_t *index)
{
	struct stat facts;

	if (fstat(fd, &facts))
		memset(&facts, 0, sizeof(facts));
	for (size_t i = 0; i < locator->opened.count; i++) {
		if (locator->opened.items[i].device == facts.st_dev &&
		    locator->opened.items[i].inode == facts.st_ino) {
			close(fd);
			*index = i;
			return UPM_OK;
		}
	}
	return open_new(locator, fd, path, &facts, index);
}

static int add_opened(const struct upm_opened *opened, const struct upm_sighting *sighting,
		      struct upm_locations *out)
{
	struct upm_location location = {
		.binary = opened->binary,
		.path = (char *)sighting->path,
		.reason = opened->binary ? (char *)sighting->remark : opened->reason,
		.verdict = opened->binary ? UPM_VERDICT_OK : UPM_VERDICT_UNREADABLE,
		.pid = sighting->pid,
	};

	return upm_locations_add_copy(out, &location);
}

static bool is_elf(int fd)
{
	char magic[4];
	struct stat facts;

	return fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) &&
	       pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	       memcmp(magic, "\177ELF", sizeof(magic)) == 0;
}

int upm_locations_add_fd(struct upm_locator *locator, int fd, const struct upm_sighting *sighting,
			 struct upm_locations *out)
{
	size_t index;
	int status;

	if (sighting->elf_only && !is_elf(fd)) {
		close(fd);
		return UPM_OK;
	}
	status = open_once(locator, fd, sighting->path, &index);
	return status ? status : add_opened(&locator->opened.items[index], sighting, out);
}

static const struct upm_known_mapping *find_known(const struct upm_locator *locator, int32_t pid,
						  const struct upm_mapping *mapping)
{
	for (size_t i = 0; i < locator->known_mappings.count; i++) {
		const struct upm_known_mapping *known = &locator->known_mappings.items[i];

		if (known->pid == pid && known->inode == mapping->inode &&
		    known->device == mapping->device && strcmp(known->path, mapping->path) == 0)
			return known;
	}
	return NULL;
}

static int remember(struct upm_locator *locator, int32_t pid, const struct upm_mapping *mapping,
		    size_t opened)
{
	struct upm_known_mapping known = {pid, mapping->device, mapping->inode,
					  strdup(mapping->path), opened};

	if (known.path && upm_vector_push(&locator->known_mappings, known))
		return UPM_OK;
	free(known.path);
	return fail_memory();
}

static int open_mapping(struct upm_locator *locator, struct upm_target *target,
			const struct upm_mapping *mapping, struct upm_locations *out, size_t *index)
{
	const struct upm_known_mapping *known = find_known(locator, target->pid, mapping);
	int fd, status;

	*index = SIZE_MAX;
	if (known) {
		*index = known->opened;
		return UPM_OK;
	}
	fd = upm_process_open_mapping(target->pid, mapping);
	if (fd < 0)
		return upm_locations_add_failure(
			out, UPM_VERDICT_REPLACED, mapping->path, target->pid,
			"process %d maps a file that is no longer at this path and can not be "
			"reached otherwise: %s",
			target->pid, upm_error_last()->hint);
	status = open_once(locator, fd, mapping->path, index);
	return status ? status : remember(locator, target->pid, mapping, *index);
}

int upm_locations_add_mapping(struct upm_locator *locator, struct upm_target *target,
			      const struct upm_mapping *mapping, struct upm_locations *out)
{
	struct upm_sighting sighting = {.path = mapping->path, .pid = target->pid};
	char remark[96];
	size_t index;
	int status = open_mapping(locator, target, mapping, out, &index);

	if (status || index == SIZE_MAX)
		return status;
	if (mapping->deleted) {
		snprintf(remark, sizeof(remark),
			 "process %d runs a file that was deleted or replaced on disk",
			 target->pid);
		sighting.remark = remark;
	} else if (target->view.root >= 0) {
		snprintf(remark, sizeof(remark), "as process %d sees it", target->pid);
		sighting.remark = remark;
	}
	return add_opened(&locator->opened.items[index], &sighting, out);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach/pins.h"
#include "base/descriptors.h"
#include "base/error.h"
#include "share/metadata.h"
#include "share/names.h"
#include "share/place.h"
#include "uprobe_multi.h"

static const char operation[] = "open a pinned observer";

static const struct upm_observer_type *type_of(uint32_t kind)
{
	static const struct upm_observer_type *const types[] = {&upm_count_type, &upm_latency_type,
								&upm_trace_type};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i]->kind == kind)
			return types[i];
	return NULL;
}

static int open_links(struct upm_link *link, const char *directory)
{
	char path[PATH_MAX];
	struct rlimit limit;
	int status = UPM_OK;

	upm_descriptors_reserve(link->handles.count, &limit);
	upm_pins_path(path, directory, "links");
	for (size_t i = 0; i < link->handles.count && !status; i++)
		status = upm_pins_open_number(operation, path, i, &link->handles.items[i].fd);
	return status;
}

/* @param needed  whether its absence is an error */
static int open_in(const char *directory, const char *part, const char *name, bool needed, int *fd)
{
	char path[PATH_MAX], pin[PATH_MAX];

	upm_pins_path(path, directory, part);
	upm_pins_path(pin, path, name);
	if (!needed && access(pin, F_OK) && errno == ENOENT)
		return UPM_OK;
	return upm_pins_open(operation, pin, fd);
}

static int open_filter(struct upm_process_filter *filter, const char *directory)
{
	int *const fds[] = {&filter->fork_fd, &filter->exit_fd, &filter->lost_fd};
	int status = UPM_OK;

	for (size_t i = 0; i < UPM_FILTER_PINS && !status; i++)
		status = open_in(directory, "filter", upm_filter_pins[i], false, fds[i]);
	return status;
}

static int open_maps(struct upm_observer *observer, const char *directory)
{
	int status = UPM_OK;

	for (size_t i = 0; i < UPM_OBSERVER_MAPS && observer->type->maps[i] && !status; i++)
		status = open_in(directory, "maps", upm_map_pin(observer->type->maps[i]), true,
				 &observer->map_fds[i]);
	return status;
}

/* The directory may have been removed, and its name taken again, while its pins were opened. */
static int check_still_there(const struct upm_place_of_pins *place, int fd)
{
	struct stat opened, there;

	if (fstat(fd, &opened) == 0 && stat(place->path, &there) == 0 &&
	    opened.st_dev == there.st_dev && opened.st_ino == there.st_ino)
		return UPM_OK;
	return upm_fail(UPM_ERR_NOT_FOUND, ENOENT, operation, place->path, NULL,
			"it was unpinned meanwhile");
}

static int open_observer(struct upm_observer *observer, const struct upm_place_of_pins *place,
			 const struct upm_share_record *record)
{
	int status = open_links(observer->link, place->path);

	if (!status)
		status = open_filter(&observer->filter, place->path);
	if (!status)
		status = open_maps(observer, place->path);
	if (!status)
		status = check_still_there(place, observer->pin_fd);
	if (!status)
		status = observer->type->open(observer);
	if (!status && observer->type->restore)
		status = observer->type->restore(observer, record->own, record->own_size);
	return status;
}

static int new_observer(const struct upm_share_record *record, const char *name,
			struct upm_observer **out)
{
	const struct upm_observer_type *type = type_of(record->header.kind);
	struct upm_probe_set set = {.table = record->link->table};

	if (!type)
		return upm_fail(UPM_ERR_UNSUPPORTED, 0, operation, name,
				"open it with the version that pinned it",
				"this library (%s) knows no observers of kind %u", upm_version(),
				record->header.kind);
	*out = upm_observer_new(type, &set);
	if (!*out)
		return upm_fail_memory(operation);
	(*out)->link = record->link;
	(*out)->set->sites = upm_sites_ref(record->link->sites);
	return UPM_OK;
}

/* The directory's descriptor becomes the observer's, or is closed. */
static int open_record(const struct upm_place_of_pins *place, int fd,
		       const struct upm_share_record *record, struct upm_observer **out)
{
	struct upm_observer *observer = NULL;
	struct upm_error_copy error;
	int status = new_observer(record, place->path, &observer);

	if (!observer) {
		upm_link_free(record->link);
		close(fd);
		return status;
	}
	observer->pin_fd = fd;
	status = open_observer(observer, place, record);
	if (!status) {
		*out = observer;
		return UPM_OK;
	}
	upm_error_take(&error);
	upm_observer_free(observer);
	upm_error_put_back(&error);
	return status;
}

static int read_metadata(const char *directory, uint8_t **bytes, size_t *size)
{
	char path[PATH_MAX];
	int fd, status;

	upm_pins_path(path, directory, "meta");
	if (access(path, F_OK))
		return upm_fail(UPM_ERR_FORMAT, 0, operation, directory,
				"name what upm_observer_pin() made; upm_pinned_list() lists it",
				"it is no pinned observer, or an unfinished one");
	status = upm_pins_open(operation, path, &fd);
	if (status)
		return status;
	status = upm_metadata_read(fd, directory, bytes, size);
	close(fd);
	return status;
}

int32_t upm_observer_open(const char *name, struct upm_observer **out)
{
	struct upm_share_record record;
	struct upm_place_of_pins place;
	uint8_t *bytes = NULL;
	size_t size = 0;
	int fd, status;

	if (!out)
		return upm_fail(UPM_ERR_INVALID, 0, operation, name, NULL, "out is NULL");
	status = upm_share_place(operation, name, &place);
	if (!status)
		status = upm_share_open_place(operation, &place, &fd);
	if (status)
		return status;
	status = read_metadata(place.path, &bytes, &size);
	if (!status)
		status = upm_share_read(bytes, size, place.path, &record);
	if (status)
		close(fd);
	else
		status = open_record(&place, fd, &record, out);
	free(bytes);
	return status;
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach/pins.h"
#include "base/descriptors.h"
#include "base/error.h"
#include "observe/map_form.h"
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

static int enter(struct upm_pins *part, const struct upm_pins *pins, const char *name)
{
	int failure = -upm_pins_enter(part, pins, name);

	if (!failure)
		return UPM_OK;
	if (upm_errno_is_scarcity(failure))
		return upm_share_fail(operation, part->path, failure, "it can not be looked into");
	return upm_fail(UPM_ERR_FORMAT, failure == EXDEV ? 0 : failure, operation, part->path, NULL,
			"it is no directory of a pinned observer");
}

static int open_links(struct upm_link *link, const struct upm_pins *pins)
{
	struct upm_pins links;
	struct rlimit limit;
	int status = enter(&links, pins, "links");

	if (status)
		return status;
	upm_descriptors_reserve(link->handles.count, &limit);
	for (size_t i = 0; i < link->handles.count && !status; i++)
		status = upm_pins_open_number(operation, &links, i, &link->handles.items[i].fd);
	upm_pins_leave(&links);
	return status;
}

static int open_filter(struct upm_process_filter *filter, const struct upm_pins *pins)
{
	int *const fds[] = {&filter->fork_fd, &filter->exit_fd, &filter->lost_fd};
	struct upm_pins part;
	int status = enter(&part, pins, "filter");

	if (status)
		return status;
	for (size_t i = 0; i < UPM_FILTER_PINS && !status; i++)
		if (upm_pins_has(&part, upm_filter_pins[i]))
			status = upm_pins_open(operation, &part, upm_filter_pins[i], fds[i]);
	upm_pins_leave(&part);
	if (!status && filter->lost_fd >= 0)
		status = upm_map_require("lost", filter->lost_fd,
					 upm_map_form_of_array(sizeof(uint64_t), 1));
	return status;
}

static int open_maps(struct upm_observer *observer, const struct upm_pins *pins)
{
	struct upm_pins part;
	int status = enter(&part, pins, "maps");

	if (status)
		return status;
	for (size_t i = 0; i < UPM_OBSERVER_MAPS && observer->type->maps[i] && !status; i++)
		status = upm_pins_open(operation, &part, upm_map_pin(observer->type->maps[i]),
				       &observer->map_fds[i]);
	upm_pins_leave(&part);
	return status;
}

/* The directory may have been removed, and its name taken again, while its pins were opened. */
static int check_still_there(const struct upm_pins *pins)
{
	struct stat opened, there;

	if (fstat(pins->fd, &opened) == 0 && stat(pins->path, &there) == 0 &&
	    opened.st_dev == there.st_dev && opened.st_ino == there.st_ino)
		return UPM_OK;
	return upm_fail(UPM_ERR_NOT_FOUND, ENOENT, operation, pins->path, NULL,
			"it was unpinned meanwhile");
}

static int open_observer(struct upm_observer *observer, const struct upm_pins *pins,
			 const struct upm_share_record *record)
{
	int status = open_links(observer->link, pins);

	if (!status)
		status = open_filter(&observer->filter, pins);
	if (!status)
		status = open_maps(observer, pins);
	if (!status)
		status = check_still_there(pins);
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
static int open_record(const struct upm_pins *pins, const struct upm_share_record *record,
		       struct upm_observer **out)
{
	struct upm_observer *observer = NULL;
	struct upm_error_copy error;
	int status = new_observer(record, pins->path, &observer);

	if (!observer) {
		upm_link_free(record->link);
		upm_pins_leave(pins);
		return status;
	}
	observer->pin_fd = pins->fd;
	status = open_observer(observer, pins, record);
	if (!status) {
		*out = observer;
		return UPM_OK;
	}
	upm_error_take(&error);
	upm_observer_free(observer);
	upm_error_put_back(&error);
	return status;
}

static int read_metadata(const struct upm_pins *pins, uint8_t **bytes, size_t *size)
{
	int fd, status;

	if (!upm_pins_has(pins, "meta"))
		return upm_fail(UPM_ERR_FORMAT, ENOENT, operation, pins->path,
				"name what upm_observer_pin() made; upm_pinned_list() lists it",
				"it is no pinned observer, or an unfinished one");
	status = upm_pins_open(operation, pins, "meta", &fd);
	if (status)
		return status;
	status = upm_metadata_read(fd, pins->path, bytes, size);
	close(fd);
	return status;
}

static int open_place(const char *name, struct upm_pins *pins)
{
	struct upm_place_of_pins place;
	int parent, status = upm_share_place(operation, name, &place);

	if (!status)
		status = upm_share_open_parent(operation, &place, &parent);
	if (status)
		return status;
	status = upm_share_open_place(operation, &place, parent, pins);
	close(parent);
	return status;
}

int32_t upm_observer_open(const char *name, struct upm_observer **out)
{
	struct upm_share_record record;
	struct upm_pins pins;
	uint8_t *bytes = NULL;
	size_t size = 0;
	int status;

	if (!out)
		return upm_fail(UPM_ERR_INVALID, 0, operation, name, NULL, "out is NULL");
	status = open_place(name, &pins);
	if (status)
		return status;
	status = read_metadata(&pins, &bytes, &size);
	if (!status)
		status = upm_share_read(bytes, size, pins.path, &record);
	if (status)
		upm_pins_leave(&pins);
	else
		status = open_record(&pins, &record, out);
	free(bytes);
	return status;
}

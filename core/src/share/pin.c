/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach/pins.h"
#include "base/error.h"
#include "share/names.h"
#include "share/metadata.h"
#include "share/place.h"
#include "uprobe_multi.h"

static const char operation[] = "pin an observer";

/* Another process may remove the empty UPM_PIN_DIRECTORY at the same moment. */
enum { ATTEMPTS = 16 };

static int make_part(const char *directory, const char *part, char path[PATH_MAX])
{
	upm_pins_path(path, directory, part);
	if (mkdir(path, 0700))
		return upm_share_fail(operation, path, errno, "can not make the directory");
	return UPM_OK;
}

static int pin_in(const char *directory, const char *name, int fd)
{
	char path[PATH_MAX];

	upm_pins_path(path, directory, name);
	return upm_pins_add(operation, fd, path);
}

static int pin_links(const struct upm_observer *observer, const char *directory)
{
	char path[PATH_MAX];
	int status = make_part(directory, "links", path);

	return status ? status : upm_pins_add_link(operation, observer->link, path);
}

static int pin_filter(const struct upm_process_filter *filter, const char *directory)
{
	const int fds[] = {filter->fork_fd, filter->exit_fd, filter->lost_fd};
	char path[PATH_MAX];
	int status = make_part(directory, "filter", path);

	for (size_t i = 0; i < UPM_FILTER_PINS && !status; i++)
		if (fds[i] >= 0)
			status = pin_in(path, upm_filter_pins[i], fds[i]);
	return status;
}

static int pin_maps(const struct upm_observer *observer, const char *directory)
{
	char path[PATH_MAX];
	int status = make_part(directory, "maps", path);

	for (size_t i = 0; i < UPM_OBSERVER_MAPS && observer->type->maps[i] && !status; i++)
		if (observer->map_fds[i] >= 0)
			status = pin_in(path, upm_map_pin(observer->type->maps[i]),
					observer->map_fds[i]);
	return status;
}

static int pin_metadata(const struct upm_observer *observer, const char *directory)
{
	struct upm_bytes bytes = {0};
	int fd = -1, status = upm_share_write(observer, &bytes);

	if (!status)
		status = upm_metadata_make(&bytes, &fd);
	if (!status)
		status = pin_in(directory, "meta", fd);
	if (fd >= 0)
		close(fd);
	upm_bytes_free(&bytes);
	return status;
}

static int pin_all(const struct upm_observer *observer, const char *directory)
{
	int status = pin_links(observer, directory);

	if (!status)
		status = pin_filter(&observer->filter, directory);
	if (!status)
		status = pin_maps(observer, directory);
	if (!status)
		status = pin_metadata(observer, directory);
	return status;
}

/* A lock that says: somebody is at work here. It is of another kind than that of events.h. */
static void lock_unfinished(int fd, short type)
{
	struct flock lock = {.l_type = type};

	fcntl(fd, F_OFD_SETLK, &lock);
}

/* The reader of the events stays their reader. */
static int finish(struct upm_observer *observer, const struct upm_place_of_pins *place,
		  const char *unfinished, int fd)
{
	if (observer->reader && flock(fd, LOCK_EX | LOCK_NB))
		return upm_share_fail(operation, unfinished, errno, "can not lock it");
	if (upm_share_rename(AT_FDCWD, unfinished, place->path))
		return upm_share_fail(operation, place->path, errno, "can not take this name");
	lock_unfinished(fd, F_UNLCK);
	return UPM_OK;
}

static int make(struct upm_observer *observer, const struct upm_place_of_pins *place,
		const char *unfinished)
{
	struct upm_error_copy error;
	struct upm_pins pins;
	int status, failure = -upm_pins_enter(&pins, NULL, unfinished);

	if (failure) {
		status = upm_share_fail(operation, unfinished, failure, "can not open it");
		rmdir(unfinished);
		return status;
	}
	lock_unfinished(pins.fd, F_RDLCK);
	status = pin_all(observer, unfinished);
	if (!status)
		status = finish(observer, place, unfinished, pins.fd);
	if (!status) {
		observer->pin_fd = pins.fd;
		return UPM_OK;
	}
	upm_error_take(&error);
	upm_share_remove(&pins, AT_FDCWD, unfinished);
	upm_pins_leave(&pins);
	upm_error_put_back(&error);
	return status;
}

static int make_unfinished(const struct upm_place_of_pins *place, char path[PATH_MAX])
{
	for (int attempt = 0;; attempt++) {
		int status = upm_share_prepare(operation, place);

		if (status)
			return status;
		if (!upm_share_unfinished(place, path))
			return upm_share_fail(operation, place->path, ENAMETOOLONG, "too long");
		if (mkdir(path, 0700) == 0)
			return UPM_OK;
		if ((errno != ENOENT && errno != EEXIST) || attempt == ATTEMPTS)
			return upm_share_fail(operation, path, errno, "can not make the directory");
	}
}

static int check(const struct upm_observer *observer, const char *name,
		 struct upm_place_of_pins *place)
{
	if (!observer)
		return upm_fail(UPM_ERR_INVALID, 0, operation, name, NULL, "observer is NULL");
	if (!observer->link->handles.count)
		return upm_fail(UPM_ERR_STATE, 0, operation, name, "pin it before it is stopped",
				"the observer is stopped");
	if (observer->pin_fd >= 0)
		return upm_fail(UPM_ERR_STATE, 0, operation, name, "use the name that it has",
				"the observer is pinned already");
	if (upm_share_place(operation, name, place))
		return UPM_ERR_INVALID;
	if (place->name[0] == UPM_SHARE_UNFINISHED)
		return upm_fail(UPM_ERR_INVALID, 0, operation, name, "take another one",
				"names that begin with %c are those of unfinished pins",
				UPM_SHARE_UNFINISHED);
	return UPM_OK;
}

int32_t upm_observer_pin(struct upm_observer *observer, const char *name)
{
	struct upm_place_of_pins place;
	char unfinished[PATH_MAX];
	int status = check(observer, name, &place);

	if (status)
		return status;
	status = make_unfinished(&place, unfinished);
	if (!status)
		status = make(observer, &place, unfinished);
	if (status) {
		upm_share_tidy(&place);
		return status;
	}
	upm_usdt_claim_keep(observer->link->usdt);
	observer->link->usdt = NULL;
	return UPM_OK;
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "share/place.h"
#include "uprobe_multi.h"

static const char operation[] = "unpin an observer";

static bool is_ours(const char *name)
{
	static const char *const names[] = {".", "..", "links", "filter", "maps", "meta"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static int fail_content(const struct upm_pins *pins, const char *name, bool ours)
{
	return upm_fail(UPM_ERR_FORMAT, 0, operation, pins->path,
			"name what upm_observer_pin() made; what upm_link_pin() made is for "
			"upm_link_unpin()",
			"it is no pinned observer: %s%s%s", ours ? "" : "it holds ", name,
			ours ? " is no directory" : "");
}

static int check_entry(const struct upm_pins *pins, const char *name)
{
	struct upm_pins part;
	int failure;

	if (!is_ours(name))
		return fail_content(pins, name, false);
	if (*name == '.' || strcmp(name, "meta") == 0)
		return UPM_OK;
	failure = -upm_pins_enter(&part, pins, name);
	upm_pins_leave(&part);
	if (failure == ENOTDIR || failure == EXDEV)
		return fail_content(pins, name, true);
	return UPM_OK; /* another failure is the removal's to tell */
}

/* Other directories of a BPF file system are not ours to remove. */
static int check_content(const struct upm_pins *pins)
{
	DIR *directory = upm_pins_read(pins);
	const struct dirent *entry;
	int status = UPM_OK;

	if (!directory)
		return upm_share_fail(operation, pins->path, errno, "can not read it");
	while (!status && (entry = upm_pins_next(directory)))
		status = check_entry(pins, entry->d_name);
	if (!status && errno)
		status = upm_share_fail(operation, pins->path, errno, "can not read it");
	closedir(directory);
	return status;
}

static bool is_named(int parent, const char *name, int fd)
{
	struct stat opened, there;

	return fstat(fd, &opened) == 0 && fstatat(parent, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       opened.st_dev == there.st_dev && opened.st_ino == there.st_ino;
}

static const char *last_part(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* Without its name it is no observer any more, at once. Whoever may write to its parent can have
 * exchanged it since it was opened. */
static int hide(const struct upm_place_of_pins *place, int parent, const struct upm_pins *pins,
		char path[PATH_MAX])
{
	if (place->name[0] == UPM_SHARE_UNFINISHED) {
		snprintf(path, PATH_MAX, "%s", place->path);
		return UPM_OK;
	}
	if (!upm_share_unfinished(place, path))
		return upm_share_fail(operation, place->path, ENAMETOOLONG, "too long");
	if (upm_share_rename(parent, place->name, last_part(path)))
		return upm_share_fail(operation, place->path, errno, "can not remove it");
	if (is_named(parent, last_part(path), pins->fd))
		return UPM_OK;
	upm_share_rename(parent, last_part(path), place->name);
	return upm_fail(UPM_ERR_NOT_FOUND, ENOENT, operation, place->path, NULL,
			"another directory took its name meanwhile");
}

static int unpin(const struct upm_place_of_pins *place, int parent, const struct upm_pins *pins)
{
	char path[PATH_MAX];
	int status = check_content(pins);

	if (!status)
		status = hide(place, parent, pins, path);
	if (status || upm_share_remove(pins, parent, last_part(path)))
		return status;
	return upm_share_fail(operation, path, errno, "some of it can not be removed");
}

int32_t upm_observer_unpin(const char *name)
{
	struct upm_place_of_pins place;
	struct upm_pins pins;
	int parent, status = upm_share_place(operation, name, &place);

	if (!status)
		status = upm_share_open_parent(operation, &place, &parent);
	if (status)
		return status;
	status = upm_share_open_place(operation, &place, parent, &pins);
	if (!status) {
		status = unpin(&place, parent, &pins);
		upm_pins_leave(&pins);
	}
	close(parent);
	if (!status)
		upm_share_tidy(&place);
	return status;
}

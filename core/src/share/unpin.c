/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attach/pins.h"
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

/* Other directories of a BPF file system are not ours to remove. */
static int check_content(const struct upm_place_of_pins *place, int fd)
{
	DIR *directory = fdopendir(fd);
	const struct dirent *entry;
	int status = UPM_OK;

	if (!directory) {
		close(fd);
		return upm_share_fail(operation, place->path, errno, "can not read it");
	}
	while (!status && (entry = readdir(directory)))
		if (!is_ours(entry->d_name))
			status = upm_fail(UPM_ERR_FORMAT, 0, operation, place->path,
					  "name what upm_observer_pin() made; what "
					  "upm_link_pin() made is for upm_link_unpin()",
					  "it is no pinned observer: it holds %s", entry->d_name);
	closedir(directory);
	return status;
}

/* Without its name it is no observer any more, at once. */
static int hide(const struct upm_place_of_pins *place, char path[PATH_MAX])
{
	if (place->name[0] == UPM_SHARE_UNFINISHED) {
		snprintf(path, PATH_MAX, "%s", place->path);
		return UPM_OK;
	}
	if (!upm_share_unfinished(place, path))
		return upm_share_fail(operation, place->path, ENAMETOOLONG, "too long");
	if (upm_share_rename(place->path, path))
		return upm_share_fail(operation, place->path, errno, "can not remove it");
	return UPM_OK;
}

int32_t upm_observer_unpin(const char *name)
{
	struct upm_place_of_pins place;
	char path[PATH_MAX];
	int fd, status = upm_share_place(operation, name, &place);

	if (!status)
		status = upm_share_open_place(operation, &place, &fd);
	if (!status)
		status = check_content(&place, fd);
	if (!status)
		status = hide(&place, path);
	if (status)
		return status;
	if (!upm_share_remove(path))
		return upm_share_fail(operation, path, errno, "some of it can not be removed");
	upm_share_tidy(&place);
	return UPM_OK;
}

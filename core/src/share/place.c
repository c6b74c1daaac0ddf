/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "share/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach/pins.h"
#include "base/error.h"

static const char file_system[] = "/sys/fs/bpf";

static bool is_name(const char *name)
{
	for (const char *at = name; *at; at++)
		if (*at == '.' || (unsigned char)*at < ' ' || *at == 0x7f)
			return false;
	return *name != '\0';
}

int upm_share_place(const char *operation, const char *name, struct upm_place_of_pins *place)
{
	const char *last = name ? strrchr(name, '/') : NULL;
	int parent, path;

	if (!name)
		return upm_fail(UPM_ERR_INVALID, 0, operation, NULL, NULL, "name is NULL");
	place->in_directory = !last;
	last = last ? last + 1 : name;
	if (!is_name(last))
		return upm_fail(
			UPM_ERR_INVALID, 0, operation, name,
			"take a name without dots, which a BPF file system refuses, and without "
			"control characters",
			"it is no name");
	parent = place->in_directory ? snprintf(place->parent, PATH_MAX, "%s", UPM_PIN_DIRECTORY)
				     : snprintf(place->parent, PATH_MAX, "%.*s",
						last - name > 1 ? (int)(last - name - 1) : 1, name);
	path = snprintf(place->path, PATH_MAX, "%s%s%s", place->parent,
			strcmp(place->parent, "/") == 0 ? "" : "/", last);
	if (parent >= PATH_MAX || path >= PATH_MAX - 64)
		return upm_fail(UPM_ERR_INVALID, ENAMETOOLONG, operation, name,
				"take a shorter one", "it is too long");
	place->name = place->path + path - strlen(last);
	return UPM_OK;
}

bool upm_share_unfinished(const struct upm_place_of_pins *place, char path[PATH_MAX])
{
	uint32_t number = 0;

	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) < 0)
		number = (uint32_t)(uintptr_t)path;
	return snprintf(path, PATH_MAX, "%s/%c%d-%08x", place->parent, UPM_SHARE_UNFINISHED,
			getpid(), number) < PATH_MAX;
}

int upm_share_rename(int directory, const char *from, const char *to)
{
	return (int)syscall(SYS_renameat2, directory, from, directory, to, RENAME_NOREPLACE);
}

/* ---- errors */

/* Whether what there is of a path is a BPF file system's. */
static bool is_below_bpffs(const char *path)
{
	char above[PATH_MAX];
	char *slash;

	snprintf(above, sizeof(above), "%s", path);
	while (access(above, F_OK) && (slash = strrchr(above, '/')) && slash > above)
		*slash = '\0';
	return upm_pins_possible(above);
}

static const char *hint_of(int sys_errno)
{
	switch (sys_errno) {
	case EACCES:
	case EPERM:
		return "only its owner and root can look into it: run as one of them";
	case ENOENT:
		return "make the directory that it shall lie in first";
	case EEXIST:
		return "take another name, or unpin that one first";
	case EMFILE:
		return "raise the limit of open files (ulimit -n)";
	default:
		return NULL;
	}
}

int upm_share_fail(const char *operation, const char *path, int sys_errno, const char *what)
{
	bool lacks_mount = (sys_errno == ENOENT || sys_errno == EACCES || sys_errno == EPERM) &&
			   !is_below_bpffs(path);

	if (lacks_mount && strncmp(path, file_system, strlen(file_system)) == 0)
		return upm_fail(UPM_ERR_NOT_FOUND, 0, operation, path,
				"mount one: mount -t bpf bpf /sys/fs/bpf",
				"no BPF file system is mounted at /sys/fs/bpf");
	if (lacks_mount)
		return upm_fail(UPM_ERR_NOT_FOUND, 0, operation, path, UPM_MOUNT_HINT,
				"it does not lie in a BPF file system");
	return upm_fail(upm_status_of_errno(sys_errno), sys_errno, operation, path,
			hint_of(sys_errno), "%s", what);
}

/* ---- directories */

static int fail_foreign(const char *operation, const char *what, uid_t owner)
{
	return upm_fail(
		UPM_ERR_PERMISSION, 0, operation, UPM_PIN_DIRECTORY,
		"see what it is and remove it, or name paths below a BPF file system, such as "
		"/sys/fs/bpf/NAME",
		"%s belongs to user %u, neither to this one (%u) nor to root", what, owner,
		geteuid());
}

int upm_share_open_usual(const char *operation, int flags, int *fd)
{
	struct stat facts = {0};
	int failure;

	*fd = open(UPM_PIN_DIRECTORY, flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	failure = *fd < 0 || fstat(*fd, &facts) ? errno : 0;
	if (!failure && (!facts.st_uid || facts.st_uid == geteuid()))
		return UPM_OK;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	if (!failure)
		return fail_foreign(operation, "it", facts.st_uid);
	if (failure == ENOENT)
		return UPM_OK;
	if (failure == ENOTDIR && lstat(UPM_PIN_DIRECTORY, &facts) == 0)
		return fail_foreign(operation, "it is no directory, and", facts.st_uid);
	return upm_share_fail(operation, UPM_PIN_DIRECTORY, failure, "it can not be looked into");
}

int upm_share_prepare(const char *operation, const struct upm_place_of_pins *place)
{
	int fd, status;

	if (!is_below_bpffs(place->parent))
		return upm_share_fail(operation, place->path, ENOENT, "");
	if (!place->in_directory || mkdir(place->parent, 0700) == 0)
		return UPM_OK;
	if (errno != EEXIST)
		return upm_share_fail(operation, place->parent, errno,
				      "can not make the directory");
	status = upm_share_open_usual(operation, O_PATH, &fd);
	if (fd >= 0)
		close(fd);
	return status;
}

void upm_share_tidy(const struct upm_place_of_pins *place)
{
	struct stat status;

	if (place->in_directory && (lstat(place->parent, &status) || status.st_uid == geteuid()))
		rmdir(place->parent);
}

static int fail_opening(const char *operation, const struct upm_place_of_pins *place, int sys_errno)
{
	if (sys_errno == ENOENT && is_below_bpffs(place->path))
		return upm_fail(UPM_ERR_NOT_FOUND, ENOENT, operation, place->path,
				"uprobe-multi pinned, or upm_pinned_list(), lists those there are",
				"nothing is pinned under this name");
	return upm_share_fail(operation, place->path, sys_errno, "it can not be looked into");
}

int upm_share_open_parent(const char *operation, const struct upm_place_of_pins *place, int *fd)
{
	int status;

	if (!place->in_directory) {
		*fd = open(place->parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
		return *fd < 0 ? fail_opening(operation, place, errno) : UPM_OK;
	}
	status = upm_share_open_usual(operation, O_PATH, fd);
	return status || *fd >= 0 ? status : fail_opening(operation, place, ENOENT);
}

int upm_share_open_place(const char *operation, const struct upm_place_of_pins *place, int parent,
			 struct upm_pins *pins)
{
	const struct upm_pins above = {.fd = parent};
	int failure = -upm_pins_enter(pins, &above, place->name);

	snprintf(pins->path, sizeof(pins->path), "%s", place->path);
	if (failure == EXDEV)
		return upm_share_fail(operation, place->path, ENOENT, "");
	return failure ? fail_opening(operation, place, failure) : UPM_OK;
}

bool upm_share_remove(const struct upm_pins *pins, int parent, const char *name)
{
	static const char *const parts[] = {"links", "filter", "maps"};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct upm_pins part;

		if (upm_pins_enter(&part, pins, parts[i]) == 0) {
			upm_pins_remove(&part, NULL);
			upm_pins_leave(&part);
		}
		unlinkat(pins->fd, parts[i], AT_REMOVEDIR);
	}
	upm_pins_remove_one(pins, "meta");
	return unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

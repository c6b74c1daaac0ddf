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

int upm_share_rename(const char *from, const char *to)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
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

/* In a file system that all may write to, somebody else can have made it, and could exchange what
 * lies in it. */
static int check_owner(const char *operation, const char *directory)
{
	struct stat facts;

	if (stat(directory, &facts) || facts.st_uid == geteuid())
		return UPM_OK;
	return upm_fail(UPM_ERR_PERMISSION, 0, operation, directory,
			"have it removed, or name a path below a BPF file system",
			"it belongs to another user (%u)", facts.st_uid);
}

int upm_share_prepare(const char *operation, const struct upm_place_of_pins *place)
{
	if (!is_below_bpffs(place->parent))
		return upm_share_fail(operation, place->path, ENOENT, "");
	if (!place->in_directory || mkdir(place->parent, 0700) == 0)
		return UPM_OK;
	if (errno == EEXIST)
		return check_owner(operation, place->parent);
	return upm_share_fail(operation, place->parent, errno, "can not make the directory");
}

void upm_share_tidy(const struct upm_place_of_pins *place)
{
	struct stat status;

	if (place->in_directory && !lstat(place->parent, &status) && status.st_uid == geteuid())
		rmdir(place->parent);
}

int upm_share_open_place(const char *operation, const struct upm_place_of_pins *place, int *fd)
{
	*fd = open(place->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd >= 0 && upm_pins_possible(place->path))
		return UPM_OK;
	if (*fd >= 0) {
		close(*fd);
		return upm_share_fail(operation, place->path, ENOENT, "");
	}
	if (errno == ENOENT && is_below_bpffs(place->path))
		return upm_fail(UPM_ERR_NOT_FOUND, ENOENT, operation, place->path,
				"uprobe-multi pinned, or upm_pinned_list(), lists those there are",
				"nothing is pinned under this name");
	return upm_share_fail(operation, place->path, errno, "it can not be looked into");
}

bool upm_share_remove(const char *path)
{
	static const char *const parts[] = {"links", "filter", "maps"};
	char pin[PATH_MAX];

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		upm_pins_path(pin, path, parts[i]);
		upm_pins_remove(pin, NULL);
	}
	upm_pins_path(pin, path, "meta");
	upm_pins_remove_one(pin);
	return rmdir(path) == 0;
}

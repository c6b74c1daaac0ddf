/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A directory below bpffs with one pin for each kernel link: "0", "1", … (bpffs allows no dot). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach/link.h"
#include "attach/reopen.h"
#include "attach/shelter.h"
#include "attach/sys.h"
#include "base/error.h"

#define BPFFS_MAGIC 0xcafe4a11

static const char pin_operation[] = "pin a link";
static const char unpin_operation[] = "remove pins";

static void pin_path(char out[PATH_MAX], const char *directory, size_t index)
{
	snprintf(out, PATH_MAX, "%s/%zu", directory, index);
}

static int fail_pin(const char *path, int sys_errno, const char *hint, const char *what)
{
	return upm_fail(upm_status_of_errno(sys_errno), sys_errno, pin_operation, path, hint, "%s",
			what);
}

static int check_bpffs(const char *path)
{
	struct statfs found;

	if (statfs(path, &found) == 0 && (uint32_t)found.f_type == BPFFS_MAGIC)
		return UPM_OK;
	return upm_fail(UPM_ERR_NOT_FOUND, 0, pin_operation, path,
			"mount one (mount -t bpf bpf /sys/fs/bpf) and name a path below it",
			"it does not lie in a BPF file system");
}

/* A pin may be what kept the link alive: its end is then the link's. */
static void remove_pin(void *path)
{
	syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

static void remove_pins(const char *directory, size_t count)
{
	char path[PATH_MAX];

	while (count-- > 0) {
		pin_path(path, directory, count);
		upm_shelter(remove_pin, path);
	}
	rmdir(directory);
}

static int pin_handles(const struct upm_link *link, const char *directory)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < link->handles.count; i++) {
		int failure;

		pin_path(path, directory, i);
		failure = -upm_sys_object_pin(link->handles.items[i].fd, path);
		if (!failure)
			continue;
		remove_pins(directory, i);
		return fail_pin(path, failure,
				failure == EINVAL
					? "pinning perf events takes a kernel from 5.15 on"
					: NULL,
				"the kernel did not pin the link");
	}
	return UPM_OK;
}

int32_t upm_link_pin(struct upm_link *link, const char *path)
{
	int status;

	if (!link || !path)
		return upm_fail(UPM_ERR_INVALID, 0, pin_operation, path, NULL, "%s is NULL",
				link ? "path" : "link");
	if (!link->handles.count)
		return upm_fail(UPM_ERR_STATE, 0, pin_operation, path, "pin it before the detach",
				"the link is detached");
	if (strlen(path) > PATH_MAX - 32)
		return fail_pin(path, ENAMETOOLONG, NULL, "the path is too long");
	if (mkdir(path, 0700))
		return fail_pin(path, errno,
				errno == EEXIST	 ? "take another name, or unpin that one first"
				: errno == EPERM ? "names below a BPF file system have no dots"
						 : "mount a BPF file system (mount -t bpf bpf "
						   "/sys/fs/bpf) and name a path below it",
				"can not make the directory");
	status = check_bpffs(path);
	if (status) {
		rmdir(path);
		return status;
	}
	status = pin_handles(link, path);
	if (!status) {
		upm_usdt_claim_keep(link->usdt);
		link->usdt = NULL;
	}
	return status;
}

static bool is_number(const char *name)
{
	return *name && strspn(name, "0123456789") == strlen(name);
}

/* Number of pins, or a negative errno. */
static long count_pins(const char *path)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	long count = 0;

	if (!directory)
		return -errno;
	while ((entry = readdir(directory)))
		count += is_number(entry->d_name);
	closedir(directory);
	return count;
}

int32_t upm_link_unpin(const char *path)
{
	long count = path ? count_pins(path) : -EINVAL;

	if (count < 0)
		return upm_fail(path ? upm_status_of_errno((int)-count) : UPM_ERR_INVALID,
				(int)-count, unpin_operation, path,
				"name the directory that upm_link_pin() made", "can not read it");
	remove_pins(path, (size_t)count);
	if (access(path, F_OK))
		return UPM_OK;
	return upm_fail(UPM_ERR_SYSTEM, ENOTEMPTY, unpin_operation, path,
			"remove what else lies there", "the directory stays");
}

static int open_pins(const char *path, size_t count, struct upm_opened *opened)
{
	char pin[PATH_MAX];
	int status = UPM_OK;

	for (size_t i = 0; i < count && !status; i++) {
		int fd;

		pin_path(pin, path, i);
		fd = upm_sys_object_get(pin);
		status = fd < 0 ? upm_fail(upm_status_of_errno(-fd), -fd, "open a pinned link", pin,
					   NULL, "the kernel did not open it")
				: upm_opened_add(opened, fd);
	}
	return status;
}

int32_t upm_link_open(const char *path, struct upm_link **out)
{
	long count = path && out ? count_pins(path) : -EINVAL;
	struct upm_opened opened;
	int status;

	if (count <= 0)
		return upm_fail(path && out ? UPM_ERR_NOT_FOUND : UPM_ERR_INVALID,
				count < 0 ? (int)-count : 0, "open a pinned link", path,
				"name the directory that upm_link_pin() made",
				"there are no pins at this path");
	status = upm_opened_begin(&opened);
	if (!status)
		status = open_pins(path, (size_t)count, &opened);
	return upm_opened_end(&opened, status, out);
}

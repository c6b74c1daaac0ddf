/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A directory below bpffs with one pin for each kernel link: "0", "1", … (bpffs allows no dot). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach/pins.h"
#include "attach/reopen.h"
#include "base/error.h"

static const char pin_operation[] = "pin a link";
static const char open_operation[] = "open a pinned link";
static const char unpin_operation[] = "remove pins";

static int fail_pin(const char *path, int sys_errno, const char *hint, const char *what)
{
	return upm_fail(upm_status_of_errno(sys_errno), sys_errno, pin_operation, path, hint, "%s",
			what);
}

static int make_directory(const char *path)
{
	if (mkdir(path, 0700))
		return fail_pin(path, errno,
				errno == EEXIST	 ? "take another name, or unpin that one first"
				: errno == EPERM ? "names below a BPF file system have no dots"
						 : UPM_MOUNT_HINT,
				"can not make the directory");
	if (upm_pins_possible(path))
		return UPM_OK;
	rmdir(path);
	return upm_fail(UPM_ERR_NOT_FOUND, 0, pin_operation, path, UPM_MOUNT_HINT,
			"it does not lie in a BPF file system");
}

/* @return 0 or the negative errno for which the directory could not be read */
static int take_away(const char *path)
{
	struct upm_pins pins;
	int failure = upm_pins_enter(&pins, NULL, path);

	if (failure)
		return failure;
	failure = upm_pins_remove(&pins, upm_pins_is_number);
	upm_pins_leave(&pins);
	rmdir(path);
	return failure;
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
	status = make_directory(path);
	if (status)
		return status;
	status = upm_pins_add_link(pin_operation, link, path);
	if (status) {
		if (take_away(path))
			rmdir(path);
		return status;
	}
	upm_usdt_claim_keep(link->usdt);
	link->usdt = NULL;
	return UPM_OK;
}

/* A slash at the end would have the kernel follow a symbolic link. */
static bool copy_path(char copy[PATH_MAX], const char *path)
{
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		length--;
	return snprintf(copy, PATH_MAX, "%.*s", (int)length, path) < PATH_MAX;
}

static int fail_path(const char *operation, const char *path, int sys_errno)
{
	static const char hint[] = "name the directory that upm_link_pin() made";

	if (sys_errno == EXDEV)
		return upm_fail(UPM_ERR_NOT_FOUND, 0, operation, path, hint,
				"it does not lie in a BPF file system");
	return upm_fail(path ? upm_status_of_errno(sys_errno) : UPM_ERR_INVALID, sys_errno,
			operation, path, hint,
			sys_errno == ENOTDIR ? "it is no directory, or a symbolic link"
					     : "can not read it");
}

int32_t upm_link_unpin(const char *given)
{
	char path[PATH_MAX];
	int failure;

	if (!given || !copy_path(path, given))
		return fail_path(unpin_operation, given, given ? ENAMETOOLONG : EINVAL);
	failure = -take_away(path);
	if (failure)
		return fail_path(unpin_operation, path, failure);
	if (access(path, F_OK))
		return UPM_OK;
	return upm_fail(UPM_ERR_SYSTEM, ENOTEMPTY, unpin_operation, path,
			"remove what else lies there", "the directory stays");
}

static int open_pins(const struct upm_pins *pins, size_t count, struct upm_opened *opened)
{
	int status = UPM_OK;

	for (size_t i = 0; i < count && !status; i++) {
		int fd;

		status = upm_pins_open_number(open_operation, pins, i, &fd);
		if (!status)
			status = upm_opened_add(opened, fd);
	}
	return status;
}

static int open_link(const struct upm_pins *pins, size_t count, struct upm_link **out)
{
	struct upm_opened opened;
	int status = upm_opened_begin(&opened);

	if (!status)
		status = open_pins(pins, count, &opened);
	return upm_opened_end(&opened, status, out);
}

int32_t upm_link_open(const char *given, struct upm_link **out)
{
	struct upm_pins pins = {.fd = -EINVAL};
	char path[PATH_MAX];
	long count = -EINVAL;
	int status;

	if (given && out && copy_path(path, given))
		count = upm_pins_enter(&pins, NULL, path);
	if (!count)
		count = upm_pins_count(&pins);
	if (count > 0)
		status = open_link(&pins, (size_t)count, out);
	else if (upm_errno_is_scarcity((int)-count))
		status = upm_fail(upm_status_of_errno((int)-count), (int)-count, open_operation,
				  given, NULL, "its pins can not be listed");
	else
		status = upm_fail(given && out ? UPM_ERR_NOT_FOUND : UPM_ERR_INVALID, (int)-count,
				  open_operation, given,
				  "name the directory that upm_link_pin() made",
				  "there are no pins at this path");
	upm_pins_leave(&pins);
	return status;
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A directory below bpffs with one pin for each kernel link: "0", "1", … (bpffs allows no dot). */
#include <errno.h>
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
		upm_pins_remove(path, upm_pins_is_number);
		return status;
	}
	upm_usdt_claim_keep(link->usdt);
	link->usdt = NULL;
	return UPM_OK;
}

int32_t upm_link_unpin(const char *path)
{
	long count = path ? upm_pins_count(path) : -EINVAL;
	int failure;

	if (count < 0)
		return upm_fail(path ? upm_status_of_errno((int)-count) : UPM_ERR_INVALID,
				(int)-count, unpin_operation, path,
				"name the directory that upm_link_pin() made", "can not read it");
	failure = upm_pins_remove(path, upm_pins_is_number);
	if (access(path, F_OK))
		return UPM_OK;
	if (failure)
		return upm_fail(upm_status_of_errno(-failure), -failure, unpin_operation, path,
				NULL, "can not read it");
	return upm_fail(UPM_ERR_SYSTEM, ENOTEMPTY, unpin_operation, path,
			"remove what else lies there", "the directory stays");
}

static int open_pins(const char *path, size_t count, struct upm_opened *opened)
{
	int status = UPM_OK;

	for (size_t i = 0; i < count && !status; i++) {
		int fd;

		status = upm_pins_open_number(open_operation, path, i, &fd);
		if (!status)
			status = upm_opened_add(opened, fd);
	}
	return status;
}

int32_t upm_link_open(const char *path, struct upm_link **out)
{
	long count = path && out ? upm_pins_count(path) : -EINVAL;
	struct upm_opened opened;
	int status;

	if (count < 0 && upm_errno_is_scarcity((int)-count))
		return upm_fail(upm_status_of_errno((int)-count), (int)-count, open_operation, path,
				NULL, "its pins can not be listed");
	if (count <= 0)
		return upm_fail(path && out ? UPM_ERR_NOT_FOUND : UPM_ERR_INVALID,
				count < 0 ? (int)-count : 0, open_operation, path,
				"name the directory that upm_link_pin() made",
				"there are no pins at this path");
	status = upm_opened_begin(&opened);
	if (!status)
		status = open_pins(path, (size_t)count, &opened);
	return upm_opened_end(&opened, status, out);
}

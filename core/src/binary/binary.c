/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "binary/binary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/regular.h"
#include "binary/elf_file.h"

static const char *describe_type(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a directory";
	case S_IFIFO:
		return "a named pipe";
	case S_IFSOCK:
		return "a socket";
	case S_IFCHR:
	case S_IFBLK:
		return "a device";
	}
	return "no regular file";
}

static int identify(struct upm_binary *binary)
{
	struct stat facts;

	if (fstat(binary->fd, &facts))
		return upm_fail(UPM_ERR_SYSTEM, errno, UPM_OPEN_BINARY, binary->path, NULL,
				"the file can not be examined");
	if (!S_ISREG(facts.st_mode))
		return upm_fail(UPM_ERR_FORMAT, 0, UPM_OPEN_BINARY, binary->path,
				"name a program or a shared library", "it is %s",
				describe_type(facts.st_mode));
	binary->device = facts.st_dev;
	binary->inode = facts.st_ino;
	binary->file_size = (uint64_t)facts.st_size;
	return UPM_OK;
}

static int read_binary(struct upm_binary *binary)
{
	int status = identify(binary);

	if (!status)
		status = upm_elf_open(binary->fd, NULL, binary->file_size, binary->path,
				      &binary->elf);
	if (!status)
		status = upm_elf_survey(binary->elf, binary);
	return status;
}

int upm_binary_open_fd(int fd, const char *path, struct upm_binary **out)
{
	struct upm_binary *binary = calloc(1, sizeof(*binary));
	int status;

	if (!binary || !(binary->path = strdup(path))) {
		free(binary);
		close(fd);
		return upm_fail_memory(UPM_OPEN_BINARY);
	}
	binary->references = 1;
	binary->fd = fd;
	status = read_binary(binary);
	if (status) {
		upm_binary_unref(binary);
		return status;
	}
	*out = binary;
	return UPM_OK;
}

static const char *hint_of(int sys_errno)
{
	switch (sys_errno) {
	case ENOENT:
		return "check the path; a library is also found by its name, such as libc.so.6";
	case EACCES:
	case EPERM:
		return "run as root, or make the file readable";
	case EMFILE:
		return "raise the limit of open files (ulimit -n)";
	case EAGAIN:
		return "a process has a lease on it, see /proc/locks; try again";
	}
	return NULL;
}

int upm_binary_open(const char *path, struct upm_binary **out)
{
	int fd = upm_regular_open(path);

	if (fd < 0)
		return upm_fail(upm_status_of_errno(-fd), -fd, UPM_OPEN_BINARY, path, hint_of(-fd),
				"the file can not be opened");
	return upm_binary_open_fd(fd, path, out);
}

struct upm_binary *upm_binary_ref(struct upm_binary *binary)
{
	__atomic_add_fetch(&binary->references, 1, __ATOMIC_RELAXED);
	return binary;
}

void upm_binary_release(struct upm_binary *binary)
{
	upm_elf_release(binary->elf);
	if (binary->fd >= 0)
		close(binary->fd);
	binary->fd = -1;
}

void upm_binary_unref(struct upm_binary *binary)
{
	if (!binary || __atomic_sub_fetch(&binary->references, 1, __ATOMIC_ACQ_REL))
		return;
	upm_elf_close(binary->elf);
	upm_vector_clear(&binary->segments);
	if (binary->fd >= 0)
		close(binary->fd);
	free(binary->path);
	free(binary);
}

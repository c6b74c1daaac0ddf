/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "locate/view.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/regular.h"
#include "locate/process.h"

#define OPEN_FILE "open the file"
/* Lookups that somebody's renaming disturbs, or a signal, before it is said to be unreadable. */
#define LOOKUPS 64
#define ENVIRONMENT_MAX (8u << 20)

static bool same_file(const char *a, const char *b)
{
	struct stat one, two;

	return stat(a, &one) == 0 && stat(b, &two) == 0 && one.st_dev == two.st_dev &&
	       one.st_ino == two.st_ino;
}

static bool shares_our_root(int32_t directory)
{
	char root[64], mounts[64];

	snprintf(root, sizeof(root), "/proc/%" PRId32 "/root", directory);
	snprintf(mounts, sizeof(mounts), "/proc/%" PRId32 "/ns/mnt", directory);
	return same_file(root, "/proc/self/root") && same_file(mounts, "/proc/self/ns/mnt");
}

int upm_view_open(struct upm_view *view, int32_t pid)
{
	char root[64];

	*view = (struct upm_view){.pid = pid, .root = -1};
	if (!pid)
		return UPM_OK;
	view->directory = upm_process_living_thread(pid);
	if (!view->directory)
		return upm_fail_process(pid, ESRCH, "");
	if (shares_our_root(view->directory))
		return UPM_OK;
	snprintf(root, sizeof(root), "/proc/%" PRId32 "/root", view->directory);
	view->root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return view->root < 0 ? upm_fail_process(pid, errno, "its root directory can not be opened")
			      : UPM_OK;
}

void upm_view_close(struct upm_view *view)
{
	if (view->root >= 0)
		close(view->root);
	view->root = -1;
}

static int open_in(const struct upm_view *view, const char *path, int flags)
{
	struct open_how how = {.flags = (uint64_t)flags, .resolve = RESOLVE_IN_ROOT};
	long fd;

	if (view->root < 0)
		return open(path, flags);
	fd = syscall(SYS_openat2, view->root, path, &how, sizeof(how));
	for (int tries = 1; fd < 0 && (errno == EINTR || errno == EAGAIN) && tries < LOOKUPS;
	     tries++)
		fd = syscall(SYS_openat2, view->root, path, &how, sizeof(how));
	return (int)fd;
}

int upm_view_try_flags(const struct upm_view *view, const char *path, int flags)
{
	int fd = open_in(view, path, flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int upm_view_try(const struct upm_view *view, const char *path)
{
	return upm_regular_reopen(upm_view_try_flags(view, path, O_PATH));
}

int upm_view_open_file(const struct upm_view *view, const char *path)
{
	int fd = upm_view_try(view, path);

	if (fd >= 0)
		return fd;
	if (view->pid)
		return upm_fail(upm_status_of_errno(-fd), -fd, OPEN_FILE, path, NULL,
				"it can not be opened as process %" PRId32 " sees it", view->pid);
	return upm_fail(upm_status_of_errno(-fd), -fd, OPEN_FILE, path, NULL,
			"it can not be opened");
}

static char *read_all(int fd, size_t limit, size_t *size)
{
	size_t capacity = 4096;
	char *bytes = malloc(capacity + 1);

	*size = 0;
	while (bytes) {
		ssize_t got = read(fd, bytes + *size, capacity - *size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		*size += (size_t)got;
		if (*size == capacity) {
			char *grown = *size < limit ? realloc(bytes, capacity * 2 + 1) : NULL;

			if (!grown) {
				free(bytes);
				return NULL;
			}
			bytes = grown;
			capacity *= 2;
		}
	}
	if (bytes)
		bytes[*size] = '\0';
	return bytes;
}

char *upm_view_read(const struct upm_view *view, const char *path, size_t limit, size_t *size)
{
	int fd = upm_view_try(view, path);
	char *bytes;

	*size = 0;
	if (fd < 0)
		return NULL;
	bytes = read_all(fd, limit, size);
	close(fd);
	return bytes;
}

static char *find_variable(const char *block, size_t size, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = block; at < block + size; at += strlen(at) + 1) {
		if (strncmp(at, name, length) == 0 && at[length] == '=')
			return strdup(at + length + 1);
	}
	return NULL;
}

char *upm_view_environment(const struct upm_view *view, const char *name)
{
	const struct upm_view ours = {.root = -1};
	char path[64], *block, *value;
	size_t size;

	if (!view->pid) {
		const char *set = getenv(name);

		return set ? strdup(set) : NULL;
	}
	snprintf(path, sizeof(path), "/proc/%" PRId32 "/environ", view->directory);
	block = upm_view_read(&ours, path, ENVIRONMENT_MAX, &size);
	if (!block)
		return NULL;
	value = find_variable(block, size, name);
	free(block);
	return value;
}

char *upm_view_absolute(const struct upm_view *view, const char *path)
{
	char link[64], directory[PATH_MAX], *absolute;
	ssize_t length;

	if (*path == '/')
		return strdup(path);
	if (view->root < 0)
		snprintf(link, sizeof(link), "/proc/self/cwd");
	else
		snprintf(link, sizeof(link), "/proc/%" PRId32 "/cwd", view->directory);
	length = readlink(link, directory, sizeof(directory) - 1);
	if (length <= 0)
		return NULL;
	directory[length] = '\0';
	return asprintf(&absolute, "%s/%s", directory, path) < 0 ? NULL : absolute;
}

char *upm_path_of_fd(int fd)
{
	char link[64], path[PATH_MAX];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length <= 0)
		return NULL;
	path[length] = '\0';
	return strdup(path);
}

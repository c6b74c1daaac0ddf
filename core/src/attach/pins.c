/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * A pin may be what keeps a link alive. Were it just unlinked, a worker of the kernel would end
 * the link some time later, and all links of a directory one after another. So a pin is
 * opened first, and the descriptors are closed side by side: what they keep alive has then ended.
 */
#include "attach/pins.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "attach/shelter.h"
#include "attach/sys.h"
#include "base/error.h"

#define BPFFS_MAGIC 0xcafe4a11

/* Pins that are taken away together: each needs a descriptor meanwhile. */
enum { BATCH = 128 };

void upm_pins_path(char out[PATH_MAX], const char *directory, const char *name)
{
	snprintf(out, PATH_MAX, "%s/%s", directory, name);
}

static void number_path(char out[PATH_MAX], const char *directory, size_t index)
{
	snprintf(out, PATH_MAX, "%s/%zu", directory, index);
}

bool upm_pins_possible(const char *path)
{
	struct statfs found;

	return statfs(path, &found) == 0 && (uint32_t)found.f_type == BPFFS_MAGIC;
}

int upm_pins_add(const char *operation, int fd, const char *path)
{
	int failure = -upm_sys_object_pin(fd, path);

	if (!failure)
		return UPM_OK;
	return upm_fail(upm_status_of_errno(failure), failure, operation, path,
			failure == EINVAL ? "pinning perf events takes a kernel from 5.15 on"
					  : NULL,
			"the kernel did not pin it");
}

int upm_pins_add_link(const char *operation, const struct upm_link *link, const char *directory)
{
	char path[PATH_MAX];
	int status = UPM_OK;

	for (size_t i = 0; i < link->handles.count && !status; i++) {
		number_path(path, directory, i);
		status = upm_pins_add(operation, link->handles.items[i].fd, path);
	}
	return status;
}

int upm_pins_open(const char *operation, const char *path, int *fd)
{
	int result = upm_sys_object_get(path);

	if (result < 0)
		return upm_fail(upm_status_of_errno(-result), -result, operation, path, NULL,
				"the kernel did not open the pin");
	*fd = result;
	return UPM_OK;
}

int upm_pins_open_number(const char *operation, const char *directory, size_t index, int *fd)
{
	char path[PATH_MAX];

	number_path(path, directory, index);
	return upm_pins_open(operation, path, fd);
}

bool upm_pins_is_number(const char *name)
{
	return *name && strspn(name, "0123456789") == strlen(name);
}

long upm_pins_count(const char *directory)
{
	DIR *opened = opendir(directory);
	const struct dirent *entry;
	long count = 0;

	if (!opened)
		return -errno;
	while ((entry = readdir(opened)))
		count += upm_pins_is_number(entry->d_name);
	closedir(opened);
	return count;
}

/* ---- taking away */

struct removal {
	const char *path;
	bool done;
};

static void unlink_pin(void *context)
{
	struct removal *removal = context;

	removal->done = syscall(SYS_unlinkat, AT_FDCWD, removal->path, 0) == 0;
}

/* Without a descriptor to be had (-1), the kernel's worker ends it. */
static bool take(const char *path, int *fd)
{
	struct removal removal = {.path = path};

	*fd = upm_sys_object_get(path);
	upm_shelter(unlink_pin, &removal);
	return removal.done;
}

static bool is_perf_link(int fd)
{
	struct upm_bpf_link_info info = {0};

	return upm_sys_object_info(fd, &info, sizeof(info)) == 0 &&
	       info.type == UPM_BPF_LINK_PERF_EVENT;
}

static void end(int *fds, size_t count)
{
	int perf[BATCH];
	size_t perf_count = 0;

	for (size_t i = 0; i < count; i++) {
		if (fds[i] >= 0 && is_perf_link(fds[i])) {
			perf[perf_count++] = fds[i];
			fds[i] = -1;
		}
	}
	upm_shelter_close_all(fds, count);
	if (perf_count)
		upm_shelter_close_behind(perf, perf_count);
}

void upm_pins_remove_one(const char *path)
{
	int fd;

	take(path, &fd);
	end(&fd, 1);
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

struct batch {
	int fds[BATCH];
	size_t count;
	size_t gone;
};

static void take_entries(const char *directory, bool (*mine)(const char *name), const char *entries,
			 ssize_t bytes, struct batch *batch)
{
	for (ssize_t at = 0; at < bytes && batch->count < BATCH;) {
		const struct dirent64 *entry = (const void *)(entries + at);
		char path[PATH_MAX];

		at += entry->d_reclen;
		if (is_dots(entry->d_name) || (mine && !mine(entry->d_name)))
			continue;
		upm_pins_path(path, directory, entry->d_name);
		batch->gone += take(path, &batch->fds[batch->count++]);
	}
}

/* Without opendir(3), whose memory may be what is short when pins have to go.
 * @return 0 or a negative errno */
static int remove_batch(const char *directory, bool (*mine)(const char *name), struct batch *batch)
{
	_Alignas(struct dirent64) char entries[4096];
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ssize_t bytes = 0;

	batch->count = batch->gone = 0;
	if (fd < 0)
		return -errno;
	while (batch->count < BATCH && (bytes = getdents64(fd, entries, sizeof(entries))) > 0)
		take_entries(directory, mine, entries, bytes, batch);
	if (bytes < 0)
		bytes = -errno;
	close(fd);
	end(batch->fds, batch->count);
	return bytes < 0 ? (int)bytes : 0;
}

int upm_pins_remove(const char *directory, bool (*mine)(const char *name))
{
	struct batch batch;
	int failure;

	do
		failure = remove_batch(directory, mine, &batch);
	while (!failure && batch.gone > 0 && rmdir(directory) && errno == ENOTEMPTY);
	rmdir(directory);
	return failure;
}

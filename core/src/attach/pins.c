/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * A pin may be what keeps a link alive. Were it just unlinked, a worker of the kernel would end
 * the link some time later, and all links of a directory one after another. So a pin is
 * opened first, and the descriptors are closed side by side: what they keep alive has then ended.
 */
#include "attach/pins.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "attach/shelter.h"
#include "attach/sys.h"
#include "base/error.h"

#define BPFFS_MAGIC 0xcafe4a11

/* Pins that are taken away together: each needs a descriptor meanwhile. */
enum { BATCH = 128 };

enum { NUMBER_SIZE = 24 };

void upm_pins_path(char out[PATH_MAX], const char *directory, const char *name)
{
	if (snprintf(out, PATH_MAX, "%s/%s", directory, name) >= PATH_MAX)
		out[0] = '\0';
}

static void name_number(char out[NUMBER_SIZE], size_t index)
{
	snprintf(out, NUMBER_SIZE, "%zu", index);
}

bool upm_pins_possible(const char *path)
{
	struct statfs found;

	return statfs(path, &found) == 0 && (uint32_t)found.f_type == BPFFS_MAGIC;
}

bool upm_pins_possible_at(int fd)
{
	struct statfs found;

	errno = 0;
	return fstatfs(fd, &found) == 0 && (uint32_t)found.f_type == BPFFS_MAGIC;
}

int upm_pins_enter(struct upm_pins *pins, const struct upm_pins *above, const char *name)
{
	if (above)
		upm_pins_path(pins->path, above->path, name);
	else
		snprintf(pins->path, PATH_MAX, "%s", name);
	pins->fd = openat(above ? above->fd : AT_FDCWD, name,
			  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (pins->fd < 0) {
		pins->fd = -errno;
	} else if (!upm_pins_possible_at(pins->fd)) {
		int failure = errno ? -errno : -EXDEV;

		close(pins->fd);
		pins->fd = failure;
	}
	return pins->fd < 0 ? pins->fd : 0;
}

void upm_pins_leave(const struct upm_pins *pins)
{
	if (pins->fd >= 0)
		close(pins->fd);
}

bool upm_pins_has(const struct upm_pins *pins, const char *name)
{
	struct stat facts;

	return fstatat(pins->fd, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
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
	char path[PATH_MAX], name[NUMBER_SIZE];
	int status = UPM_OK;

	for (size_t i = 0; i < link->handles.count && !status; i++) {
		name_number(name, i);
		upm_pins_path(path, directory, name);
		status = upm_pins_add(operation, link->handles.items[i].fd, path);
	}
	return status;
}

/* The kernel follows symbolic links; what is open already is no link any more.
 * @return a descriptor of the object, or a negative errno */
static int get(const struct upm_pins *pins, const char *name)
{
	int result, at = openat(pins->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat facts;
	char path[64];

	if (at < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", at);
	if (fstat(at, &facts))
		result = -errno;
	else
		result = S_ISREG(facts.st_mode) ? upm_sys_object_get(path) : -ELOOP;
	close(at);
	return result;
}

int upm_pins_open(const char *operation, const struct upm_pins *pins, const char *name, int *fd)
{
	int result = get(pins, name);
	char path[PATH_MAX];

	if (result >= 0) {
		*fd = result;
		return UPM_OK;
	}
	upm_pins_path(path, pins->path, name);
	if (result == -ELOOP)
		return upm_fail(UPM_ERR_FORMAT, 0, operation, path, NULL, "it is no pin");
	return upm_fail(upm_status_of_errno(-result), -result, operation, path, NULL,
			"the kernel did not open the pin");
}

int upm_pins_open_number(const char *operation, const struct upm_pins *pins, size_t index, int *fd)
{
	char name[NUMBER_SIZE];

	name_number(name, index);
	return upm_pins_open(operation, pins, name, fd);
}

bool upm_pins_is_number(const char *name)
{
	return *name && strspn(name, "0123456789") == strlen(name);
}

DIR *upm_pins_read(const struct upm_pins *pins)
{
	int fd = openat(pins->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *opened = fd < 0 ? NULL : fdopendir(fd);

	if (!opened && fd >= 0)
		close(fd);
	return opened;
}

const struct dirent *upm_pins_next(DIR *opened)
{
	errno = 0;
	return readdir(opened);
}

long upm_pins_count(const struct upm_pins *pins)
{
	DIR *opened = upm_pins_read(pins);
	const struct dirent *entry;
	long count = 0;

	if (!opened)
		return -errno;
	while ((entry = upm_pins_next(opened)))
		count += upm_pins_is_number(entry->d_name);
	if (errno)
		count = -errno;
	closedir(opened);
	return count;
}

/* ---- taking away */

struct removal {
	int directory;
	const char *name;
	bool done;
};

static void unlink_pin(void *context)
{
	struct removal *removal = context;

	removal->done = syscall(SYS_unlinkat, removal->directory, removal->name, 0) == 0;
}

/* Without a descriptor to be had (negative), the kernel's worker ends it. */
static bool take(const struct upm_pins *pins, const char *name, int *fd)
{
	struct removal removal = {.directory = pins->fd, .name = name};

	*fd = get(pins, name);
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

void upm_pins_remove_one(const struct upm_pins *pins, const char *name)
{
	int fd;

	take(pins, name, &fd);
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

static void take_entries(const struct upm_pins *pins, bool (*mine)(const char *name),
			 const char *entries, ssize_t bytes, struct batch *batch)
{
	for (ssize_t at = 0; at < bytes && batch->count < BATCH;) {
		const struct dirent64 *entry = (const void *)(entries + at);

		at += entry->d_reclen;
		if (!is_dots(entry->d_name) && (!mine || mine(entry->d_name)))
			batch->gone += take(pins, entry->d_name, &batch->fds[batch->count++]);
	}
}

/* Without opendir(3), whose memory may be what is short when pins have to go.
 * @return 0 or a negative errno */
static int remove_batch(const struct upm_pins *pins, bool (*mine)(const char *name),
			struct batch *batch)
{
	_Alignas(struct dirent64) char entries[4096];
	ssize_t bytes = 0;

	batch->count = batch->gone = 0;
	if (lseek(pins->fd, 0, SEEK_SET))
		return -errno;
	while (batch->count < BATCH && (bytes = getdents64(pins->fd, entries, sizeof(entries))) > 0)
		take_entries(pins, mine, entries, bytes, batch);
	if (bytes < 0)
		bytes = -errno;
	end(batch->fds, batch->count);
	return bytes < 0 ? (int)bytes : 0;
}

int upm_pins_remove(const struct upm_pins *pins, bool (*mine)(const char *name))
{
	struct batch batch;
	int failure;

	do
		failure = remove_batch(pins, mine, &batch);
	while (!failure && batch.gone > 0);
	return failure;
}

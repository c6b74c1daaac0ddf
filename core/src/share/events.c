/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "share/events.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/error.h"

static const char operation[] = "read events";

/* Process that holds a flock(2) on the file, as /proc/locks has it; 0 = not to be seen. */
static int holder_of(int fd)
{
	struct stat file;
	char line[256];
	FILE *locks = fstat(fd, &file) ? NULL : fopen("/proc/locks", "re");
	int found = 0;

	while (locks && !found && fgets(line, sizeof(line), locks)) {
		unsigned int device_major, device_minor;
		uint64_t inode;
		int pid;

		if (sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%" SCNu64, &pid, &device_major,
			   &device_minor, &inode) == 4 &&
		    makedev(device_major, device_minor) == file.st_dev && inode == file.st_ino)
			found = pid;
	}
	if (locks)
		fclose(locks);
	return found;
}

static void describe_holder(int pid, char text[64])
{
	char path[64], comm[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = pid > 0 ? fopen(path, "re") : NULL;
	if (file && fgets(comm, sizeof(comm), file))
		comm[strcspn(comm, "\n")] = '\0';
	if (file)
		fclose(file);
	if (pid > 0)
		snprintf(text, 64, "process %d (%s)", pid, *comm ? comm : "?");
	else
		snprintf(text, 64, "another process");
}

static int fail_taken(int holder)
{
	char name[64];

	describe_holder(holder, name);
	return upm_fail(UPM_ERR_STATE, 0, operation, NULL,
			"let it free the observer first; hits and counts can be read meanwhile",
			"%s reads the events of this observer, which have one reader", name);
}

int upm_share_events_open(struct upm_observer *observer)
{
	observer->reader_fd = memfd_create("upm-reader", MFD_CLOEXEC);
	if (observer->reader_fd >= 0)
		return UPM_OK;
	return upm_fail(UPM_ERR_SYSTEM, errno, operation, NULL, NULL,
			"can not make what tells who reads");
}

/* A record lock is the process's own: fork() does not hand it on. */
static int claim_among_forks(const struct upm_observer *observer)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (observer->reader_fd < 0 || fcntl(observer->reader_fd, F_SETLK, &lock) == 0)
		return UPM_OK;
	if (errno != EAGAIN && errno != EACCES)
		return upm_fail(UPM_ERR_SYSTEM, errno, operation, NULL, NULL,
				"can not find out who reads");
	if (fcntl(observer->reader_fd, F_GETLK, &lock) || lock.l_type == F_UNLCK)
		lock.l_pid = 0;
	return fail_taken(lock.l_pid);
}

static int claim_among_openers(const struct upm_observer *observer)
{
	if (observer->pin_fd < 0 || flock(observer->pin_fd, LOCK_EX | LOCK_NB) == 0)
		return UPM_OK;
	if (errno == EWOULDBLOCK)
		return fail_taken(holder_of(observer->pin_fd));
	return upm_fail(UPM_ERR_SYSTEM, errno, operation, NULL, NULL, "its pins can not be locked");
}

int upm_share_claim_events(struct upm_observer *observer)
{
	struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
	int status;

	if (observer->reader == getpid())
		return UPM_OK;
	status = claim_among_forks(observer);
	if (status)
		return status;
	status = claim_among_openers(observer);
	if (!status)
		observer->reader = getpid();
	else if (observer->reader_fd >= 0)
		fcntl(observer->reader_fd, F_SETLK, &lock);
	return status;
}

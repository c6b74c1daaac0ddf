/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "base/regular.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Who has a lease on the file is told by the first attempt, and may take 45 seconds to give it up.
 */
#define LEASE_TRIES 10
#define LEASE_PAUSE_US 10000

static int open_named(int named)
{
	char link[64];
	int fd;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", named);
	fd = open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	for (int tries = 1; fd < 0 && errno == EAGAIN && tries < LEASE_TRIES; tries++) {
		usleep(LEASE_PAUSE_US);
		fd = open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	}
	return fd < 0 ? -errno : fd;
}

int upm_regular_reopen(int named)
{
	struct stat facts;
	int fd;

	if (named < 0 || fstat(named, &facts) || !S_ISREG(facts.st_mode))
		return named;
	fd = open_named(named);
	close(named);
	return fd;
}

int upm_regular_open(const char *path)
{
	int named = open(path, O_PATH | O_CLOEXEC);

	return named < 0 ? -errno : upm_regular_reopen(named);
}

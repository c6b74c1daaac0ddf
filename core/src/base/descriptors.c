/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "base/descriptors.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>

#define SPARE_DESCRIPTORS 16

/* Of two threads that raise the limit, the later must not put back what it was before the other. */
static pthread_mutex_t raising = PTHREAD_MUTEX_INITIALIZER;

/* Where there is no free one to count them with, all are in use. For want of memory they are not
 * counted: who opens one too many will hear of it. */
static rlim_t open_descriptors(rlim_t most)
{
	DIR *directory = opendir("/proc/self/fd");
	rlim_t count = 0;

	if (!directory)
		return errno == ENOMEM ? 0 : most;
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static bool raise_limit(rlim_t wanted, struct rlimit *limit)
{
	rlim_t needed;

	if (getrlimit(RLIMIT_NOFILE, limit))
		return true;
	needed = wanted + open_descriptors(limit->rlim_cur) + SPARE_DESCRIPTORS;
	if (limit->rlim_cur >= needed)
		return true;
	limit->rlim_cur = needed < limit->rlim_max ? needed : limit->rlim_max;
	return setrlimit(RLIMIT_NOFILE, limit) == 0 && limit->rlim_cur == needed;
}

bool upm_descriptors_reserve(rlim_t wanted, struct rlimit *limit)
{
	bool room;

	pthread_mutex_lock(&raising);
	room = raise_limit(wanted, limit);
	pthread_mutex_unlock(&raising);
	return room;
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "base/clock.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#define SECOND_NS 1000000000

uint64_t upm_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

/* The file of offsets is about the namespace of children, which need not be the process's own. */
static bool is_own_namespace(void)
{
	struct stat own, children;

	return stat("/proc/self/ns/time", &own) == 0 &&
	       stat("/proc/self/ns/time_for_children", &children) == 0 &&
	       own.st_ino == children.st_ino && own.st_dev == children.st_dev;
}

int64_t upm_clock_offset_ns(void)
{
	int64_t seconds = 0, nanoseconds = 0;
	FILE *offsets = is_own_namespace() ? fopen("/proc/self/timens_offsets", "re") : NULL;

	if (!offsets)
		return 0;
	if (fscanf(offsets, "monotonic %" SCNd64 " %" SCNd64, &seconds, &nanoseconds) != 2)
		seconds = nanoseconds = 0;
	fclose(offsets);
	return seconds * SECOND_NS + nanoseconds;
}

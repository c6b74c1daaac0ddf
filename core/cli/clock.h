/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef UPM_CLI_CLOCK_H
#define UPM_CLI_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLI_SECOND_NS 1000000000ull

static inline uint64_t cli_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * CLI_SECOND_NS + (uint64_t)now.tv_nsec;
}

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Attaching and letting go by the engine, against the system calls that it can not do without. */
#ifndef UPM_TESTS_BENCH_FLOOR_H
#define UPM_TESTS_BENCH_FLOOR_H

#include "bench.h"

struct attach_case {
	const char *spec;
	uint32_t flags;		   /* of enum upm_resolve_flag */
	int rounds;		   /* at most MOST_SAMPLES */
	struct comparison *attach; /* names and goals; receives the samples */
	struct comparison *detach; /* NULL = not told */
};

/** Measure and report. */
void compare_with_floor(const struct attach_case *attach_case);
/** What was built a moment ago has no index yet. */
void wait_until_at_rest(const char *path);

#endif

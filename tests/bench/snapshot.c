/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Reading the counters of an observer of 100,000 probes, and what a probe of a million costs in
 * memory. */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

#define COUNTERS 100000
#define ROUNDS 21

void bench_snapshot(void)
{
	struct samples times = {0};
	struct upm_probe_set *set;
	struct upm_observer *observer;
	uint64_t *hits = calloc(COUNTERS, sizeof(*hits));
	char spec[4200];
	const char *specs = spec;

	need_errno(hits ? 0 : -1, "have memory");
	snprintf(spec, sizeof(spec), "%s:*", generated_path(COUNTERS));
	NEED(upm_resolve(&specs, 1, NULL, &set));
	NEED(upm_count(set, NULL, &observer));
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t start = now_ns();

		NEED(upm_observer_hits(observer, hits, COUNTERS));
		samples_add(&times, now_ns() - start);
	}
	report_number("snapshot_100000", "snapshot of 100,000 counters",
		      (double)samples_median(&times) / 1e6, "ms (goal: under 5)");
	upm_observer_free(observer);
	upm_probe_set_free(set);
	free(hits);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What a latency had measured at one moment: rows in the order of probe, pid, tid. */
#ifndef UPM_OBSERVE_LATENCY_SNAPSHOT_H
#define UPM_OBSERVE_LATENCY_SNAPSHOT_H

#include "base/vector.h"
#include "uprobe_multi.h"
#include "upm_latency.h"

struct upm_latency_record {
	struct upm_latency_owner owner;
	uint64_t entries, calls, unreturned;
	uint64_t sum_ns, min_ns, max_ns; /* min and max 0 without calls */
	uint64_t buckets[UPM_LATENCY_BUCKETS];
};

struct upm_latency_snapshot {
	UPM_VECTOR(struct upm_latency_record) rows;
	uint64_t time_ns;
	uint64_t lost;
};

/** @return the order of two rows, as for qsort(). */
int upm_latency_owner_compare(const struct upm_latency_owner *a, const struct upm_latency_owner *b);
/** @return an empty snapshot with room for so many rows, or NULL. */
struct upm_latency_snapshot *upm_latency_snapshot_new(size_t rows);

#endif

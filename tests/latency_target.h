/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The target of latency tests (tests/target/timed.c) under an observer. */
#ifndef UPM_TESTS_LATENCY_TARGET_H
#define UPM_TESTS_LATENCY_TARGET_H

#include "live_target.h"

#include "observe/latency.h"

/* What measures: the session, the pair on multi links, the pair on perf events. */
struct way {
	enum upm_latency_form form;
	uint32_t backend;
};
/** How many ways of measuring this kernel has; the best is the first. */
size_t latency_ways(void);
const struct way *latency_way(size_t index);

/* One target with one observer. */
struct run {
	struct target target;
	struct upm_probe_set *set;
	struct upm_observer *observer;
	struct upm_latency_snapshot *snapshot; /* the last one */
};

/** Resolve functions of the target. */
struct upm_probe_set *resolve_timed(const char *kind, const char *pattern);
/** Start the target, and measure the functions that the pattern means. */
void run_begin(struct run *run, const struct way *way, const char *pattern,
	       const struct upm_latency_options *latency, uint32_t flags);
/** Have a command done and return the answer. */
const char *run_command(struct run *run, const char *command);
/** Take a snapshot. */
void run_read(struct run *run);
/** Free everything; the target must be well. */
void run_finish(struct run *run);

struct upm_latency_row row_at(const struct upm_latency_snapshot *snapshot, size_t index);
/** The only row of a snapshot that lost nothing. */
struct upm_latency_row only_row(const struct upm_latency_snapshot *snapshot);
/** Numbers of a row, and that the others fit. */
void assert_row(const struct upm_latency_row *row, uint64_t entries, uint64_t calls);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What is hit: programs on a function of a caller, each timed while the function is called. */
#ifndef UPM_TESTS_BENCH_SUBJECT_H
#define UPM_TESTS_BENCH_SUBJECT_H

#include "observe.h"

struct subject {
	const char *name;
	/** @return time of so many calls, ns */
	uint64_t (*time)(struct caller *caller, const struct subject *subject, unsigned long calls);
	uint32_t flags;	      /* of a trace */
	uint32_t attach_type; /* of an empty program */
	bool at_return;
	const char *script; /* of bpftrace; each %s is "PROGRAM:FUNCTION" */
};

/* Programs that do nothing. */
extern const struct subject subject_empty, subject_empty_return, subject_empty_session;
extern const struct subject subject_count, subject_count_return, subject_latency;
extern const struct subject subject_trace, subject_trace_calls;

/** Have it called a few times, then so often. @return time of the latter, ns */
uint64_t time_calls(struct caller *caller, unsigned long calls);

struct duel {
	const char *name, *what;
	const struct subject *base, *ours;
	unsigned long calls; /* of each sample */
	int rounds;
	double goal; /* as in struct comparison */
};
/** Take turns, and report. @return median of the base, ns */
uint64_t compare_subjects(struct caller *caller, const struct duel *duel);

#endif

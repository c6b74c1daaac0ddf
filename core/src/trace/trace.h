/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The state of a tracing observer. */
#ifndef UPM_TRACE_TRACE_H
#define UPM_TRACE_TRACE_H

#include "observe/counters.h"
#include "observe/observer.h"
#include "trace/batch.h"
#include "trace/lists.h"
#include "trace/ring.h"
#include "upm_trace.h"

struct upm_trace {
	struct upm_trace_config config;
	struct upm_trace_lists lists;
	struct upm_counters counters;
	struct upm_ring ring;
	struct upm_batch *pulled; /* what upm_trace_next() and upm_trace_run() take from; or NULL */
	size_t next;		  /* event of it */
	int64_t clock_offset_ns;  /* from times of records to CLOCK_MONOTONIC here */
	uint64_t swept_at;	  /* upm_trace_shared.calls_refused when calls were swept last */
	int64_t swept_s;	  /* CLOCK_MONOTONIC of that; 0 = never */
};

/* What upm_trace() asks for. */
struct upm_trace_request {
	struct upm_trace_options options;
	bool pairs; /* follow calls by two programs also where the kernel has sessions */
};

/** upm_trace(), with or without sessions. */
int upm_trace_as(const struct upm_probe_set *set, const struct upm_trace_options *trace,
		 const struct upm_attach_options *options, bool pairs, struct upm_observer **out);

#endif

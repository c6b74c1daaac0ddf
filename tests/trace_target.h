/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The target of trace tests (tests/target/traced.c) under an observer. */
#ifndef UPM_TESTS_TRACE_TARGET_H
#define UPM_TESTS_TRACE_TARGET_H

#include "live_target.h"

/* What records: multi links with a session, with pairs of programs, perf events. */
struct trace_way {
	uint32_t backend;
	bool pairs;
};
/** How many ways of recording this kernel has; the best is the first. */
size_t trace_ways(void);
const struct trace_way *trace_way(size_t index);

/* One target with one observer. */
struct traced {
	struct target target;
	struct upm_probe_set *set;
	struct upm_observer *observer;
	struct upm_batch *batch; /* what was read last */
};

/** Start the target and resolve what is to be traced of it: "uprobe:counted", "usdt:forms:many" …
 */
void traced_start(struct traced *traced, const char *program, const char *const *specs,
		  size_t count);
/** Trace it. way NULL = the first; options NULL = only the target's process. */
void traced_observe(struct traced *traced, const struct upm_trace_options *trace,
		    const struct trace_way *way, const struct upm_attach_options *options);
/** Both, for one spec of the program "target/traced". */
void traced_begin(struct traced *traced, const char *spec, const struct upm_trace_options *trace,
		  const struct trace_way *way);
/** Have a command done. @return what follows "COMMAND done" in the answer */
const char *traced_command(struct traced *traced, const char *command);
/** Stop observing, and read all that is left. @return number of events */
size_t traced_stop(struct traced *traced);
/** Event number index of the batch. */
const struct upm_event *traced_event(const struct traced *traced, size_t index);
/** The text of an argument; *length receives its bytes. */
const char *traced_text(const struct traced *traced, const struct upm_event *event,
			uint32_t argument, uint32_t *length);
/** Check that the argument is this string. */
void assert_argument_text(const struct traced *traced, const struct upm_event *event,
			  uint32_t argument, const char *text);
/** Name of the target's own function at an address of the process; "" where there is none. */
const char *traced_function(const struct traced *traced, uint64_t address);
/** What became of the hits of all probes, which must add up. */
struct upm_trace_count traced_counts(const struct traced *traced);
/** Free everything; the target must be well. */
void traced_finish(struct traced *traced);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The state of one `trace`, for those who show its events. */
#ifndef UPM_CLI_TRACE_H
#define UPM_CLI_TRACE_H

#include "folded.h"
#include "frames.h"
#include "observation.h"

/** A probe as its events show it, made when its first event comes. */
struct cli_traced {
	char *name; /**< without the parameters of a C++ function */
	struct upm_probe probe;
	struct upm_event_argument arguments[UPM_EVENT_ARGUMENTS];
	struct upm_event_argument result;
};

struct cli_trace {
	struct cli_observation base;
	const char **signatures; /**< one for each probe of the set; NULL = none */
	struct upm_batch *batch;
	uint64_t room;			/**< events that the batch takes */
	struct cli_traced **traced;	/**< one for each probe; NULL = no event yet */
	struct upm_trace_count *counts; /**< one for each probe */
	struct upm_trace_count sum;
	struct cli_frames frames;
	struct cli_folded folded;
	uint64_t shown;	    /**< events */
	uint64_t start_ns;  /**< zero of the time shown, CLOCK_MONOTONIC; 0 = not known yet */
	int64_t wall_ns;    /**< from CLOCK_MONOTONIC to the time since 1970 */
	uint64_t warned_ns; /**< when it was looked for lost events */
	uint64_t warned_of; /**< lost events told of */
	size_t id_width;    /**< columns never shrink, so that the eye can rest */
	size_t comm_width;
};

/** @return the probe of an event; NULL: no memory, or there is no such probe. */
const struct cli_traced *cli_trace_probe(struct cli_trace *trace, uint32_t position);
void cli_traced_free(struct cli_traced *traced);

/** Print an event as a line, with its stack below. */
void cli_trace_print_event(struct cli_trace *trace, const struct upm_event *event,
			   const char *text);

/** Print an event as one line of JSON. */
void cli_trace_json_event(struct cli_trace *trace, const struct upm_event *event, const char *text);

/** Add an event to the collapsed stacks. @return 0 or CLI_FAILED after a message. */
int cli_trace_fold_event(struct cli_trace *trace, const struct upm_event *event);

/** Warn on stderr of events that were lost so far. */
void cli_trace_tell_lost(struct cli_trace *trace);

/** Print the summary on stderr. @return CLI_DONE or CLI_FAILED */
int cli_trace_print(struct cli_observation *observation);

/** Print the summary as the last line of JSON. @return CLI_DONE or CLI_FAILED */
int cli_trace_json(struct cli_observation *observation);

#endif

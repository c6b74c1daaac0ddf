// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <string.h>

#include "arguments.h"
#include "values.h"

static uint32_t parse_split(struct argp_state *state, const char *text)
{
	if (strcmp(text, "process") == 0)
		return UPM_SPLIT_PROCESS;
	if (strcmp(text, "thread") == 0)
		return UPM_SPLIT_THREAD;
	argp_error(state, "--split %s: choose process or thread", text);
	return UPM_SPLIT_NONE;
}

static size_t parse_histograms(struct argp_state *state, const char *text)
{
	if (strcmp(text, "none") == 0)
		return 0;
	return cli_value_number(state, "--histogram", "a number of histograms, or none", text, 0,
				1000000);
}

static bool parse_clock(struct argp_state *state, const char *text)
{
	bool wall = strcmp(text, "wall") == 0;

	if (!wall && strcmp(text, "start") != 0)
		argp_error(state, "--time %s: choose start or wall", text);
	return wall;
}

static error_t parse_latency(int key, char *argument, struct argp_state *state,
			     struct cli_options *options)
{
	switch (key) {
	case CLI_OPTION_SPLIT:
		options->split = parse_split(state, argument);
		return 0;
	case CLI_OPTION_HISTOGRAM:
		options->histograms = parse_histograms(state, argument);
		return 0;
	case CLI_OPTION_ROWS:
		options->most_rows = (uint32_t)cli_value_number(state, "--rows",
								"a number of rows to make room for",
								argument, 1, UINT32_MAX);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* What is recorded. */
static error_t parse_recording(int key, char *argument, struct argp_state *state,
			       struct cli_trace_options *trace)
{
	switch (key) {
	case CLI_OPTION_ARGS:
		trace->signature = argument;
		trace->signature_count++;
		trace->signature_waits = true;
		return 0;
	case CLI_OPTION_RETURNS:
		trace->returns = true;
		return 0;
	case CLI_OPTION_STACKS:
		trace->stacks = true;
		if (argument)
			trace->stack_frames = (uint32_t)cli_value_number(
				state, "--stacks", "a number of frames from 1 to 127", argument, 1,
				127);
		return 0;
	case CLI_OPTION_RING:
		trace->ring_bytes = cli_value_size(state, "--ring", argument);
		return 0;
	case CLI_OPTION_TEXT:
		trace->text_bytes = (uint32_t)cli_value_number(
			state, "--text", "a number of bytes from 1 to 4096", argument, 1, 4096);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Which hits become events. */
static error_t parse_choice(int key, char *argument, struct argp_state *state,
			    struct cli_trace_options *trace)
{
	switch (key) {
	case CLI_OPTION_FILTER:
		trace->filter = argument;
		return 0;
	case CLI_OPTION_COMM:
		if (!*argument)
			argp_error(state,
				   "--comm '': a thread has a name; leave --comm out for all");
		trace->comm = argument;
		return 0;
	case CLI_OPTION_TID:
		cli_value_ids(state, "--tid", "thread", argument, &trace->tids, &trace->tid_count);
		return 0;
	case CLI_OPTION_SAMPLE:
		trace->sample = (uint32_t)cli_value_number(state, "--sample",
							   "a number: one event of so many hits",
							   argument, 1, UINT32_MAX);
		return 0;
	case CLI_OPTION_RATE:
		trace->rate = (uint32_t)cli_value_number(
			state, "--rate", "a number of events a second", argument, 1, UINT32_MAX);
		return 0;
	case 'c':
		trace->most_events = cli_value_number(state, "-c", "a number of events", argument,
						      1, UINT64_MAX);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_showing(int key, char *argument, struct argp_state *state,
			     struct cli_options *options)
{
	switch (key) {
	case CLI_OPTION_FOLDED:
		options->trace.folded = true;
		options->trace.stacks = true;
		return 0;
	case CLI_OPTION_TIME:
		options->trace.wall_clock = parse_clock(state, argument);
		return 0;
	case 'f':
		options->follow = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

error_t cli_parse_observer_option(int key, char *argument, struct argp_state *state,
				  struct cli_options *options)
{
	if (parse_latency(key, argument, state, options) == 0 ||
	    parse_recording(key, argument, state, &options->trace) == 0 ||
	    parse_choice(key, argument, state, &options->trace) == 0)
		return 0;
	return parse_showing(key, argument, state, options);
}

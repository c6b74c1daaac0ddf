// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "options.h"

#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "clock.h"
#include "values.h"

#define DEFAULT_HISTOGRAMS 3

void cli_add_spec(struct argp_state *state, struct cli_options *options, const char *spec)
{
	struct cli_trace_options *trace = &options->trace;
	size_t count = options->spec_count + 1;

	options->specs = cli_value_grow(state, options->specs, count, sizeof(*options->specs));
	trace->signatures =
		cli_value_grow(state, trace->signatures, count, sizeof(*trace->signatures));
	options->specs[options->spec_count] = spec;
	trace->signatures[options->spec_count++] = trace->signature;
	trace->signature_waits = false;
}

static uint32_t parse_backend(struct argp_state *state, const char *text)
{
	if (strcmp(text, "auto") == 0)
		return UPM_BACKEND_AUTO;
	if (strcmp(text, "multi") == 0 || strcmp(text, "uprobe_multi") == 0)
		return UPM_BACKEND_UPROBE_MULTI;
	if (strcmp(text, "perf") == 0 || strcmp(text, "perf_event") == 0)
		return UPM_BACKEND_PERF_EVENT;
	argp_error(state, "--backend %s: choose auto, multi or perf", text);
	return UPM_BACKEND_AUTO;
}

/* @return the names of all verdicts with blanks between them, cut to fit. */
static const char *verdict_names(char *buffer, size_t size)
{
	const char *name;
	size_t length = 0;

	*buffer = '\0';
	for (int32_t verdict = 0; *(name = upm_verdict_name(verdict)) != '?'; verdict++)
		if (length < size)
			length += (size_t)snprintf(buffer + length, size - length, "%s%s",
						   verdict ? " " : "", name);
	return buffer;
}

static uint32_t parse_placement(struct argp_state *state, const char *text)
{
	if (strcmp(text, "cheapest") == 0)
		return UPM_PLACEMENT_CHEAPEST;
	if (strcmp(text, "exact") != 0)
		argp_error(state, "--placement %s: choose cheapest or exact", text);
	return UPM_PLACEMENT_EXACT;
}

static uint32_t parse_observer(struct argp_state *state, const char *text)
{
	for (uint32_t kind = UPM_OBSERVER_COUNT; kind <= UPM_OBSERVER_TRACE; kind++)
		if (strcmp(text, upm_observer_kind_name(kind)) == 0)
			return kind;
	argp_error(state, "--observer %s: choose count, latency or trace", text);
	return UPM_OBSERVER_COUNT;
}

static int32_t parse_verdict(struct argp_state *state, const char *text)
{
	const char *name;
	char names[1024];

	for (int32_t verdict = 0; *(name = upm_verdict_name(verdict)) != '?'; verdict++)
		if (strcmp(name, text) == 0)
			return verdict;
	argp_error(state, "--verdict %s: no such verdict; choose one of: %s", text,
		   verdict_names(names, sizeof(names)));
	return CLI_ANY_VERDICT;
}

static const struct {
	const char *subcommand;
	const char *name;
	enum cli_sort sort;
} sorts[] = {
	{"count", "hits", CLI_SORT_HITS},     {"count", "rate", CLI_SORT_RATE},
	{"latency", "total", CLI_SORT_TOTAL}, {"latency", "calls", CLI_SORT_CALLS},
	{"latency", "p99", CLI_SORT_P99},     {"latency", "max", CLI_SORT_MAX},
	{"pinned", "hits", CLI_SORT_HITS},    {"pinned", "rate", CLI_SORT_RATE},
	{"pinned", "total", CLI_SORT_TOTAL},  {"pinned", "calls", CLI_SORT_CALLS},
	{"pinned", "p99", CLI_SORT_P99},      {"pinned", "max", CLI_SORT_MAX},
};

static enum cli_sort parse_sort(struct argp_state *state, const struct cli_options *options,
				const char *text)
{
	char names[128] = "";

	for (size_t i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++) {
		if (strcmp(sorts[i].subcommand, options->name) != 0)
			continue;
		if (strcmp(sorts[i].name, text) == 0)
			return sorts[i].sort;
		strcat(strcat(names, *names ? ", " : ""), sorts[i].name);
	}
	argp_error(state, "--sort %s: choose one of %s", text, names);
	return CLI_SORT_DEFAULT;
}

static error_t parse_common(int key, char *argument, struct argp_state *state,
			    struct cli_options *options)
{
	switch (key) {
	case 'p':
		cli_value_ids(state, "-p", "process", argument, &options->pids,
			      &options->pid_count);
		return 0;
	case 'o':
		options->output = strcmp(argument, "-") == 0 ? NULL : argument;
		return 0;
	case CLI_OPTION_JSON:
		options->json = true;
		return 0;
	case 'h':
		argp_state_help(state, state->out_stream, ARGP_HELP_STD_HELP);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_resolve(int key, struct cli_options *options)
{
	static const struct {
		int key;
		uint32_t flag;
	} flags[] = {
		{CLI_OPTION_DEBUG, UPM_RESOLVE_DEBUG_ALWAYS},
		{CLI_OPTION_NO_DEBUG, UPM_RESOLVE_DEBUG_NEVER},
		{CLI_OPTION_DEBUGINFOD, UPM_RESOLVE_DEBUGINFOD},
		{CLI_OPTION_ALL_MATCHES, UPM_RESOLVE_ALL_MATCHES},
		{CLI_OPTION_ACCEPT_UNWINDING, UPM_RESOLVE_ACCEPT_UNWINDING},
		{CLI_OPTION_NO_INDEX, UPM_RESOLVE_NO_INDEX},
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (flags[i].key == key) {
			options->resolve_flags |= flags[i].flag;
			return 0;
		}
	}
	return ARGP_ERR_UNKNOWN;
}

static error_t parse_run(int key, char *argument, struct argp_state *state,
			 struct cli_options *options)
{
	switch (key) {
	case 'd':
		options->duration_ns = cli_value_time(state, "-d", argument);
		return 0;
	case CLI_OPTION_STRICT:
		options->attach_flags |= UPM_ATTACH_STRICT;
		return 0;
	case CLI_OPTION_CHILDREN:
		options->attach_flags |= UPM_ATTACH_CHILDREN;
		return 0;
	case CLI_OPTION_BACKEND:
		options->backend = parse_backend(state, argument);
		return 0;
	case CLI_OPTION_PLACEMENT:
		options->placement = parse_placement(state, argument);
		return 0;
	case CLI_OPTION_PROGRAM:
		options->program = argument;
		return 0;
	case CLI_OPTION_PIN:
		options->pin = argument;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_table(int key, char *argument, struct argp_state *state,
			   struct cli_options *options)
{
	switch (key) {
	case 'n':
		options->top = cli_value_number(state, "-n", "a number of rows (0 = all)", argument,
						0, SIZE_MAX);
		options->top_given = true;
		return 0;
	case 'i':
		options->interval_ns = cli_value_time(state, "-i", argument);
		options->interval_given = true;
		return 0;
	case CLI_OPTION_ALL:
		options->all = true;
		return 0;
	case CLI_OPTION_SORT:
		options->sort = parse_sort(state, options, argument);
		return 0;
	case CLI_OPTION_DEMANGLE:
		options->demangle = CLI_DEMANGLE_ALWAYS;
		return 0;
	case CLI_OPTION_NO_DEMANGLE:
		options->demangle = CLI_DEMANGLE_NEVER;
		return 0;
	case CLI_OPTION_OBSERVER:
		options->observer = parse_observer(state, argument);
		return 0;
	case CLI_OPTION_VERDICT:
		options->verdict = parse_verdict(state, argument);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

error_t cli_parse_option(int key, char *argument, struct argp_state *state,
			 struct cli_options *options)
{
	if (parse_common(key, argument, state, options) == 0 || parse_resolve(key, options) == 0 ||
	    parse_run(key, argument, state, options) == 0)
		return 0;
	if (parse_table(key, argument, state, options) == 0)
		return 0;
	return cli_parse_observer_option(key, argument, state, options);
}

/* Cut argv at "--"; what follows is the command to run. */
static char **split_command(int *argc, char **argv)
{
	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			*argc = i;
			argv[i] = NULL;
			return argv + i + 1;
		}
	}
	return NULL;
}

void cli_options_parse(const struct cli_subcommand *subcommand, int argc, char **argv,
		       struct cli_options *options)
{
	*options = (struct cli_options){
		.name = subcommand->name,
		.interval_ns = CLI_SECOND_NS,
		.histograms = DEFAULT_HISTOGRAMS,
		.verdict = CLI_ANY_VERDICT,
		.command = split_command(&argc, argv),
	};
	cli_arguments_parse(subcommand, argc, argv, options);
}

void cli_options_free(struct cli_options *options)
{
	free(options->specs);
	free(options->pids);
	free(options->trace.signatures);
	free(options->trace.tids);
}

struct upm_resolve_options cli_resolve_options(const struct cli_options *options,
					       const char *program, struct cli_progress *progress)
{
	return (struct upm_resolve_options){
		.size = sizeof(struct upm_resolve_options),
		.flags = options->resolve_flags,
		.pids = options->pids,
		.pid_count = options->pid_count,
		.program = program,
		.progress = cli_progress_step,
		.progress_context = progress,
	};
}

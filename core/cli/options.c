// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "options.h"

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "clock.h"
#include "report.h"

static void *grow(void *array, size_t count, size_t size, struct argp_state *state)
{
	void *grown = reallocarray(array, count, size);

	if (!grown)
		argp_failure(state, CLI_FAILED, ENOMEM, "read the arguments");
	return grown;
}

void cli_add_spec(struct argp_state *state, struct cli_options *options, const char *spec)
{
	options->specs =
		grow(options->specs, options->spec_count + 1, sizeof(*options->specs), state);
	options->specs[options->spec_count++] = spec;
}

static void add_pids(struct argp_state *state, struct cli_options *options, const char *list)
{
	const char *at = list;

	do {
		char *end;
		long pid;

		errno = 0;
		pid = strtol(at, &end, 10);
		if (end == at || errno || pid <= 0 || pid > INT_MAX || (*end && *end != ','))
			argp_error(state, "-p %s: not a list of process numbers such as 12,34",
				   list);
		options->pids =
			grow(options->pids, options->pid_count + 1, sizeof(*options->pids), state);
		options->pids[options->pid_count++] = (int32_t)pid;
		at = *end ? end + 1 : end;
	} while (*at);
}

static uint64_t parse_time(struct argp_state *state, const char *text)
{
	static const struct {
		const char *suffix;
		double seconds;
	} units[] = {{"", 1}, {"s", 1}, {"ms", 1e-3}, {"m", 60}, {"h", 3600}};
	char *end;
	double value = strtod(text, &end);

	for (size_t i = 0; end != text && i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(end, units[i].suffix) == 0 && value * units[i].seconds >= 1e-3 &&
		    value * units[i].seconds <= 1e9)
			return (uint64_t)(value * units[i].seconds * (double)CLI_SECOND_NS);
	argp_error(state, "%s: not a time such as 2, 0.5, 200ms, 5m or 1h", text);
	return 0;
}

static size_t parse_count(struct argp_state *state, const char *text)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (end == text || *end || errno || *text == '-')
		argp_error(state, "-n %s: not a number of rows (0 = all)", text);
	return value;
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

static void parse_sort(struct argp_state *state, struct cli_options *options, const char *text)
{
	options->by_rate = strcmp(text, "rate") == 0;
	if (!options->by_rate && strcmp(text, "hits") != 0)
		argp_error(state, "--sort %s: choose hits or rate", text);
}

static error_t parse_common(int key, char *argument, struct argp_state *state,
			    struct cli_options *options)
{
	switch (key) {
	case 'p':
		add_pids(state, options, argument);
		return 0;
	case 'o':
		options->output = argument;
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
		options->duration_ns = parse_time(state, argument);
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
		options->top = parse_count(state, argument);
		options->top_given = true;
		return 0;
	case 'i':
		options->interval_ns = parse_time(state, argument);
		options->interval_given = true;
		return 0;
	case CLI_OPTION_ALL:
		options->all = true;
		return 0;
	case CLI_OPTION_SORT:
		parse_sort(state, options, argument);
		return 0;
	case CLI_OPTION_DEMANGLE:
		options->demangle = CLI_DEMANGLE_ALWAYS;
		return 0;
	case CLI_OPTION_NO_DEMANGLE:
		options->demangle = CLI_DEMANGLE_NEVER;
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
	return parse_table(key, argument, state, options);
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
		.interval_ns = CLI_SECOND_NS,
		.verdict = CLI_ANY_VERDICT,
		.command = split_command(&argc, argv),
	};
	cli_arguments_parse(subcommand, argc, argv, options);
}

void cli_options_free(struct cli_options *options)
{
	free(options->specs);
	free(options->pids);
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

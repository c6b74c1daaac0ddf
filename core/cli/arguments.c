// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "arguments.h"

#include <stdlib.h>
#include <string.h>

#include "grammar.h"
#include "report.h"

#define MOST_OPTIONS 64

/* What argp hands to the parser. */
struct input {
	const struct cli_grammar *grammar;
	struct cli_options *options;
};

/* A signature behind all specs is for all of them when it is the only one. */
static void check_signatures(struct cli_options *options, struct argp_state *state)
{
	struct cli_trace_options *trace = &options->trace;

	if (!trace->signature_waits)
		return;
	if (trace->signature_count > 1)
		argp_error(state,
			   "--args '%s': no SPEC follows; a signature is for the specs behind it",
			   trace->signature);
	for (size_t i = 0; i < options->spec_count; i++)
		trace->signatures[i] = trace->signature;
}

static void check_action(const struct cli_options *options, struct argp_state *state)
{
	const char *action = options->object ? options->object : "list";
	size_t names = options->spec_count;

	if (strcmp(action, "list") == 0) {
		if (names > 1)
			argp_error(state, "list takes one DIRECTORY");
	} else if (strcmp(action, "show") == 0) {
		if (names != 1)
			argp_error(state, "show takes one NAME; uprobe-multi pinned lists them");
	} else if (strcmp(action, "remove") == 0) {
		if (!names)
			argp_error(state, "remove takes a NAME; uprobe-multi pinned lists them");
	} else {
		argp_error(state, "%s: choose list, show or remove", action);
	}
}

static void check_pin(const struct cli_options *options, struct argp_state *state)
{
	if (options->pin && ((options->command && *options->command) || options->duration_ns))
		argp_error(state, "--pin attaches and exits: it goes with neither -d nor COMMAND");
	if (options->pin && options->trace.most_events)
		argp_error(state, "--pin attaches and exits: -c goes with pinned show");
}

static void check_debug(const struct cli_options *options, struct argp_state *state)
{
	if (!(options->resolve_flags & UPM_RESOLVE_DEBUG_NEVER))
		return;
	if (options->resolve_flags & UPM_RESOLVE_DEBUG_ALWAYS)
		argp_error(state, "--debuginfo and --no-debuginfo: choose one");
	if (options->resolve_flags & UPM_RESOLVE_DEBUGINFOD)
		argp_error(state, "--debuginfod and --no-debuginfo: choose one");
}

/* Check what no single option can know. */
static error_t check_whole(const struct input *input, struct argp_state *state)
{
	const struct cli_grammar *grammar = input->grammar;
	struct cli_options *options = input->options;
	bool runs_command = options->command && *options->command;

	if (options->command && !runs_command)
		argp_error(state, "no COMMAND behind \"--\"");
	if (runs_command && !grammar->takes_command)
		argp_error(state, "takes no COMMAND");
	if (grammar->object && !options->object && !grammar->takes_action)
		argp_error(state, "no %s given", grammar->object);
	if (grammar->takes_specs && !options->spec_count)
		argp_error(state, "no SPEC given");
	if ((options->attach_flags & UPM_ATTACH_CHILDREN) && !options->pid_count && !runs_command)
		argp_error(state, "--children needs -p or a COMMAND");
	check_pin(options, state);
	check_debug(options, state);
	if (options->trace.folded && options->json)
		argp_error(state, "--folded and --json are two forms: choose one");
	check_signatures(options, state);
	if (grammar->takes_action)
		check_action(options, state);
	options->follow |= options->duration_ns || options->interval_given;
	return 0;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	const struct input *input = state->input;
	const struct cli_grammar *grammar = input->grammar;
	struct cli_options *options = input->options;

	if (key == ARGP_KEY_END)
		return check_whole(input, state);
	if (key != ARGP_KEY_ARG)
		return cli_parse_option(key, argument, state, options);
	if (!*grammar->arguments)
		argp_error(state, "takes no argument: %s", argument);
	if (grammar->object && !options->object)
		options->object = argument;
	else
		cli_add_spec(state, options, argument);
	return 0;
}

/* argp takes one array: join the groups. */
static void join_groups(const struct cli_grammar *grammar, struct argp_option *joined)
{
	for (const struct argp_option *const *group = grammar->groups; *group; group++)
		for (const struct argp_option *option = *group;
		     option->name || option->key || option->doc; option++)
			*joined++ = *option;
	memset(joined, 0, sizeof(*joined));
}

void cli_arguments_parse(const struct cli_subcommand *subcommand, int argc, char **argv,
			 struct cli_options *options)
{
	const struct cli_grammar *grammar = cli_grammar_of(subcommand->name);
	struct argp_option joined[MOST_OPTIONS];
	struct argp argp = {joined, parse, grammar->arguments, grammar->help, NULL, NULL, NULL};
	struct input input = {grammar, options};
	char name[64];

	join_groups(grammar, joined);
	snprintf(name, sizeof(name), CLI_NAME " %s", subcommand->name);
	argv[0] = name;
	argp_err_exit_status = CLI_USAGE;
	if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &input))
		exit(CLI_FAILED);
}

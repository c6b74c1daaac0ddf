// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "arguments.h"

#include <stdlib.h>
#include <string.h>

#include "report.h"

#define MOST_OPTIONS 48

static const struct argp_option common_options[] = {
	{"pid", 'p', "PID[,PID...]", 0, "Only these processes; may be repeated", 1},
	{"output", 'o', "FILE", 0, "Write to FILE in place of the standard output", 1},
	{"json", CLI_OPTION_JSON, NULL, 0, "Print JSON", 1},
	{NULL, 'h', NULL, OPTION_HIDDEN, NULL, -1},
	{0},
};

static const struct argp_option check_options[] = {
	{"output", 'o', "FILE", 0, "Write to FILE in place of the standard output", 1},
	{"json", CLI_OPTION_JSON, NULL, 0, "Print JSON", 1},
	{NULL, 'h', NULL, OPTION_HIDDEN, NULL, -1},
	{0},
};

static const struct argp_option resolve_options[] = {
	{NULL, 0, NULL, 0, "Finding functions:", 2},
	{"debuginfo", CLI_OPTION_DEBUG, NULL, 0,
	 "Always read separate debug files, not only for what the binary itself does not name", 2},
	{"no-debuginfo", CLI_OPTION_NO_DEBUG, NULL, 0,
	 "Never read separate debug files nor .gnu_debugdata", 2},
	{"debuginfod", CLI_OPTION_DEBUGINFOD, NULL, 0,
	 "Ask the servers in DEBUGINFOD_URLS for missing debug files", 2},
	{"all-matches", CLI_OPTION_ALL_MATCHES, NULL, 0,
	 "Let a plain name that stands for several functions match them all", 2},
	{0},
};

static const struct argp_option run_options[] = {
	{NULL, 0, NULL, 0, "Attaching:", 3},
	{"duration", 'd', "SECONDS", 0, "Stop after this time (also 200ms, 5m, 1h)", 3},
	{"strict", CLI_OPTION_STRICT, NULL, 0, "Attach every probe asked for, or none", 3},
	{"backend", CLI_OPTION_BACKEND, "NAME", 0, "auto (default), multi or perf", 3},
	{0},
};

static const struct argp_option children_options[] = {
	{"children", CLI_OPTION_CHILDREN, NULL, 0,
	 "Also count in processes that the observed ones fork from now on", 3},
	{0},
};

static const struct argp_option demangle_options[] = {
	{NULL, 0, NULL, 0, "Output:", 4},
	{"demangle", CLI_OPTION_DEMANGLE, NULL, 0,
	 "Readable C++ and Rust names, in JSON too (tables have them anyway)", 4},
	{"no-demangle", CLI_OPTION_NO_DEMANGLE, NULL, 0, "Raw names in tables", 4},
	{0},
};

static const struct argp_option list_options[] = {
	{"verdict", CLI_OPTION_VERDICT, "VERDICT", 0,
	 "Only probes with this verdict, such as ok or unprobeable", 4},
	{0},
};

static const struct argp_option table_options[] = {
	{"top", 'n', "ROWS", 0, "Most rows in a table; 0 = all (default: what the window holds)",
	 4},
	{"interval", 'i', "SECONDS", 0,
	 "Time between two live tables (default 1); with COMMAND this asks for live tables", 4},
	{"sort", CLI_OPTION_SORT, "KEY", 0, "Order of the live table: hits (default) or rate", 4},
	{"all", CLI_OPTION_ALL, NULL, 0, "Also functions that were not hit", 4},
	{0},
};

static const struct argp_option object_options[] = {
	{"program", CLI_OPTION_PROGRAM, "NAME", 0, "Only this program of the object", 3},
	{"pin", CLI_OPTION_PIN, "DIR", 0,
	 "Pin each program's links in DIR/PROGRAM (on a bpffs) and exit", 3},
	{0},
};

/* One subcommand: its options in groups, and its help. */
struct grammar {
	const char *name;
	const struct argp_option *groups[7];
	const char *arguments;
	const char *help;
	bool takes_object;
	bool takes_specs;
};

#define SPEC_HELP                                                                                  \
	"SPEC is BINARY:PATTERN, uprobe:BINARY:PATTERN, uretprobe:BINARY:PATTERN or "              \
	"usdt:BINARY:PROVIDER:NAME. BINARY is a path, a glob, a library such as libc.so.6, a "     \
	"command on PATH or, with -p or COMMAND, * for all that is loaded. PATTERN is a name, a "  \
	"glob, /regex/, name+0x10, 0x401000 (a file offset) or name@VERSION."

static const struct grammar grammars[] = {
	{
		"list",
		{common_options, resolve_options, demangle_options, list_options},
		"SPEC... [-- COMMAND]",
		"Show the functions that specs name, where they are, what a hit costs, and which "
		"can "
		"not be probed and why.\v" SPEC_HELP
		" With COMMAND, libraries are looked up as it would load them; it is not run.\n\n"
		"Examples:\n"
		"  uprobe-multi list 'libc.so.6:str*'\n"
		"  uprobe-multi list -p 1234 '*:*' --json\n"
		"  uprobe-multi list --verdict unprobeable 'libc.so.6:*'\n",
		.takes_specs = true,
	},
	{
		"count",
		{common_options, resolve_options, run_options, children_options, demangle_options,
		 table_options},
		"SPEC... [-- COMMAND [ARGS...]]",
		"Count how often functions are called, until Ctrl-C, the end of COMMAND or of all "
		"processes of -p, or the time of -d.\v" SPEC_HELP
		" COMMAND is run with every probe armed before its first instruction. Without -p "
		"and "
		"COMMAND, every process counts.\n\n"
		"Examples:\n"
		"  uprobe-multi count -p 1234 'libc.so.6:*'\n"
		"  uprobe-multi count -d 5 --json -p 1234 '*:*'\n"
		"  uprobe-multi count 'libc.so.6:mem*' -- sort file\n",
		.takes_specs = true,
	},
	{
		"attach",
		{common_options, resolve_options, run_options, object_options},
		"OBJECT.bpf.o [SPEC...] [-- COMMAND [ARGS...]]",
		"Load a BPF object, attach its programs, and hold them attached until Ctrl-C, the "
		"end "
		"of COMMAND or of all processes of -p, or the time of -d.\v"
		"Each program goes where its section says (SEC(\"uprobe.multi/BINARY:PATTERN\")), "
		"or "
		"all go to the SPECs. " SPEC_HELP "\n\n"
		"Examples:\n"
		"  uprobe-multi attach trace.bpf.o\n"
		"  uprobe-multi attach trace.bpf.o -p 1234 'libssl.so.3:SSL_*'\n"
		"  uprobe-multi attach trace.bpf.o --pin /sys/fs/bpf/trace\n",
		.takes_object = true,
	},
	{
		"check",
		{check_options},
		"",
		"Show what this kernel and this user can do; the exit status is 0 when probes can "
		"be "
		"attached.",
		.takes_specs = false,
	},
};

static const struct grammar *grammar_of(const char *name)
{
	const struct grammar *grammar = grammars;

	while (strcmp(grammar->name, name) != 0)
		grammar++;
	return grammar;
}

/* What argp hands to the parser. */
struct input {
	const struct grammar *grammar;
	struct cli_options *options;
};

/* Check what no single option can know. */
static error_t check_whole(const struct input *input, struct argp_state *state)
{
	const struct grammar *grammar = input->grammar;
	const struct cli_options *options = input->options;
	bool runs_command = options->command && *options->command;

	if (options->command && !runs_command)
		argp_error(state, "no COMMAND behind \"--\"");
	if (runs_command && !*grammar->arguments)
		argp_error(state, "takes no COMMAND");
	if (grammar->takes_object && !options->object)
		argp_error(state, "no BPF object given");
	if (grammar->takes_specs && !options->spec_count)
		argp_error(state, "no SPEC given");
	if ((options->attach_flags & UPM_ATTACH_CHILDREN) && !options->pid_count && !runs_command)
		argp_error(state, "--children needs -p or a COMMAND");
	if (options->pin && (runs_command || options->duration_ns))
		argp_error(state, "--pin attaches and exits: it goes with neither -d nor COMMAND");
	return 0;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	const struct input *input = state->input;
	const struct grammar *grammar = input->grammar;
	struct cli_options *options = input->options;

	if (key == ARGP_KEY_END)
		return check_whole(input, state);
	if (key != ARGP_KEY_ARG)
		return cli_parse_option(key, argument, state, options);
	if (!*grammar->arguments)
		argp_error(state, "takes no argument: %s", argument);
	if (grammar->takes_object && !options->object)
		options->object = argument;
	else
		cli_add_spec(state, options, argument);
	return 0;
}

/* argp takes one array: join the groups. */
static void join_groups(const struct grammar *grammar, struct argp_option *joined)
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
	const struct grammar *grammar = grammar_of(subcommand->name);
	struct argp_option joined[MOST_OPTIONS];
	struct argp argp = {joined, parse, grammar->arguments, grammar->help, NULL, NULL, NULL};
	struct input input = {grammar, options};
	char name[64];

	join_groups(grammar, joined);
	snprintf(name, sizeof(name), CLI_NAME " %s", subcommand->name);
	argv[0] = name;
	argp_err_exit_status = CLI_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &input))
		exit(CLI_FAILED);
}

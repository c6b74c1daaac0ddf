// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "grammar.h"

#include <string.h>

#include "arguments.h"

static const struct argp_option output_options[] = {
	{"output", 'o', "FILE", 0, "Write to FILE in place of the standard output (-)", 1},
	{"json", CLI_OPTION_JSON, NULL, 0, "Print JSON", 1},
	{NULL, 'h', NULL, OPTION_HIDDEN, NULL, -1},
	{0},
};

static const struct argp_option pid_options[] = {
	{"pid", 'p', "PID[,PID...]", 0, "Only these processes; may be repeated", 1},
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
	{"accept-unwinding", CLI_OPTION_ACCEPT_UNWINDING, NULL, 0,
	 "Allow return probes, latencies and traced returns in C++ and Rust code, where an "
	 "exception that leaves such a function ends the program, and in code that switches "
	 "stacks",
	 2},
	{"no-index", CLI_OPTION_NO_INDEX, NULL, 0,
	 "Neither read nor keep what a pattern finds in a large file", 2},
	{0},
};

static const struct argp_option run_options[] = {
	{NULL, 0, NULL, 0, "Attaching:", 3},
	{"duration", 'd', "SECONDS", 0, "Stop after this time (also 200ms, 5m, 1h)", 3},
	{"strict", CLI_OPTION_STRICT, NULL, 0, "Attach every probe asked for, or none", 3},
	{"backend", CLI_OPTION_BACKEND, "NAME", 0, "auto (default), multi or perf", 3},
	{0},
};

static const struct argp_option object_placement_options[] = {
	{"placement", CLI_OPTION_PLACEMENT, "NAME", 0,
	 "exact (default), or cheapest: a place in the function where a hit costs less and the "
	 "program finds the same registers and memory",
	 3},
	{0},
};

static const struct argp_option observer_options[] = {
	{"placement", CLI_OPTION_PLACEMENT, "NAME", 0,
	 "cheapest (default): where a hit costs least and sees the same calls; or exact: the "
	 "function's entry",
	 3},
	{"children", CLI_OPTION_CHILDREN, NULL, 0,
	 "Also observe processes that the observed ones fork from now on", 3},
	{"pin", CLI_OPTION_PIN, "NAME", 0,
	 "Keep it running under this name and exit; see uprobe-multi pinned", 3},
	{0},
};

static const struct argp_option demangle_options[] = {
	{NULL, 0, NULL, 0, "Output:", 6},
	{"demangle", CLI_OPTION_DEMANGLE, NULL, 0,
	 "Readable C++ and Rust names, in JSON too (text has them anyway)", 6},
	{"no-demangle", CLI_OPTION_NO_DEMANGLE, NULL, 0, "Raw names in text", 6},
	{0},
};

static const struct argp_option list_options[] = {
	{"verdict", CLI_OPTION_VERDICT, "VERDICT", 0,
	 "Only probes with this verdict, such as ok or unprobeable", 6},
	{"observer", CLI_OPTION_OBSERVER, "NAME", 0,
	 "Show the sites that count (default), latency or trace would probe", 6},
	{"placement", CLI_OPTION_PLACEMENT, "NAME", 0,
	 "cheapest (default), or exact: no sites but the places asked for", 6},
	{0},
};

static const struct argp_option table_options[] = {
	{"top", 'n', "ROWS", 0, "Most rows in a table; 0 = all (default: what the window holds)",
	 6},
	{"interval", 'i', "SECONDS", 0,
	 "Time between two live tables (default 1); with COMMAND this asks for live tables", 6},
	{"all", CLI_OPTION_ALL, NULL, 0, "Also functions that were not hit", 6},
	{0},
};

static const struct argp_option count_options[] = {
	{"sort", CLI_OPTION_SORT, "KEY", 0, "Order of the live table: hits (default) or rate", 6},
	{0},
};

static const struct argp_option latency_options[] = {
	{"sort", CLI_OPTION_SORT, "KEY", 0, "Order of tables: total (default), calls, p99 or max",
	 6},
	{"histogram", CLI_OPTION_HISTOGRAM, "N", 0,
	 "Histograms of the first N rows (default 3), or none", 6},
	{0},
};

static const struct argp_option split_options[] = {
	{"split", CLI_OPTION_SPLIT, "BY", 0, "A row for each process, or each thread", 3},
	{"rows", CLI_OPTION_ROWS, "N", 0,
	 "Make room for so many rows (default: the probes, at most 16384; split: 16384)", 3},
	{0},
};

static const struct argp_option recording_options[] = {
	{NULL, 0, NULL, 0, "What is recorded:", 4},
	{"args", CLI_OPTION_ARGS, "SIGNATURE", 0,
	 "C-like signature, such as 'int open(char *path, int flags)', of the specs behind it", 4},
	{"returns", CLI_OPTION_RETURNS, NULL, 0,
	 "One event a call, with result and duration; a result type in --args asks for it too", 4},
	{"stacks", CLI_OPTION_STACKS, "FRAMES", OPTION_ARG_OPTIONAL,
	 "User stacks, by frame pointers (default: up to 64 frames)", 4},
	{"ring", CLI_OPTION_RING, "SIZE", 0, "Size of the ring buffer (default 16M)", 4},
	{"text", CLI_OPTION_TEXT, "BYTES", 0, "Most bytes of a string or buffer (default 256)", 4},
	{NULL, 0, NULL, 0, "Which hits become events:", 5},
	{"filter", CLI_OPTION_FILTER, "EXPR", 0,
	 "Such as 'fd == 3 && path ^= \"/etc/\"' (^= begins with, & any of these bits)", 5},
	{"comm", CLI_OPTION_COMM, "NAME", 0, "Only threads of this name", 5},
	{"tid", CLI_OPTION_TID, "TID[,TID...]", 0, "Only these threads; may be repeated", 5},
	{"sample", CLI_OPTION_SAMPLE, "N", 0, "One of N hits of each probe on each CPU", 5},
	{"rate", CLI_OPTION_RATE, "N", 0, "At most N events a second", 5},
	{0},
};

static const struct argp_option event_options[] = {
	{"max-events", 'c', "N", 0, "End after N events", 6},
	{"time", CLI_OPTION_TIME, "CLOCK", 0, "start (default): since the start, or wall", 6},
	{"folded", CLI_OPTION_FOLDED, NULL, 0,
	 "Print collapsed stacks at the end, as flame-graph tools read them", 6},
	{0},
};

static const struct argp_option pinned_options[] = {
	{NULL, 0, NULL, 0, "Output of show:", 6},
	{"duration", 'd', "SECONDS", 0, "Go on showing for this time", 6},
	{"follow", 'f', NULL, 0, "Go on showing until Ctrl-C", 6},
	{"top", 'n', "ROWS", 0, "Most rows in a table; 0 = all (default: what the window holds)",
	 6},
	{"interval", 'i', "SECONDS", 0, "Go on showing, with this time between two live tables", 6},
	{"all", CLI_OPTION_ALL, NULL, 0, "Also functions that were not hit", 6},
	{"sort", CLI_OPTION_SORT, "KEY", 0,
	 "Order of tables: hits or rate; of latencies: total, calls, p99 or max", 6},
	{"histogram", CLI_OPTION_HISTOGRAM, "N", 0,
	 "Histograms of the first N rows (default 3), or none", 6},
	{0},
};

static const struct argp_option object_options[] = {
	{"program", CLI_OPTION_PROGRAM, "NAME", 0, "Only this program of the object", 3},
	{"pin", CLI_OPTION_PIN, "DIR", 0,
	 "Pin each program's links in DIR/PROGRAM (on a bpffs) and exit", 3},
	{0},
};

#define SPEC_HELP                                                                                  \
	"SPEC is BINARY:PATTERN, uprobe:BINARY:PATTERN, uretprobe:BINARY:PATTERN or "              \
	"usdt:BINARY:PROVIDER:NAME. BINARY is a path, a glob, a library such as libc.so.6, a "     \
	"command on PATH or, with -p or COMMAND, * for all that is loaded. PATTERN is a name, a "  \
	"glob, /regex/, name+0x10, 0x401000 (a file offset) or name@VERSION."
#define COMMAND_HELP                                                                               \
	" COMMAND is run with every probe armed before its first instruction. Without -p and "     \
	"COMMAND, every process counts.\n\n"
#define UNTIL "until Ctrl-C, the end of COMMAND or of all processes of -p, or the time of -d.\v"
#define COMMAND_ARGUMENTS "SPEC... [-- COMMAND [ARGS...]]"

static const struct cli_grammar grammars[] = {
	{
		"list",
		{pid_options, output_options, resolve_options, demangle_options, list_options},
		"SPEC... [-- COMMAND]",
		"Show the functions that specs name, where they are, what a hit costs, and which "
		"can not be probed and why.\v" SPEC_HELP
		" With COMMAND, libraries are looked up as it would load them; it is not run.\n\n"
		"Examples:\n"
		"  uprobe-multi list 'libc.so.6:str*'\n"
		"  uprobe-multi list -p 1234 '*:*' --json\n"
		"  uprobe-multi list --verdict unprobeable 'libc.so.6:*'\n",
		.takes_specs = true,
		.takes_command = true,
	},
	{
		"count",
		{pid_options, output_options, resolve_options, run_options, observer_options,
		 demangle_options, table_options, count_options},
		COMMAND_ARGUMENTS,
		"Count how often functions are called, " UNTIL SPEC_HELP COMMAND_HELP "Examples:\n"
		"  uprobe-multi count -p 1234 'libc.so.6:*'\n"
		"  uprobe-multi count -d 5 --json -p 1234 '*:*'\n"
		"  uprobe-multi count 'libc.so.6:mem*' -- sort file\n",
		.takes_specs = true,
		.takes_command = true,
	},
	{
		"latency",
		{pid_options, output_options, resolve_options, run_options, observer_options,
		 split_options, demangle_options, table_options, latency_options},
		COMMAND_ARGUMENTS,
		"Measure how long functions take from entry to return, " UNTIL SPEC_HELP
			COMMAND_HELP "Examples:\n"
		"  uprobe-multi latency -p 1234 'libssl.so.3:SSL_*'\n"
		"  uprobe-multi latency -d 10 --split process 'libc.so.6:fsync'\n"
		"  uprobe-multi latency --sort p99 'libz.so.1:*' -- gzip file\n",
		.takes_specs = true,
		.takes_command = true,
	},
	{
		"trace",
		{pid_options, output_options, resolve_options, run_options, observer_options,
		 recording_options, demangle_options, event_options},
		COMMAND_ARGUMENTS,
		"Show each call of functions, with arguments, result, duration and stack, " UNTIL
			SPEC_HELP COMMAND_HELP "Examples:\n"
		"  uprobe-multi trace --args '(char *path)' libc.so.6:open64 -- cat file\n"
		"  uprobe-multi trace -p 1234 --filter 'arg2 >= 65536' libc.so.6:write\n"
		"  uprobe-multi trace -p 1234 --folded -d 10 libc.so.6:malloc >stacks\n",
		.takes_specs = true,
		.takes_command = true,
	},
	{
		"pinned",
		{output_options, demangle_options, pinned_options, event_options},
		"[list [DIRECTORY] | show NAME | remove NAME...]",
		"List, show and remove what count, latency and trace keep running with --pin."
		"\vExamples:\n"
		"  uprobe-multi count --pin web -p 1234 'libssl.so.3:*'\n"
		"  uprobe-multi pinned\n"
		"  uprobe-multi pinned show web\n"
		"  uprobe-multi pinned remove web\n",
		.object = "action",
		.takes_action = true,
	},
	{
		"attach",
		{pid_options, output_options, resolve_options, run_options,
		 object_placement_options, object_options},
		"OBJECT.bpf.o [SPEC...] [-- COMMAND [ARGS...]]",
		"Load a BPF object, attach its programs, and hold them attached " UNTIL
		"Each program goes where its section says (SEC(\"uprobe.multi/BINARY:PATTERN\")), "
		"or all go to the SPECs. " SPEC_HELP "\n\n"
		"Examples:\n"
		"  uprobe-multi attach trace.bpf.o\n"
		"  uprobe-multi attach trace.bpf.o -p 1234 'libssl.so.3:SSL_*'\n"
		"  uprobe-multi attach trace.bpf.o --pin /sys/fs/bpf/trace\n",
		.object = "BPF object",
		.takes_command = true,
	},
	{
		"check",
		{output_options},
		"",
		"Show what this kernel and this user can do; the exit status is 0 when probes can "
		"be attached.",
		.takes_specs = false,
	},
};

const struct cli_grammar *cli_grammar_of(const char *name)
{
	const struct cli_grammar *grammar = grammars;

	while (strcmp(grammar->name, name) != 0)
		grammar++;
	return grammar;
}

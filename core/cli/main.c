// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <argp.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "descriptors.h"
#include "options.h"
#include "report.h"

const struct cli_subcommand cli_subcommands[] = {
	{"list", "show functions, where they are, and which can not be probed", cli_list},
	{"count", "count calls of many functions in running or new processes", cli_count},
	{"latency", "measure how long functions take", cli_latency},
	{"trace", "show each call with arguments, result and stack", cli_trace},
	{"pinned", "list, show and remove what runs on under a name", cli_pinned},
	{"attach", "load a BPF object and attach its programs", cli_attach},
	{"check", "show what this kernel and this user can do", cli_check},
	{NULL, NULL, NULL},
};

static void print_version(FILE *out, struct argp_state *state)
{
	(void)state;
	fprintf(out, CLI_NAME " %s\n", upm_version());
}

static void print_usage(FILE *out)
{
	fputs("Usage: " CLI_NAME " COMMAND [OPTIONS] [SPEC...] [-- PROGRAM [ARGS...]]\n\n", out);
	for (const struct cli_subcommand *each = cli_subcommands; each->name; each++)
		fprintf(out, "  %-8s %s\n", each->name, each->summary);
	fputs("\n" CLI_NAME " COMMAND --help tells more; so does man " CLI_NAME ".\n", out);
}

static void print_help(void)
{
	print_usage(stdout);
	fputs("\n"
	      "Examples:\n"
	      "  " CLI_NAME " count -p 1234 'libc.so.6:*'        calls into libc, live\n"
	      "  " CLI_NAME " count -d 5 --json -p 1234 '*:*'    everything loaded, for 5 seconds\n"
	      "  " CLI_NAME " count 'libc.so.6:mem*' -- sort f   from its first instruction on\n"
	      "  " CLI_NAME " latency -p 1234 'libssl.so.3:*'    how long do they take?\n"
	      "  " CLI_NAME " trace -p 1234 libc.so.6:open64     each call, as it comes\n"
	      "  " CLI_NAME " list 'libc.so.6:pthread_*'         what could be probed\n"
	      "  " CLI_NAME " attach trace.bpf.o                 hold a BPF object attached\n"
	      "  " CLI_NAME " check                              can I?\n",
	      stdout);
}

static const struct cli_subcommand *find_subcommand(const char *name)
{
	const struct cli_subcommand *each = cli_subcommands;

	while (each->name && strcmp(each->name, name) != 0)
		each++;
	return each->name ? each : NULL;
}

static int run(const struct cli_subcommand *subcommand, int argc, char **argv)
{
	struct cli_options options;
	int status;

	cli_options_parse(subcommand, argc, argv, &options);
	status = subcommand->run(&options);
	cli_options_free(&options);
	return status;
}

static int refuse(const char *name)
{
	if (strchr(name, ':'))
		cli_fail("run", name, "this is a spec and not a command",
			 "for example: " CLI_NAME " count SPEC");
	else
		cli_fail("run", name, "no such command", "");
	print_usage(stderr);
	return CLI_USAGE;
}

int main(int argc, char **argv)
{
	const struct cli_subcommand *subcommand;
	const char *name = argc > 1 ? argv[1] : "";

	atexit(cli_output_close_at_exit);
	cli_descriptors_reserve();
	setlocale(LC_CTYPE, "");
	argp_program_version_hook = print_version;
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 ||
	    (strcmp(name, "help") == 0 && argc == 2)) {
		print_help();
		return CLI_DONE;
	}
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
		print_version(stdout, NULL);
		return CLI_DONE;
	}
	if (argc < 2) {
		print_usage(stderr);
		return CLI_USAGE;
	}
	subcommand = find_subcommand(name);
	return subcommand ? run(subcommand, argc - 1, argv + 1) : refuse(name);
}

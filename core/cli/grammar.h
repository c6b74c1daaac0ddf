/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The options and the help of each subcommand. */
#ifndef UPM_CLI_GRAMMAR_H
#define UPM_CLI_GRAMMAR_H

#include <argp.h>
#include <stdbool.h>

#define CLI_MOST_GROUPS 10

struct cli_grammar {
	const char *name;
	const struct argp_option *groups[CLI_MOST_GROUPS + 1]; /**< end with NULL */
	const char *arguments;				       /**< as the usage shows them */
	const char *help;
	const char *object; /**< what the first argument is, such as "BPF object"; NULL = a spec */
	bool takes_specs;   /**< at least one */
	bool takes_command;
	bool takes_action; /**< the object is an optional one of list, show and remove */
};

/** @return the grammar of a subcommand, which must exist. */
const struct cli_grammar *cli_grammar_of(const char *name);

#endif

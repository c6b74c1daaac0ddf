/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* From argv to struct cli_options, by argp and the grammar of each subcommand. */
#ifndef UPM_CLI_ARGUMENTS_H
#define UPM_CLI_ARGUMENTS_H

#include <argp.h>

#include "options.h"

/** Options without a letter. */
enum cli_long_option {
	CLI_OPTION_JSON = 256,
	CLI_OPTION_STRICT,
	CLI_OPTION_CHILDREN,
	CLI_OPTION_BACKEND,
	CLI_OPTION_PLACEMENT,
	CLI_OPTION_OBSERVER,
	CLI_OPTION_DEBUG,
	CLI_OPTION_NO_DEBUG,
	CLI_OPTION_DEBUGINFOD,
	CLI_OPTION_ALL_MATCHES,
	CLI_OPTION_ACCEPT_UNWINDING,
	CLI_OPTION_NO_INDEX,
	CLI_OPTION_PROGRAM,
	CLI_OPTION_PIN,
	CLI_OPTION_ALL,
	CLI_OPTION_SORT,
	CLI_OPTION_DEMANGLE,
	CLI_OPTION_NO_DEMANGLE,
	CLI_OPTION_VERDICT,
	CLI_OPTION_HISTOGRAM,
	CLI_OPTION_SPLIT,
	CLI_OPTION_ROWS,
	CLI_OPTION_ARGS,
	CLI_OPTION_RETURNS,
	CLI_OPTION_STACKS,
	CLI_OPTION_FILTER,
	CLI_OPTION_COMM,
	CLI_OPTION_TID,
	CLI_OPTION_SAMPLE,
	CLI_OPTION_RATE,
	CLI_OPTION_RING,
	CLI_OPTION_TEXT,
	CLI_OPTION_FOLDED,
	CLI_OPTION_TIME
};

/** Handle one option. @return 0 or ARGP_ERR_UNKNOWN */
error_t cli_parse_option(int key, char *argument, struct argp_state *state,
			 struct cli_options *options);

/** Handle an option of latency, trace or pinned alone. @return 0 or ARGP_ERR_UNKNOWN */
error_t cli_parse_observer_option(int key, char *argument, struct argp_state *state,
				  struct cli_options *options);

/** Append to options->specs. */
void cli_add_spec(struct argp_state *state, struct cli_options *options, const char *spec);

/** Parse with the subcommand's grammar and check that the whole makes sense. */
void cli_arguments_parse(const struct cli_subcommand *subcommand, int argc, char **argv,
			 struct cli_options *options);

#endif

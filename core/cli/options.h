/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the user asked for on the command line. */
#ifndef UPM_CLI_OPTIONS_H
#define UPM_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "progress.h"
#include "uprobe_multi.h"

#define CLI_ANY_VERDICT (-1)

enum cli_demangle { CLI_DEMANGLE_TABLES, CLI_DEMANGLE_ALWAYS, CLI_DEMANGLE_NEVER };

/** Order of a table; the first one that a kind of table has is its default. */
enum cli_sort {
	CLI_SORT_DEFAULT,
	CLI_SORT_HITS,
	CLI_SORT_RATE,
	CLI_SORT_TOTAL,
	CLI_SORT_CALLS,
	CLI_SORT_P99,
	CLI_SORT_MAX
};

/** What trace records and how it shows it. */
struct cli_trace_options {
	const char *signature;	 /**< the last --args, for the specs that follow; NULL = none */
	const char **signatures; /**< one for each spec */
	size_t signature_count;	 /**< number of --args */
	bool signature_waits;	 /**< no spec has followed the last --args */
	const char *filter;
	const char *comm;
	int32_t *tids;
	size_t tid_count;
	uint32_t sample;
	uint32_t rate;
	uint32_t ring_bytes;
	uint32_t text_bytes;
	uint32_t stack_frames;
	uint64_t most_events; /**< end after so many; 0 = no limit */
	bool returns;
	bool stacks;
	bool folded;
	bool wall_clock;
};

struct cli_options {
	const char *name;     /**< of the subcommand */
	const char *object;   /**< attach: the BPF object file; pinned: what to do */
	const char *program;  /**< attach: the one program of it, or NULL */
	const char *pin;      /**< attach: directory to pin in; observers: name; or NULL */
	const char *output;   /**< file in place of the standard output, or NULL */
	const char **specs;   /**< point into argv */
	char *const *command; /**< what followed "--", ends with NULL; or NULL */
	int32_t *pids;
	size_t spec_count;
	size_t pid_count;
	size_t top;	      /**< most rows of a table; 0 = all */
	size_t histograms;    /**< latency: most to draw */
	uint64_t duration_ns; /**< 0 = no end */
	uint64_t interval_ns; /**< between two frames of the live table */
	uint32_t backend;     /**< enum upm_backend */
	uint32_t placement;   /**< enum upm_placement */
	uint32_t observer;    /**< list: enum upm_observer_kind whose sites to show; 0 = count */
	uint32_t resolve_flags;
	uint32_t attach_flags;
	uint32_t split;	    /**< latency: enum upm_split */
	uint32_t most_rows; /**< latency: to make room for */
	int32_t verdict;    /**< list: the one to show, or CLI_ANY_VERDICT */
	enum cli_demangle demangle;
	enum cli_sort sort;
	struct cli_trace_options trace;
	bool top_given;
	bool interval_given;
	bool json;
	bool all;
	bool follow; /**< pinned: go on showing */
};

/** What `uprobe-multi NAME` is and does. */
struct cli_subcommand {
	const char *name;
	const char *summary;
	int (*run)(const struct cli_options *options);
};
extern const struct cli_subcommand cli_subcommands[];

/**
 * Parse the arguments behind the subcommand's name; exits with CLI_USAGE after a message
 * when they are wrong, and with 0 after --help.
 */
void cli_options_parse(const struct cli_subcommand *subcommand, int argc, char **argv,
		       struct cli_options *options);
void cli_options_free(struct cli_options *options);

/** @return options for upm_resolve(); program may be NULL. */
struct upm_resolve_options cli_resolve_options(const struct cli_options *options,
					       const char *program, struct cli_progress *progress);

int cli_list(const struct cli_options *options);
int cli_count(const struct cli_options *options);
int cli_latency(const struct cli_options *options);
int cli_trace(const struct cli_options *options);
int cli_pinned(const struct cli_options *options);
int cli_attach(const struct cli_options *options);
int cli_check(const struct cli_options *options);

#endif

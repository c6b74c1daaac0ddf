/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The state of one `count`, for those who show it. */
#ifndef UPM_CLI_COUNT_H
#define UPM_CLI_COUNT_H

#include "names.h"
#include "run.h"
#include "skipped.h"
#include "terminal.h"

struct cli_count {
	struct cli_run run;
	struct cli_names names;
	struct upm_probe_set *set;
	struct upm_observer *observer; /**< NULL when nothing could be attached */
	const struct upm_link *link;   /**< of the observer */
	size_t links;		       /**< kernel links behind it, while attached */
	size_t *attached;	       /**< positions in the set, ascending */
	size_t attached_count;
	bool full_paths;    /**< two files of the set have the same base name */
	uint64_t *hits;	    /**< one per probe of the set */
	uint64_t *new_hits; /**< those since the reading before */
	uint64_t *window;   /**< those while all probes were armed: without attach and detach */
	uint64_t total;
	uint64_t observed_ns; /**< length of that window */
	uint64_t detach_ns;
};

/** @return what is skipped, for the reports. */
struct cli_skipped cli_count_skipped(const struct cli_count *count);

/** Print the final table and the summary below it. @param window of the output */
void cli_count_print(FILE *out, struct cli_count *count, const struct cli_window *window);

/** Print the JSON document. @return CLI_DONE or CLI_FAILED. */
int cli_count_json(FILE *out, struct cli_count *count);

/** The same when nothing could be attached. @return CLI_DONE or CLI_FAILED. */
int cli_count_json_nothing(FILE *out, const struct cli_count *count);

#endif

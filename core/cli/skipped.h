/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The probes that were asked for and are not attached, each with its reason. */
#ifndef UPM_CLI_SKIPPED_H
#define UPM_CLI_SKIPPED_H

#include "names.h"
#include "output_json.h"

/** Taken from a link, or, where nothing was attached, from the set. */
struct cli_skipped {
	const struct upm_link *link;
	const struct upm_probe_set *set;
	bool functions_only; /**< only entries of functions were wanted */
	bool with_returns;   /**< and their returns */
};

size_t cli_skipped_count(const struct cli_skipped *skipped);

/** Print them grouped by verdict, a few of each by name. */
void cli_skipped_print(FILE *out, const struct cli_skipped *skipped, struct cli_names *names);

/** @return {"path","symbol","offset","verdict","reason"} of number index; NULL: no memory. */
json_t *cli_skipped_describe(const struct cli_skipped *skipped, size_t index);

/** Add the array "skipped". */
void cli_skipped_json(struct cli_json *json, const struct cli_skipped *skipped);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The state of one `count`, for those who show it. */
#ifndef UPM_CLI_COUNT_H
#define UPM_CLI_COUNT_H

#include "observation.h"

struct cli_count {
	struct cli_observation base;
	uint64_t *hits;	    /**< one per probe of the set */
	uint64_t *new_hits; /**< those since the reading before */
	uint64_t *window;   /**< those while all probes were armed: without attach and detach */
	uint64_t total;
};

/** Draw a frame of the live table. */
void cli_count_draw(struct cli_observation *observation);

/** Print the final table and the summary below it. @return CLI_DONE */
int cli_count_print(struct cli_observation *observation);

/** Print the JSON document. @return CLI_DONE or CLI_FAILED */
int cli_count_json(struct cli_observation *observation);

#endif

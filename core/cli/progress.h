/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A progress line on the terminal for work that lasts, and Ctrl-C while it does. */
#ifndef UPM_CLI_PROGRESS_H
#define UPM_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct cli_progress {
	bool terminal;
	bool visible;
	uint64_t begun_ns;
	uint64_t drawn_ns;
};

void cli_progress_begin(struct cli_progress *progress);

/** The upm_progress_fn; its context is the struct cli_progress. Cancels after a signal. */
int32_t cli_progress_step(const char *stage, uint64_t done, uint64_t total, void *context);

/** Take the line away again. */
void cli_progress_end(struct cli_progress *progress);

#endif

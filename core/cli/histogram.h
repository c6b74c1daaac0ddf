/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A histogram of times, drawn in text. */
#ifndef UPM_CLI_HISTOGRAM_H
#define UPM_CLI_HISTOGRAM_H

#include <stdint.h>
#include <stdio.h>

#include "terminal.h"

struct cli_mark {
	const char *name; /**< such as "p50" */
	uint64_t time_ns;
};

struct cli_histogram {
	const uint64_t *buckets; /**< UPM_LATENCY_BUCKETS numbers of calls */
	const struct cli_mark *marks;
	size_t mark_count;
};

/**
 * Draw it, a line for each step of time, on a logarithmic scale that is as fine as a few
 * lines allow. Blocks of eighths of a column where the locale has them, else '#'.
 */
void cli_histogram_print(FILE *out, const struct cli_histogram *histogram,
			 const struct cli_window *window);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The state of one `latency`, for those who show it. */
#ifndef UPM_CLI_LATENCY_H
#define UPM_CLI_LATENCY_H

#include "comms.h"
#include "observation.h"

/** No row of a snapshot: a function that was not called. */
#define CLI_NO_ROW SIZE_MAX

struct cli_timing {
	struct upm_latency_row row;
	size_t index; /**< in the snapshot, or CLI_NO_ROW */
};

struct cli_latency {
	struct cli_observation base;
	struct upm_latency_snapshot *now;    /**< the last one, from which all is shown */
	struct upm_latency_snapshot *before; /**< at the tick before; NULL = there was none */
	struct upm_latency_snapshot *opened; /**< every probe was armed from here … */
	struct upm_latency_snapshot *closed; /**< … to here; NULL = it was only looked at */
	struct cli_timing *timings;	     /**< by probe, pid and tid: at least one a probe */
	size_t *called;			     /**< those of calls that began; ascending */
	size_t timing_count;
	size_t called_count;
	struct cli_comms comms;
	bool has_pids; /**< rows are told apart by process, … */
	bool has_tids; /**< … and by thread */
	uint64_t calls;
	uint64_t unreturned;
	uint64_t sum_ns;
};

/** @return calls of a row that came between two snapshots. */
uint64_t cli_latency_calls_between(const struct upm_latency_snapshot *later,
				   const struct upm_latency_snapshot *earlier,
				   const struct upm_latency_row *row);

/** @return name of a row's thread or process; "" when it is not known. */
const char *cli_latency_comm(const struct cli_latency *latency, const struct upm_latency_row *row);

/** Draw a frame of the live table. */
void cli_latency_draw(struct cli_observation *observation);

/** Print the final table, and histograms of its first rows. */
void cli_latency_print_tables(struct cli_latency *latency, const struct cli_window *window);

/** Print tables and summary. @return CLI_DONE */
int cli_latency_print(struct cli_observation *observation);

/** Print the JSON document. @return CLI_DONE or CLI_FAILED */
int cli_latency_json(struct cli_observation *observation);

#endif

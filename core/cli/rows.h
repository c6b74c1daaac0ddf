/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Which rows a table shows: those with the highest values, as many as there is room for. */
#ifndef UPM_CLI_ROWS_H
#define UPM_CLI_ROWS_H

#include <stdbool.h>
#include <stdio.h>

#include "options.h"
#include "terminal.h"

struct cli_rows {
	size_t *list; /**< highest first */
	size_t count;
	size_t left; /**< rows that there is no room for */
};

/**
 * @param values      indexed by candidate
 * @param candidates  ascending
 * @param lowest      values below it do not count
 * @return false: no memory.
 */
bool cli_rows_select(struct cli_rows *rows, const uint64_t *values, const size_t *candidates,
		     size_t count, uint64_t lowest, size_t limit);

/** @return most rows of a live table. */
size_t cli_rows_live_limit(const struct cli_options *options);

/** @return most rows of the final table. @param window of the output */
size_t cli_rows_final_limit(const struct cli_options *options, const struct cli_window *window);

/** Say how many rows are left out. */
void cli_rows_print_left(FILE *out, const struct cli_rows *rows);

void cli_rows_free(struct cli_rows *rows);

#endif

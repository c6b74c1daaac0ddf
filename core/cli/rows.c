// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "rows.h"

#include <stdlib.h>

#include "live.h"
#include "text.h"
#include "top.h"

/* Lines of the window that the final table leaves free for what stands around it. */
#define LINES_AROUND 14
#define FEWEST_ROWS 5

bool cli_rows_select(struct cli_rows *rows, const uint64_t *values, const size_t *candidates,
		     size_t count, uint64_t lowest, size_t limit)
{
	size_t found = 0, room = limit < count ? limit : count;

	*rows = (struct cli_rows){.list = calloc(room + 1, sizeof(*rows->list))};
	if (!rows->list)
		return false;
	for (size_t i = 0; i < count; i++)
		found += values[candidates[i]] >= lowest;
	rows->count = cli_top(values, candidates, count, lowest, rows->list, room);
	rows->left = found - rows->count;
	return true;
}

size_t cli_rows_live_limit(const struct cli_options *options)
{
	size_t fitting = cli_live_rows();

	return options->top_given && options->top && options->top < fitting ? options->top
									    : fitting;
}

size_t cli_rows_final_limit(const struct cli_options *options, const struct cli_window *window)
{
	if (options->top_given)
		return options->top ? options->top : SIZE_MAX;
	if (!window->rows)
		return SIZE_MAX;
	return window->rows > LINES_AROUND + FEWEST_ROWS ? window->rows - LINES_AROUND
							 : FEWEST_ROWS;
}

void cli_rows_print_left(FILE *out, const struct cli_rows *rows)
{
	char number[CLI_NUMBER_SIZE];

	if (rows->left)
		fprintf(out, "and %s more; -n 0 shows all\n", cli_text_number(number, rows->left));
}

void cli_rows_free(struct cli_rows *rows)
{
	free(rows->list);
}

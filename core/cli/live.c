// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "live.h"

#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "text.h"

/* Lines of the window that the table leaves free: its title, its heading, the cursor's. */
#define LINES_AROUND 3

/* Before a line: behind one that fills the window it would take the last character. */
#define CLEAR_LINE "\x1b[K"

size_t cli_live_rows(void)
{
	size_t rows = cli_window_of(STDOUT_FILENO).rows;

	return rows > LINES_AROUND ? rows - LINES_AROUND : 1;
}

void cli_live_title(char *title, size_t size, const char *head, const char *detail,
		    const char *time)
{
	static const char hint[] = "; Ctrl-C ends";
	size_t columns = cli_window_of(STDOUT_FILENO).columns;

	snprintf(title, size, "%s%s, %s%s", head, detail, time, hint);
	if (cli_text_width(title) > columns)
		snprintf(title, size, "%s, %s%s", head, time, hint);
	if (cli_text_width(title) > columns)
		snprintf(title, size, "%s, %s", head, time);
}

/* Move to where the frame before began; a window that changed has torn it: clear all. */
static void go_home(FILE *out, const struct cli_live *live, const struct cli_window *window)
{
	bool torn = live->lines &&
		    (live->window.rows != window->rows || live->window.columns != window->columns);

	if (torn)
		fputs("\x1b[H\x1b[2J", out);
	else if (live->lines)
		fprintf(out, "\r\x1b[%zuA", live->lines);
}

static void print_frame(FILE *out, struct cli_live *live, const char *title,
			struct cli_table *table, const struct cli_window *window)
{
	go_home(out, live, window);
	fputs(CLEAR_LINE, out);
	cli_text_put(out, title, window->columns, 0);
	fputc('\n', out);
	cli_table_print(out, table, &live->widths, window, CLEAR_LINE);
	fputs("\x1b[J", out);
	live->lines = 2 + table->row_count;
	live->window = *window;
	live->drawn_ns = cli_now_ns();
}

void cli_live_draw(struct cli_live *live, const char *title, struct cli_table *table)
{
	struct cli_window window = cli_window_of(STDOUT_FILENO);
	char *frame = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&frame, &length);

	if (!out)
		return;
	print_frame(out, live, title, table, &window);
	if (fclose(out) == 0)
		(void)!write(STDOUT_FILENO, frame, length);
	free(frame);
}

void cli_live_clear(struct cli_live *live)
{
	if (live->lines)
		printf("\r\x1b[%zuA\x1b[J", live->lines);
	fflush(stdout);
	live->lines = 0;
}

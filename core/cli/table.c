// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "table.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "text.h"
#include "top.h"

/* Lines of the window that a table leaves free for what stands around it. */
#define LIVE_LINES_AROUND 3
#define FINAL_LINES_AROUND 14
#define FEWEST_ROWS 5
#define NARROWEST 16
#define NARROW_WINDOW 50 /* below, the file is left out where it is the same in all rows */
#define MOST_PAD 40	 /* in a pipe */
#define GAP 2

/* The rows to show, highest first. */
struct rows {
	size_t *positions;
	size_t size;
	const uint64_t *rated; /* hits that the rate is taken from … */
	uint64_t rated_ns;     /* … and the time they came in */
};

/* Widths in columns; never less than the headings'. */
struct layout {
	size_t hits;
	size_t rate;
	size_t symbol;
	size_t path;
	size_t symbol_limit;
	size_t path_limit; /* 0 = never cut */
	bool one_path;	   /* the same in all rows */
	bool hides_path;
	const char *line_end;
};

static const char *rate_text(char buffer[CLI_NUMBER_SIZE], uint64_t hits, uint64_t nanoseconds)
{
	double rate = nanoseconds ? (double)hits * 1e9 / (double)nanoseconds : 0;

	if (rate > 0 && rate < 10)
		snprintf(buffer, CLI_NUMBER_SIZE, "%.1f", rate);
	else
		cli_text_number(buffer, (uint64_t)(rate + 0.5));
	return buffer;
}

static size_t larger(size_t left, size_t right)
{
	return left > right ? left : right;
}

static const char *path_shown(const struct cli_count *count, const struct upm_probe *probe)
{
	return count->full_paths ? probe->path : cli_base_name(probe->path);
}

/* Widen the layout to what the rows need. */
static void measure(struct cli_count *count, const struct rows *rows, struct layout *layout)
{
	struct upm_probe probe = {.size = sizeof(probe)};
	char number[CLI_NUMBER_SIZE];
	const char *path = NULL;

	layout->one_path = true;
	for (size_t i = 0; i < rows->size; i++) {
		size_t at = rows->positions[i];

		if (upm_probe_set_get(count->set, at, &probe) != UPM_OK)
			continue;
		if (path && strcmp(path, probe.path) != 0)
			layout->one_path = false;
		path = probe.path;
		layout->hits = larger(layout->hits,
				      cli_text_width(cli_text_number(number, count->hits[at])));
		layout->rate =
			larger(layout->rate,
			       cli_text_width(rate_text(number, rows->rated[at], rows->rated_ns)));
		layout->symbol =
			larger(layout->symbol, cli_text_width(cli_name_of(&count->names, &probe)));
		layout->path = larger(layout->path, cli_text_width(path_shown(count, &probe)));
	}
	if (layout->symbol > CLI_MOST_LABEL)
		layout->symbol = CLI_MOST_LABEL;
}

/* In a pipe paths are not cut, and a few long names do not push all of them away. */
static void fit(struct layout *layout, size_t columns)
{
	size_t fixed;

	layout->symbol_limit = CLI_MOST_LABEL;
	if (!columns) {
		layout->symbol = layout->symbol < MOST_PAD ? layout->symbol : MOST_PAD;
		return;
	}
	layout->hides_path = layout->one_path && columns < NARROW_WINDOW;
	if (layout->hides_path)
		layout->path = 0;
	fixed = layout->hits + layout->rate + (layout->hides_path ? 2 : 3) * GAP;
	cli_text_share(columns > fixed + NARROWEST ? columns - fixed : NARROWEST, &layout->symbol,
		       &layout->path);
	layout->symbol_limit = layout->symbol;
	layout->path_limit = layout->path;
}

static void print_heading(FILE *out, const struct layout *layout, const struct cli_window *window)
{
	fprintf(out, "%s%*s  %*s  ", cli_bold(window), (int)layout->hits, "HITS", (int)layout->rate,
		"RATE/S");
	if (layout->hides_path)
		fputs("SYMBOL", out);
	else
		fprintf(out, "%-*s  BINARY", (int)layout->symbol, "SYMBOL");
	fprintf(out, "%s%s", cli_plain(window), layout->line_end);
}

static void print_rows(FILE *out, struct cli_count *count, const struct rows *rows,
		       const struct layout *layout)
{
	struct upm_probe probe = {.size = sizeof(probe)};
	char hits[CLI_NUMBER_SIZE], rate[CLI_NUMBER_SIZE];

	for (size_t i = 0; i < rows->size; i++) {
		size_t at = rows->positions[i];

		if (upm_probe_set_get(count->set, at, &probe) != UPM_OK)
			continue;
		fprintf(out, "%*s  %*s  ", (int)layout->hits,
			cli_text_number(hits, count->hits[at]), (int)layout->rate,
			rate_text(rate, rows->rated[at], rows->rated_ns));
		cli_text_put(out, cli_name_of(&count->names, &probe), layout->symbol_limit,
			     layout->hides_path ? 0 : layout->symbol);
		if (!layout->hides_path) {
			fputs("  ", out);
			cli_text_put(out, path_shown(count, &probe), layout->path_limit, 0);
		}
		fputs(layout->line_end, out);
	}
}

static void print_title(FILE *out, const struct cli_count *count, uint64_t now)
{
	char total[CLI_NUMBER_SIZE], attached[CLI_NUMBER_SIZE], skipped[CLI_NUMBER_SIZE];
	char time[CLI_NUMBER_SIZE];
	char line[256], links[CLI_NUMBER_SIZE];

	snprintf(line, sizeof(line), "%s, %s, %s skipped, %s (%s), %s; Ctrl-C ends",
		 cli_text_counted(total, count->total, "hit"),
		 cli_text_counted(attached, count->attached_count, "probe"),
		 cli_text_number(skipped, upm_link_skipped(count->link)),
		 cli_text_counted(links, count->links, "link"),
		 upm_backend_name(upm_link_backend(count->link)),
		 cli_text_duration(time, now - count->run.started_ns));
	cli_text_put(out, line, cli_window_of(STDOUT_FILENO).columns, 0);
	fputs("\x1b[K\n", out);
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

static size_t rows_wanted(const struct cli_count *count, size_t fitting)
{
	const struct cli_options *options = count->run.options;
	size_t wanted = fitting;

	if (options->top_given && options->top && options->top < fitting)
		wanted = options->top;
	return wanted < count->attached_count ? wanted : count->attached_count;
}

static void print_frame(FILE *out, struct cli_live *live, struct cli_count *count,
			struct rows *rows, const struct cli_window *window)
{
	uint64_t now = cli_now_ns();
	struct layout layout = {.hits = 4,
				.rate = 6,
				.symbol = larger(live->symbol_width, 6),
				.path = larger(live->path_width, 6),
				.line_end = "\x1b[K\n"};

	rows->rated_ns = now - (live->drawn_ns ? live->drawn_ns : count->run.started_ns);
	measure(count, rows, &layout);
	live->symbol_width = layout.symbol;
	live->path_width = layout.path;
	fit(&layout, window->columns);
	go_home(out, live, window);
	print_title(out, count, now);
	print_heading(out, &layout, window);
	print_rows(out, count, rows, &layout);
	fputs("\x1b[J", out);
	live->lines = 2 + rows->size;
	live->window = *window;
	live->drawn_ns = now;
}

void cli_live_draw(struct cli_live *live, struct cli_count *count)
{
	struct cli_window window = cli_window_of(STDOUT_FILENO);
	size_t fitting = window.rows > LIVE_LINES_AROUND ? window.rows - LIVE_LINES_AROUND : 1;
	size_t wanted = rows_wanted(count, fitting);
	struct rows rows = {.rated = count->new_hits};
	char *frame = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&frame, &length);

	rows.positions = calloc(wanted + 1, sizeof(*rows.positions));
	if (out && rows.positions) {
		rows.size =
			cli_top(count->run.options->by_rate ? count->new_hits : count->hits,
				count->attached, count->attached_count, 1, rows.positions, wanted);
		print_frame(out, live, count, &rows, &window);
	}
	if (out && fclose(out) == 0)
		(void)!write(STDOUT_FILENO, frame, length);
	free(frame);
	free(rows.positions);
}

void cli_live_clear(struct cli_live *live)
{
	if (live->lines)
		printf("\r\x1b[%zuA\x1b[J", live->lines);
	fflush(stdout);
	live->lines = 0;
}

static size_t final_limit(const struct cli_options *options, const struct cli_window *window)
{
	if (options->top_given)
		return options->top ? options->top : SIZE_MAX;
	if (!window->rows)
		return SIZE_MAX;
	return window->rows > FINAL_LINES_AROUND + FEWEST_ROWS ? window->rows - FINAL_LINES_AROUND
							       : FEWEST_ROWS;
}

void cli_table_print(FILE *out, struct cli_count *count, const struct cli_window *window)
{
	const struct cli_options *options = count->run.options;
	size_t limit = final_limit(options, window), found;
	struct rows rows = {.rated = count->window, .rated_ns = count->observed_ns};
	struct layout layout = {.hits = 4, .rate = 6, .symbol = 6, .path = 6, .line_end = "\n"};
	char number[CLI_NUMBER_SIZE];

	rows.positions = calloc(count->attached_count + 1, sizeof(*rows.positions));
	if (!rows.positions)
		return;
	found = cli_top(count->hits, count->attached, count->attached_count, !options->all,
			rows.positions, count->attached_count);
	rows.size = found < limit ? found : limit;
	measure(count, &rows, &layout);
	fit(&layout, window->columns);
	if (found) {
		print_heading(out, &layout, window);
		print_rows(out, count, &rows, &layout);
	}
	if (found > rows.size)
		fprintf(out, "and %s more; -n 0 shows all\n",
			cli_text_number(number, found - rows.size));
	free(rows.positions);
}

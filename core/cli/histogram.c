// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "histogram.h"

#include <langinfo.h>
#include <stdbool.h>
#include <string.h>

#include "text.h"
#include "uprobe_multi.h"

#define MOST_LINES 16
#define WIDEST_BAR 48
#define NARROWEST_BAR 8
#define EIGHTHS 8
/* "  1.02 us .. 2.05 us  " */
#define LABEL_WIDTH 22
#define BOUND_WIDTH 8

/* Lines to draw: `step` buckets each, from the one that holds `first`. */
struct scale {
	size_t first;
	size_t lines;
	size_t step;
	uint64_t highest; /* of any line */
	size_t bar;	  /* columns of the highest */
};

static uint64_t calls_of(const struct cli_histogram *histogram, const struct scale *scale,
			 size_t line)
{
	size_t from = scale->first + line * scale->step;
	uint64_t calls = 0;

	for (size_t i = from; i < from + scale->step && i < UPM_LATENCY_BUCKETS; i++)
		calls += histogram->buckets[i];
	return calls;
}

/* @return false when there are no calls. */
static bool find_scale(const struct cli_histogram *histogram, struct scale *scale)
{
	size_t first = 0, last = UPM_LATENCY_BUCKETS;

	while (first < UPM_LATENCY_BUCKETS && !histogram->buckets[first])
		first++;
	if (first == UPM_LATENCY_BUCKETS)
		return false;
	while (!histogram->buckets[last - 1])
		last--;
	for (scale->step = 1;; scale->step *= 2) {
		scale->first = first / scale->step * scale->step;
		scale->lines = (last - scale->first + scale->step - 1) / scale->step;
		if (scale->lines <= MOST_LINES)
			break;
	}
	scale->highest = 0;
	for (size_t i = 0; i < scale->lines; i++)
		if (scale->highest < calls_of(histogram, scale, i))
			scale->highest = calls_of(histogram, scale, i);
	return true;
}

static size_t bar_width(const struct scale *scale, size_t columns)
{
	char number[CLI_NUMBER_SIZE];
	size_t around = LABEL_WIDTH + 2 + strlen(cli_text_number(number, scale->highest)) +
			strlen("  p50 p90 p99");

	if (!columns || columns > around + WIDEST_BAR)
		return WIDEST_BAR;
	return columns > around + NARROWEST_BAR ? columns - around : NARROWEST_BAR;
}

static bool has_blocks(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* Any call at all is seen: at least an eighth. */
static void print_bar(FILE *out, const struct scale *scale, uint64_t calls)
{
	static const char *const blocks[EIGHTHS] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	size_t eighths =
		(size_t)((double)calls / (double)scale->highest * (double)(scale->bar * EIGHTHS) +
			 0.5);
	size_t whole, used;
	bool fine = has_blocks();

	if (calls && !eighths)
		eighths = 1;
	whole = fine ? eighths / EIGHTHS : (eighths + EIGHTHS - 1) / EIGHTHS;
	for (size_t i = 0; i < whole; i++)
		fputs(fine ? "█" : "#", out);
	used = whole;
	if (fine && eighths % EIGHTHS) {
		fputs(blocks[eighths % EIGHTHS], out);
		used++;
	}
	fprintf(out, "%*s", (int)(scale->bar - used), "");
}

static void print_marks(FILE *out, const struct cli_histogram *histogram, uint64_t low,
			uint64_t high)
{
	const char *before = "  ";

	for (size_t i = 0; i < histogram->mark_count; i++) {
		if (histogram->marks[i].time_ns < low || histogram->marks[i].time_ns >= high)
			continue;
		fprintf(out, "%s%s", before, histogram->marks[i].name);
		before = " ";
	}
}

static void print_line(FILE *out, const struct cli_histogram *histogram, const struct scale *scale,
		       size_t line)
{
	size_t from = scale->first + line * scale->step, to = from + scale->step - 1;
	uint64_t low = 0, high = 0, unused, calls = calls_of(histogram, scale, line);
	char text[CLI_NUMBER_SIZE], number[CLI_NUMBER_SIZE];
	bool is_last = to >= UPM_LATENCY_BUCKETS - 1;

	if (upm_latency_bucket(from, &low, &unused) < 0 ||
	    upm_latency_bucket(is_last ? UPM_LATENCY_BUCKETS - 1 : to, &unused, &high) < 0)
		return;
	fprintf(out, "%*s .. ", BOUND_WIDTH, cli_text_exact(text, low));
	fprintf(out, "%*s  ", BOUND_WIDTH, is_last ? "more" : cli_text_exact(text, high));
	print_bar(out, scale, calls);
	fprintf(out, "  %*s", (int)strlen(cli_text_number(text, scale->highest)),
		cli_text_number(number, calls));
	print_marks(out, histogram, low, is_last ? UINT64_MAX : high);
	fputc('\n', out);
}

void cli_histogram_print(FILE *out, const struct cli_histogram *histogram,
			 const struct cli_window *window)
{
	struct scale scale;

	if (!find_scale(histogram, &scale))
		return;
	scale.bar = bar_width(&scale, window->columns);
	for (size_t i = 0; i < scale.lines; i++)
		print_line(out, histogram, &scale, i);
}

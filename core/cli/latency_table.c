// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>

#include "clock.h"
#include "histogram.h"
#include "latency.h"
#include "rows.h"
#include "text.h"

enum column { CALLS, RATE, P50, P90, P99, MAX, TOTAL, PID, TID, COMM };

static const struct cli_column columns[] = {
	[CALLS] = {"CALLS", 0, false}, [RATE] = {"RATE/S", 1, false}, [P50] = {"P50", 0, false},
	[P90] = {"P90", 2, false},     [P99] = {"P99", 0, false},     [MAX] = {"MAX", 3, false},
	[TOTAL] = {"TOTAL", 4, false}, [PID] = {"PID", 0, false},     [TID] = {"TID", 0, false},
	[COMM] = {"COMM", 5, true},
};

/* What a table shows: timings, and the rate of the calls between two snapshots. */
struct figures {
	const struct cli_latency *latency;
	const struct upm_latency_snapshot *later, *earlier;
	uint64_t rated_ns; /* 0 = there is no rate */
	enum column shown[CLI_MOST_COLUMNS];
};

static uint64_t share_of(const struct cli_latency *latency, const struct cli_timing *timing,
			 double share)
{
	if (timing->index == CLI_NO_ROW)
		return 0;
	return upm_latency_snapshot_percentile(latency->now, timing->index, share);
}

/* Without calls there is no time. */
static const char *time_text(char buffer[CLI_NUMBER_SIZE], const struct cli_timing *timing,
			     uint64_t nanoseconds)
{
	return timing->row.calls ? cli_text_duration(buffer, nanoseconds) : "-";
}

static const char *rate_text(char buffer[CLI_NUMBER_SIZE], const struct figures *figures,
			     const struct cli_timing *timing)
{
	return cli_text_rate(
		buffer, cli_latency_calls_between(figures->later, figures->earlier, &timing->row),
		figures->rated_ns);
}

static const char *cell_text(const void *context, size_t row, size_t column,
			     char buffer[CLI_NUMBER_SIZE])
{
	const struct figures *figures = context;
	const struct cli_latency *latency = figures->latency;
	const struct cli_timing *timing = &latency->timings[row];

	switch (figures->shown[column]) {
	case CALLS:
		return cli_text_number(buffer, timing->row.calls);
	case RATE:
		return rate_text(buffer, figures, timing);
	case P50:
		return time_text(buffer, timing, share_of(latency, timing, 0.5));
	case P90:
		return time_text(buffer, timing, share_of(latency, timing, 0.9));
	case P99:
		return time_text(buffer, timing, share_of(latency, timing, 0.99));
	case MAX:
		return time_text(buffer, timing, timing->row.max_ns);
	case TOTAL:
		return time_text(buffer, timing, timing->row.sum_ns);
	case PID:
		snprintf(buffer, CLI_NUMBER_SIZE, "%d", (int)timing->row.pid);
		return buffer;
	case TID:
		snprintf(buffer, CLI_NUMBER_SIZE, "%d", (int)timing->row.tid);
		return buffer;
	case COMM:
		return cli_latency_comm(latency, &timing->row);
	}
	return "";
}

static size_t probe_of(const void *context, size_t row)
{
	const struct figures *figures = context;

	return figures->latency->timings[row].row.probe;
}

static bool is_shown(const struct figures *figures, enum column column)
{
	switch (column) {
	case RATE:
		return figures->rated_ns;
	case PID:
		return figures->latency->has_pids && !figures->latency->has_tids;
	case TID:
		return figures->latency->has_tids;
	case COMM:
		return figures->latency->has_pids;
	default:
		return true;
	}
}

static struct cli_table table_of(struct cli_latency *latency, struct figures *figures,
				 const struct cli_rows *rows)
{
	struct cli_table table = {
		.rows = rows->list,
		.row_count = rows->count,
		.cell = cell_text,
		.probe = probe_of,
		.context = figures,
		.set = latency->base.set,
		.names = &latency->base.names,
		.full_paths = latency->base.full_paths,
	};

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		if (!is_shown(figures, i))
			continue;
		figures->shown[table.column_count] = i;
		table.columns[table.column_count++] = columns[i];
	}
	return table;
}

static uint64_t sort_value(const struct cli_latency *latency, const struct cli_timing *timing)
{
	switch (latency->base.run.options->sort) {
	case CLI_SORT_HITS:
	case CLI_SORT_RATE:
	case CLI_SORT_CALLS:
		return timing->row.calls;
	case CLI_SORT_P99:
		return share_of(latency, timing, 0.99);
	case CLI_SORT_MAX:
		return timing->row.max_ns;
	default:
		return timing->row.sum_ns;
	}
}

/* A function that was entered and never left is shown, though it has no time. */
static bool select_rows(const struct cli_latency *latency, struct cli_rows *rows, bool all,
			size_t limit)
{
	uint64_t *values = calloc(latency->timing_count + 1, sizeof(*values));
	size_t *every = calloc(latency->timing_count + 1, sizeof(*every));
	bool ok = values && every;

	for (size_t i = 0; ok && i < latency->timing_count; i++) {
		values[i] = sort_value(latency, &latency->timings[i]);
		every[i] = i;
	}
	if (ok)
		ok = cli_rows_select(rows, values, all ? every : latency->called,
				     all ? latency->timing_count : latency->called_count, 0, limit);
	free(values);
	free(every);
	return ok;
}

static void write_title(char *line, size_t size, const struct cli_latency *latency, uint64_t now)
{
	const struct cli_observation *base = &latency->base;
	char calls[CLI_NUMBER_SIZE], unreturned[CLI_NUMBER_SIZE], attached[CLI_NUMBER_SIZE];
	char skipped[CLI_NUMBER_SIZE], time[CLI_NUMBER_SIZE], head[224], detail[48];

	snprintf(head, sizeof(head), "%s, %s running, %s, %s skipped",
		 cli_text_counted(calls, latency->calls, "call"),
		 cli_text_number(unreturned, latency->unreturned),
		 cli_text_counted(attached, base->attached_count, "probe"),
		 cli_text_number(skipped, upm_link_skipped(base->link)));
	snprintf(detail, sizeof(detail), " (%s)", upm_backend_name(upm_link_backend(base->link)));
	cli_live_title(line, size, head, detail,
		       cli_text_duration(time, now - base->run.started_ns));
}

void cli_latency_draw(struct cli_observation *observation)
{
	struct cli_latency *latency = (struct cli_latency *)observation;
	uint64_t now = cli_now_ns(), before = observation->live.drawn_ns;
	struct figures figures = {
		.latency = latency,
		.later = latency->now,
		.earlier = latency->before ? latency->before : latency->opened,
		.rated_ns = now - (before ? before : observation->run.started_ns),
	};
	struct cli_table table;
	struct cli_rows rows;
	char title[256];

	if (!select_rows(latency, &rows, false, cli_rows_live_limit(observation->run.options)))
		return;
	table = table_of(latency, &figures, &rows);
	write_title(title, sizeof(title), latency, now);
	cli_live_draw(&observation->live, title, &table);
	cli_rows_free(&rows);
}

static void print_histogram_title(FILE *out, struct cli_latency *latency,
				  const struct cli_timing *timing)
{
	struct upm_probe probe = {.size = sizeof(probe)};
	const char *comm = cli_latency_comm(latency, &timing->row);
	char number[CLI_NUMBER_SIZE];

	if (upm_probe_set_get(latency->base.set, timing->row.probe, &probe) < 0)
		return;
	fputc('\n', out);
	cli_text_put(out, cli_name_of(&latency->base.names, &probe), CLI_MOST_LABEL, 0);
	if (latency->has_tids)
		fprintf(out, ", thread %d", (int)timing->row.tid);
	else if (latency->has_pids)
		fprintf(out, ", process %d", (int)timing->row.pid);
	if (*comm) {
		fputc(' ', out);
		cli_text_put(out, comm, 0, 0);
	}
	fprintf(out, ": %s\n", cli_text_counted(number, timing->row.calls, "call"));
}

static void print_histogram(struct cli_latency *latency, const struct cli_timing *timing,
			    const struct cli_window *window)
{
	const struct cli_mark marks[] = {
		{"p50", share_of(latency, timing, 0.5)},
		{"p90", share_of(latency, timing, 0.9)},
		{"p99", share_of(latency, timing, 0.99)},
	};
	struct cli_histogram histogram = {
		.marks = marks,
		.mark_count = sizeof(marks) / sizeof(marks[0]),
	};

	if (!timing->row.calls)
		return;
	histogram.buckets = upm_latency_snapshot_buckets(latency->now, timing->index);
	if (!histogram.buckets)
		return;
	print_histogram_title(latency->base.out, latency, timing);
	cli_histogram_print(latency->base.out, &histogram, window);
}

void cli_latency_print_tables(struct cli_latency *latency, const struct cli_window *window)
{
	struct cli_observation *base = &latency->base;
	const struct cli_options *options = base->run.options;
	struct figures figures = {
		.latency = latency,
		.later = latency->closed,
		.earlier = latency->opened,
		.rated_ns = base->observed_ns,
	};
	struct cli_table table;
	struct cli_rows rows;

	if (!select_rows(latency, &rows, options->all, cli_rows_final_limit(options, window)))
		return;
	table = table_of(latency, &figures, &rows);
	if (rows.count)
		cli_table_print(base->out, &table, NULL, window, "");
	cli_rows_print_left(base->out, &rows);
	for (size_t i = 0; i < rows.count && i < options->histograms; i++)
		print_histogram(latency, &latency->timings[rows.list[i]], window);
	if (rows.count)
		fputc('\n', base->out);
	cli_rows_free(&rows);
}

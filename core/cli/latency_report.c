// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "latency.h"
#include "other_program.h"
#include "report.h"
#include "rows.h"
#include "text.h"

#define MOST_NAMED 3

static uint64_t calls_observed(const struct cli_latency *latency)
{
	uint64_t calls = 0;

	for (size_t i = 0; i < latency->called_count; i++)
		calls += cli_latency_calls_between(latency->closed, latency->opened,
						   &latency->timings[latency->called[i]].row);
	return calls;
}

static size_t functions_called(const struct cli_latency *latency)
{
	size_t functions = 0;
	uint64_t before = UINT64_MAX;

	for (size_t i = 0; i < latency->called_count; i++) {
		const struct upm_latency_row *row = &latency->timings[latency->called[i]].row;

		functions += row->probe != before;
		before = row->probe;
	}
	return functions;
}

/* Timings with calls of which no return was seen, most first. */
static bool select_unreturned(const struct cli_latency *latency, struct cli_rows *rows,
			      uint64_t *values)
{
	for (size_t i = 0; i < latency->timing_count; i++)
		values[i] = latency->timings[i].row.unreturned;
	return cli_rows_select(rows, values, latency->called, latency->called_count, 1, MOST_NAMED);
}

static void print_unreturned_names(FILE *out, struct cli_latency *latency,
				   const struct cli_rows *rows)
{
	struct upm_probe probe = {.size = sizeof(probe)};
	char number[CLI_NUMBER_SIZE];

	for (size_t i = 0; i < rows->count; i++) {
		const struct upm_latency_row *row = &latency->timings[rows->list[i]].row;

		if (upm_probe_set_get(latency->base.set, row->probe, &probe) < 0)
			continue;
		fputs(i ? ", " : ": ", out);
		cli_text_put(out, cli_name_of(&latency->base.names, &probe), CLI_MOST_LABEL, 0);
		fprintf(out, " %s", cli_text_number(number, row->unreturned));
		if (latency->has_tids)
			fprintf(out, " (thread %d)", (int)row->tid);
		else if (latency->has_pids)
			fprintf(out, " (process %d)", (int)row->pid);
	}
	if (rows->left)
		fprintf(out, " and %s more", cli_text_number(number, rows->left));
	fputc('\n', out);
}

static void print_unreturned(FILE *out, struct cli_latency *latency)
{
	uint64_t *values = calloc(latency->timing_count + 1, sizeof(*values));
	struct cli_rows rows;
	char number[CLI_NUMBER_SIZE];

	if (values && latency->unreturned && select_unreturned(latency, &rows, values)) {
		fprintf(out, "running  %s began and had no return yet, or never will",
			cli_text_counted(number, latency->unreturned, "call"));
		print_unreturned_names(out, latency, &rows);
		cli_rows_free(&rows);
	}
	free(values);
}

static void print_lost(FILE *out, const struct cli_latency *latency)
{
	uint64_t lost = upm_latency_snapshot_lost(latency->now);
	char number[CLI_NUMBER_SIZE];

	if (lost)
		fprintf(out,
			"lost     %s more, for which there was no row: make room with --rows\n",
			cli_text_counted(number, lost, "call"));
}

int cli_latency_print(struct cli_observation *observation)
{
	struct cli_latency *latency = (struct cli_latency *)observation;
	struct cli_window window = cli_window_of(fileno(observation->out));
	FILE *out = observation->out;
	uint64_t observed = calls_observed(latency);
	char total[CLI_NUMBER_SIZE];

	cli_print_begin(observation, &window);
	cli_latency_print_tables(latency, &window);
	cli_print_amount(observation, out, "calls", latency->calls, observed,
			 functions_called(latency));
	print_unreturned(out, latency);
	print_lost(out, latency);
	cli_print_rates(observation, out, latency->calls - observed, "call");
	if (latency->calls)
		fprintf(out, "spent    %s in these calls, each with what it called\n",
			cli_text_duration(total, latency->sum_ns));
	cli_print_end(observation, out);
	if (!latency->calls && !latency->unreturned)
		cli_remark_other_program(observation);
	return CLI_DONE;
}

/* The last bucket has no end: null. */
static json_t *describe_histogram(const uint64_t *buckets)
{
	json_t *list = json_array();

	for (size_t i = 0; buckets && i < UPM_LATENCY_BUCKETS; i++) {
		uint64_t low, high;

		if (!buckets[i] || upm_latency_bucket(i, &low, &high) < 0)
			continue;
		json_array_append_new(list,
				      json_pack("[o,o,o]", cli_json_integer(low),
						i + 1 < UPM_LATENCY_BUCKETS ? cli_json_integer(high)
									    : json_null(),
						cli_json_integer(buckets[i])));
	}
	return list;
}

static void add_times(json_t *value, const struct cli_latency *latency,
		      const struct cli_timing *timing)
{
	static const struct {
		const char *key;
		double share;
	} shares[] = {{"p50_ns", 0.5}, {"p90_ns", 0.9}, {"p99_ns", 0.99}};
	bool exists = timing->index != CLI_NO_ROW;

	json_object_set_new(value, "calls", cli_json_integer(timing->row.calls));
	json_object_set_new(value, "entries", cli_json_integer(timing->row.entries));
	json_object_set_new(value, "unreturned", cli_json_integer(timing->row.unreturned));
	json_object_set_new(value, "min_ns", cli_json_integer(timing->row.min_ns));
	json_object_set_new(value, "max_ns", cli_json_integer(timing->row.max_ns));
	json_object_set_new(value, "sum_ns", cli_json_integer(timing->row.sum_ns));
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
		json_object_set_new(value, shares[i].key,
				    cli_json_integer(exists ? upm_latency_snapshot_percentile(
								      latency->now, timing->index,
								      shares[i].share)
							    : 0));
	json_object_set_new(
		value, "histogram",
		describe_histogram(
			exists ? upm_latency_snapshot_buckets(latency->now, timing->index) : NULL));
}

static json_t *describe(struct cli_latency *latency, const struct cli_timing *timing)
{
	json_t *value = cli_json_probe(&latency->base, timing->row.probe);

	if (!value)
		return NULL;
	if (timing->row.pid) {
		json_object_set_new(value, "pid", json_integer(timing->row.pid));
		if (timing->row.tid)
			json_object_set_new(value, "tid", json_integer(timing->row.tid));
		json_object_set_new(value, "comm",
				    cli_json_text(cli_latency_comm(latency, &timing->row)));
	}
	add_times(value, latency, timing);
	return value;
}

int cli_latency_json(struct cli_observation *observation)
{
	struct cli_latency *latency = (struct cli_latency *)observation;
	struct cli_json json;

	cli_json_open(&json, observation->out);
	cli_json_observation(&json, observation);
	cli_json_member(&json, "total", cli_json_integer(latency->calls));
	cli_json_member(&json, "unreturned", cli_json_integer(latency->unreturned));
	cli_json_member(&json, "lost", cli_json_integer(upm_latency_snapshot_lost(latency->now)));
	cli_json_array(&json, "probes");
	for (size_t i = 0; i < latency->timing_count; i++)
		cli_json_element(&json, describe(latency, &latency->timings[i]));
	cli_json_array_end(&json);
	return cli_json_close(&json);
}

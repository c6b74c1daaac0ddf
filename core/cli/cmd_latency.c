// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "latency.h"
#include "report.h"

static int32_t make(struct cli_observation *observation, const struct upm_attach_options *options)
{
	struct upm_latency_options latency = {
		.size = sizeof(latency),
		.split = observation->run.options->split,
		.most_rows = observation->run.options->most_rows,
	};

	return upm_latency(observation->set, &latency, options, &observation->observer);
}

static bool with_returns(const struct cli_options *options)
{
	(void)options;
	return true;
}

static int prepare(struct cli_observation *observation)
{
	struct cli_latency *latency = (struct cli_latency *)observation;

	latency->has_pids = observation->run.options->split != UPM_SPLIT_NONE;
	latency->has_tids = observation->run.options->split == UPM_SPLIT_THREAD;
	return 0;
}

/* How snapshots are ordered. */
static int compare_rows(const struct upm_latency_row *left, const struct upm_latency_row *right)
{
	if (left->probe != right->probe)
		return left->probe < right->probe ? -1 : 1;
	if (left->pid != right->pid)
		return left->pid < right->pid ? -1 : 1;
	return (left->tid > right->tid) - (left->tid < right->tid);
}

static uint64_t calls_in(const struct upm_latency_snapshot *snapshot,
			 const struct upm_latency_row *row)
{
	size_t low = 0, high = snapshot ? upm_latency_snapshot_size(snapshot) : 0;

	while (low < high) {
		struct upm_latency_row found = {.size = sizeof(found)};
		size_t middle = low + (high - low) / 2;
		int order;

		if (upm_latency_snapshot_get(snapshot, middle, &found) < 0)
			return 0;
		order = compare_rows(&found, row);
		if (!order)
			return found.calls;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

uint64_t cli_latency_calls_between(const struct upm_latency_snapshot *later,
				   const struct upm_latency_snapshot *earlier,
				   const struct upm_latency_row *row)
{
	uint64_t after = calls_in(later, row), before = calls_in(earlier, row);

	return after > before ? after - before : 0;
}

const char *cli_latency_comm(const struct cli_latency *latency, const struct upm_latency_row *row)
{
	return cli_comms_name(&latency->comms, row->pid, row->tid);
}

static void add(struct cli_latency *latency, const struct upm_latency_row *row, size_t index)
{
	if (row->entries)
		latency->called[latency->called_count++] = latency->timing_count;
	latency->timings[latency->timing_count++] = (struct cli_timing){*row, index};
	latency->calls += row->calls;
	latency->unreturned += row->unreturned;
	latency->sum_ns += row->sum_ns;
}

/* The snapshot's rows, and an empty one for each attached probe that has none. */
static void join_rows(struct cli_latency *latency)
{
	size_t size = upm_latency_snapshot_size(latency->now), at = 0, next = 0;
	const size_t *attached = latency->base.attached;
	struct upm_latency_row row = {.size = sizeof(row)};

	for (; at < size; at++) {
		if (upm_latency_snapshot_get(latency->now, at, &row) < 0)
			continue;
		for (; next < latency->base.attached_count && attached[next] < row.probe; next++)
			add(latency, &(struct upm_latency_row){.probe = attached[next]},
			    CLI_NO_ROW);
		if (next < latency->base.attached_count && attached[next] == row.probe)
			next++;
		add(latency, &row, at);
		latency->has_pids |= row.pid != 0;
		latency->has_tids |= row.tid != 0;
	}
	for (; next < latency->base.attached_count; next++)
		add(latency, &(struct upm_latency_row){.probe = attached[next]}, CLI_NO_ROW);
}

static int list_rows(struct cli_latency *latency)
{
	size_t most = upm_latency_snapshot_size(latency->now) + latency->base.attached_count + 1;

	free(latency->timings);
	free(latency->called);
	latency->timing_count = latency->called_count = 0;
	latency->calls = latency->unreturned = latency->sum_ns = 0;
	latency->timings = calloc(most, sizeof(*latency->timings));
	latency->called = calloc(most, sizeof(*latency->called));
	if (!latency->timings || !latency->called)
		return cli_fail("measure", "", strerror(ENOMEM), "ask for fewer probes");
	join_rows(latency);
	return 0;
}

/* Names are read while their owners live. */
static int note_names(struct cli_latency *latency)
{
	for (size_t i = 0; latency->has_pids && i < latency->called_count; i++) {
		const struct upm_latency_row *row = &latency->timings[latency->called[i]].row;

		if (cli_comms_note(&latency->comms, row->pid, row->tid) < 0)
			return cli_fail("measure", "", strerror(ENOMEM), "");
	}
	return 0;
}

static void keep(struct cli_latency *latency, struct upm_latency_snapshot *snapshot,
		 enum cli_reading when)
{
	if (when == CLI_READ_OPEN) {
		latency->opened = snapshot;
	} else if (when == CLI_READ_CLOSE) {
		latency->closed = snapshot;
	} else {
		upm_latency_snapshot_free(latency->before);
		latency->before = latency->now;
		latency->now = snapshot;
	}
}

static int read_at(struct cli_observation *observation, enum cli_reading when)
{
	struct cli_latency *latency = (struct cli_latency *)observation;
	struct upm_latency_snapshot *snapshot;

	if (upm_latency_read(observation->observer, &snapshot) < 0)
		return cli_fail_library();
	keep(latency, snapshot, when);
	if (when == CLI_READ_OPEN || when == CLI_READ_CLOSE)
		return 0;
	return list_rows(latency) ? CLI_FAILED : note_names(latency);
}

static bool needs_ticks(const struct cli_observation *observation)
{
	return ((const struct cli_latency *)observation)->has_pids;
}

static void release(struct cli_observation *observation)
{
	struct cli_latency *latency = (struct cli_latency *)observation;

	upm_latency_snapshot_free(latency->now);
	upm_latency_snapshot_free(latency->before);
	upm_latency_snapshot_free(latency->opened);
	upm_latency_snapshot_free(latency->closed);
	cli_comms_free(&latency->comms);
	free(latency->timings);
	free(latency->called);
}

const struct cli_kind cli_kind_latency = {
	.kind = UPM_OBSERVER_LATENCY,
	.doing = "measuring",
	.size = sizeof(struct cli_latency),
	.with_returns = with_returns,
	.make = make,
	.prepare = prepare,
	.read = read_at,
	.draw = cli_latency_draw,
	.needs_ticks = needs_ticks,
	.print = cli_latency_print,
	.print_json = cli_latency_json,
	.release = release,
};

int cli_latency(const struct cli_options *options)
{
	return cli_observe(options, &cli_kind_latency);
}

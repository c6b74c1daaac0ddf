/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Steps of latencies. */
#include "adapter.h"

#include <stdlib.h>
#include <string.h>

static const char *split_name(uint32_t split)
{
	static const char *const names[] = {"none", "process", "thread"};

	return split <= UPM_SPLIT_THREAD ? names[split] : "?";
}

static int32_t run_latency(const json_t *step, json_t *answer)
{
	const char *split = text_or_null(step, "split");
	struct upm_latency_options latency = {
		.size = sizeof(latency),
		.split = split ? word_of(split, split_name, UPM_SPLIT_THREAD) : UPM_SPLIT_NONE,
		.most_rows = (uint32_t)number_or(step, "most_rows", 0),
	};
	struct upm_observer *observer = NULL;
	struct attach attach;
	int32_t status;

	attach_of(step, &attach);
	status = upm_latency(find(step, "set", THING_SET), &latency, &attach.options, &observer);
	return keep_observer(step, answer, status, observer);
}

/* A snapshot knows positions only: it is kept together with the probes that they are of. */
struct measured {
	struct upm_latency_snapshot *snapshot;
	struct upm_probe_set *probes;
};

void free_measured(void *handle)
{
	struct measured *measured = handle;

	upm_latency_snapshot_free(measured->snapshot);
	upm_probe_set_free(measured->probes);
	free(measured);
}

/* Are extremes, percentiles and sum what they can be, and do the buckets hold every call? */
static bool is_in_order(const struct upm_latency_snapshot *snapshot, size_t index,
			const struct upm_latency_row *row)
{
	const uint64_t *buckets = upm_latency_snapshot_buckets(snapshot, index);
	uint64_t middle = upm_latency_snapshot_percentile(snapshot, index, 0.5);
	uint64_t high = upm_latency_snapshot_percentile(snapshot, index, 0.99);
	uint64_t counted = 0;

	for (size_t i = 0; i < UPM_LATENCY_BUCKETS; i++)
		counted += buckets[i];
	return counted == row->calls && row->min_ns <= middle && middle <= high &&
	       high <= row->max_ns && row->sum_ns >= row->min_ns * row->calls &&
	       row->sum_ns <= row->max_ns * row->calls;
}

static json_t *row_json(const struct measured *measured, size_t index)
{
	struct upm_latency_row row = {.size = sizeof(row)};
	struct upm_probe probe = {.size = sizeof(probe)};

	if (upm_latency_snapshot_get(measured->snapshot, index, &row) ||
	    upm_probe_set_get(measured->probes, row.probe, &probe))
		broken("row %zu can not be read", index);
	return json_pack("{s:s,s:I,s:I,s:I,s:b,s:b,s:b,s:b}", "symbol", probe.symbol, "entries",
			 (json_int_t)row.entries, "calls", (json_int_t)row.calls, "unreturned",
			 (json_int_t)row.unreturned, "timed", row.sum_ns > 0, "in_order",
			 is_in_order(measured->snapshot, index, &row), "of_process", row.pid != 0,
			 "of_thread", row.tid != 0);
}

static int32_t keep_snapshot(const json_t *step, json_t *answer,
			     struct upm_latency_snapshot *snapshot,
			     const struct upm_probe_set *probes)
{
	struct measured *measured = calloc(1, sizeof(*measured));
	json_t *rows = json_array();

	measured->snapshot = snapshot;
	if (upm_probe_set_new(&measured->probes) || upm_probe_set_join(measured->probes, probes))
		broken("the probes can not be copied");
	for (size_t i = 0; i < upm_latency_snapshot_size(snapshot); i++)
		json_array_append_new(rows, row_json(measured, i));
	put(answer, "rows", rows);
	put_number(answer, "lost", upm_latency_snapshot_lost(snapshot));
	put(answer, "dated", json_boolean(upm_latency_snapshot_time_ns(snapshot) > 0));
	keep(step, THING_SNAPSHOT, measured);
	return UPM_OK;
}

static int32_t run_snapshot(const json_t *step, json_t *answer)
{
	const struct upm_observer *observer = find(step, "of", THING_OBSERVER);
	struct upm_latency_snapshot *snapshot = NULL;
	int32_t status = upm_latency_read(observer, &snapshot);

	return status ? status
		      : keep_snapshot(step, answer, snapshot, upm_observer_probes(observer));
}

static int32_t combine(const json_t *step, json_t *answer,
		       int32_t (*function)(const struct upm_latency_snapshot *,
					   const struct upm_latency_snapshot *,
					   struct upm_latency_snapshot **))
{
	const struct measured *one = find(step, "of", THING_SNAPSHOT);
	const struct measured *other = find(step, "other", THING_SNAPSHOT);
	struct upm_latency_snapshot *out = NULL;
	int32_t status = function(one->snapshot, other->snapshot, &out);

	return status ? status : keep_snapshot(step, answer, out, one->probes);
}

static int32_t run_merge(const json_t *step, json_t *answer)
{
	return combine(step, answer, upm_latency_snapshot_merge);
}

static int32_t run_diff(const json_t *step, json_t *answer)
{
	return combine(step, answer, upm_latency_snapshot_diff);
}

static int32_t run_bucket(const json_t *step, json_t *answer)
{
	uint64_t low = 0, high = 0;
	int32_t status = upm_latency_bucket(number_or(step, "bucket", 0), &low, &high);

	put_number(answer, "low", low);
	put_number(answer, "high", high);
	return status;
}

const struct verb latency_verbs[] = {
	{"latency", run_latency}, {"snapshot", run_snapshot}, {"merge", run_merge},
	{"diff", run_diff},	  {"bucket", run_bucket},     {NULL, NULL},
};

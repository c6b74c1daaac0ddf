/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Latencies: every call is measured or counted as unreturned, in each form of the programs. */
#include "live_target.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "observe/latency.h"

/* What measures: the session, the pair on multi links, the pair on perf events. */
struct way {
	enum upm_latency_form form;
	uint32_t backend;
};

static const struct way ways[] = {
	{UPM_LATENCY_SESSION, UPM_BACKEND_UPROBE_MULTI},
	{UPM_LATENCY_PAIR, UPM_BACKEND_UPROBE_MULTI},
	{UPM_LATENCY_PAIR, UPM_BACKEND_PERF_EVENT},
};

/* One target with one observer. */
struct run {
	struct target target;
	struct upm_probe_set *set;
	struct upm_observer *observer;
	struct upm_latency_snapshot *snapshot;
};

static struct upm_probe_set *resolve_timed(const char *pattern)
{
	struct upm_probe_set *set;
	char spec[PATH_MAX + 64];
	const char *specs[] = {spec};

	snprintf(spec, sizeof(spec), "uprobe:%s:%s", test_build_path("target/timed"), pattern);
	assert_upm_ok(upm_resolve(specs, 1, NULL, &set));
	return set;
}

static void begin(struct run *run, const struct way *way, const char *pattern,
		  const struct upm_latency_options *latency, uint32_t flags)
{
	struct upm_attach_options options;

	memset(run, 0, sizeof(*run));
	target_start_program(&run->target, test_build_path("target/timed"));
	run->set = resolve_timed(pattern);
	options = options_for(&run->target.pid);
	options.backend = way->backend;
	options.flags = flags;
	assert_upm_ok(upm_latency_measure(way->form, run->set, latency, &options, &run->observer));
	assert_int_equal(upm_link_skipped(upm_observer_link(run->observer)), 0);
}

static void read_all(struct run *run)
{
	upm_latency_snapshot_free(run->snapshot);
	assert_upm_ok(upm_latency_read(run->observer, &run->snapshot));
}

static void finish(struct run *run)
{
	upm_latency_snapshot_free(run->snapshot);
	upm_observer_free(run->observer);
	upm_probe_set_free(run->set);
	target_stop(&run->target);
}

static struct upm_latency_row row_at(const struct upm_latency_snapshot *snapshot, size_t index)
{
	struct upm_latency_row row = {.size = sizeof(row)};

	assert_upm_ok(upm_latency_snapshot_get(snapshot, index, &row));
	return row;
}

/* The only row of a snapshot. */
static struct upm_latency_row only_row(const struct upm_latency_snapshot *snapshot)
{
	assert_int_equal(upm_latency_snapshot_size(snapshot), 1);
	assert_int_equal(upm_latency_snapshot_lost(snapshot), 0);
	return row_at(snapshot, 0);
}

static void assert_row(const struct upm_latency_row *row, uint64_t entries, uint64_t calls)
{
	assert_int_equal(row->entries, entries);
	assert_int_equal(row->calls, calls);
	assert_int_equal(row->unreturned, entries - calls);
	assert_true(calls ? row->min_ns <= row->max_ns && row->sum_ns >= row->max_ns
			  : row->max_ns == 0 && row->sum_ns == 0);
}

/* Sends a command and checks the one row of the function that it calls. */
static void check_command(const struct way *way, const char *function, const char *command,
			  uint64_t entries, uint64_t calls)
{
	struct upm_latency_row row;
	struct run run;

	begin(&run, way, function, NULL, 0);
	target_send(&run.target, command);
	assert_memory_equal(target_answer(&run.target), command, strcspn(command, " "));
	read_all(&run);
	row = only_row(run.snapshot);
	assert_row(&row, entries, calls);
	assert_hits(run.observer, 1, entries);
	finish(&run);
}

static void check_each_way(const char *function, const char *command, uint64_t entries,
			   uint64_t calls)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		check_command(&ways[i], function, command, entries, calls);
}

/* ---- known times */

struct times {
	uint64_t sum, p50, p99, max;
};

/* Of the clocks' fast and exact readings, which differ by some nanoseconds. */
#define CLOCK_SLACK 1000

static void assert_between(uint64_t value, uint64_t low, uint64_t high)
{
	assert_true(value + CLOCK_SLACK >= low);
	assert_true(value <= high + CLOCK_SLACK);
}

/*
 * The target has measured each call from within and from without; what the probes measured lies
 * between, call by call, and so do its order statistics. A percentile may be 1/16 off on top.
 */
static void known_times(const struct way *way, const char *command, uint64_t calls)
{
	struct times in, out;
	struct upm_latency_row row;
	struct run run;
	uint64_t p50, p99;

	begin(&run, way, "timed", NULL, 0);
	target_send(&run.target, command);
	assert_int_equal(sscanf(target_answer(&run.target),
				"time inside %lu %lu %lu %lu outside %lu %lu %lu %lu", &in.sum,
				&in.p50, &in.p99, &in.max, &out.sum, &out.p50, &out.p99, &out.max),
			 8);
	read_all(&run);
	row = only_row(run.snapshot);
	assert_row(&row, calls, calls);
	p50 = upm_latency_snapshot_percentile(run.snapshot, 0, 0.5);
	p99 = upm_latency_snapshot_percentile(run.snapshot, 0, 0.99);
	print_message("way %d/%u: p50 %lu < %lu < %lu, p99 %lu < %lu < %lu, max %lu < %lu < %lu\n",
		      way->form, way->backend, in.p50, p50, out.p50, in.p99, p99, out.p99, in.max,
		      row.max_ns, out.max);
	assert_between(row.sum_ns, in.sum, out.sum + calls * CLOCK_SLACK);
	assert_between(row.max_ns, in.max, out.max);
	assert_between(p50, in.p50 - in.p50 / 16, out.p50 + out.p50 / 16);
	assert_between(p99, in.p99 - in.p99 / 16, out.p99 + out.p99 / 16);
	finish(&run);
}

static void spinning(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++)
		known_times(&ways[i], "time spin 20000*900 300000*90 5000000*10", 1000);
}

static void sleeping(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++)
		known_times(&ways[i], "time sleep 1000000*100 10000000*10", 110);
}

/* ---- no call is lost */

static void a_million_calls(void **state)
{
	(void)state;
	check_command(&ways[0], "quick", "burst 4 250000", 1000000, 1000000);
}

static void threads(void **state)
{
	(void)state;
	check_each_way("quick", "burst 4 25000", 100000, 100000);
}

static void recursion(void **state)
{
	(void)state;
	check_each_way("deep", "deep 50 10", 500, 500);
}

/* The kernel follows 64 calls of a thread. */
static void recursion_without_end(void **state)
{
	(void)state;
	check_each_way("deep", "deep 100 3", 300, 192);
}

static void tail_calls(void **state)
{
	(void)state;
	check_each_way("tail_second", "tail 7 5", 35, 35);
	check_each_way("tail_first", "tail 7 5", 40, 40);
}

static void long_jumps(void **state)
{
	(void)state;
	check_each_way("jumper", "jump 100", 100, 0);
	check_each_way("landed", "jump 100", 100, 100);
}

static void threads_that_end(void **state)
{
	(void)state;
	check_each_way("ender", "ended", 1, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spinning),	    cmocka_unit_test(sleeping),
		cmocka_unit_test(a_million_calls),  cmocka_unit_test(threads),
		cmocka_unit_test(recursion),	    cmocka_unit_test(recursion_without_end),
		cmocka_unit_test(tail_calls),	    cmocka_unit_test(long_jumps),
		cmocka_unit_test(threads_that_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

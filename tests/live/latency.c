/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Latencies: every call is measured or counted as unreturned, in each form of the programs. */
#include "latency_target.h"

#include <string.h>

/* Sends a command and checks the one row of the function that it calls. */
static void check_command(const struct way *way, const char *function, const char *command,
			  uint64_t entries, uint64_t calls)
{
	struct upm_latency_row row;
	struct run run;

	run_begin(&run, way, function, NULL, 0);
	run_command(&run, command);
	run_read(&run);
	row = only_row(run.snapshot);
	assert_row(&row, entries, calls);
	assert_hits(run.observer, 1, entries);
	run_finish(&run);
}

static void check_each_way(const char *function, const char *command, uint64_t entries,
			   uint64_t calls)
{
	for (size_t i = 0; i < latency_ways(); i++)
		check_command(latency_way(i), function, command, entries, calls);
}

/* ---- known times */

struct times {
	uint64_t sum, p50, p99, max;
};

/* Between the clocks that the kernel and the target read, which are a little apart. */
#define CLOCK_SLACK 1000

static void assert_between(const char *what, uint64_t low, uint64_t value, uint64_t high)
{
	print_message("%s: %lu <= %lu <= %lu\n", what, low, value, high);
	assert_true(value + CLOCK_SLACK >= low);
	assert_true(value <= high + CLOCK_SLACK);
}

/*
 * The target has measured each call from within and from without; what the probes measured lies
 * between, call by call, and so do its order statistics. A percentile may be 1/16 off on top.
 */
static void check_times(const struct way *way, const char *command, uint64_t calls)
{
	struct times in, out;
	struct upm_latency_row row;
	struct run run;

	run_begin(&run, way, "timed", NULL, 0);
	assert_int_equal(sscanf(run_command(&run, command),
				" inside %lu %lu %lu %lu outside %lu %lu %lu %lu", &in.sum, &in.p50,
				&in.p99, &in.max, &out.sum, &out.p50, &out.p99, &out.max),
			 8);
	run_read(&run);
	row = only_row(run.snapshot);
	assert_row(&row, calls, calls);
	assert_between("sum", in.sum, row.sum_ns, out.sum + calls * CLOCK_SLACK);
	assert_between("max", in.max, row.max_ns, out.max);
	assert_between("p50", in.p50 - in.p50 / 16,
		       upm_latency_snapshot_percentile(run.snapshot, 0, 0.5),
		       out.p50 + out.p50 / 16);
	assert_between("p99", in.p99 - in.p99 / 16,
		       upm_latency_snapshot_percentile(run.snapshot, 0, 0.99),
		       out.p99 + out.p99 / 16);
	run_finish(&run);
}

static void spinning(void **state)
{
	(void)state;
	for (size_t i = 0; i < latency_ways(); i++)
		check_times(latency_way(i), "time spin 20000*900 300000*80 5000000*20", 1000);
}

static void sleeping(void **state)
{
	(void)state;
	for (size_t i = 0; i < latency_ways(); i++)
		check_times(latency_way(i), "time sleep 1000000*100 10000000*10", 110);
}

/* ---- no call is lost */

static const char *burst(char command[static 64], unsigned long times)
{
	snprintf(command, 64, "burst 4 %lu", times);
	return command;
}

static void a_million_calls(void **state)
{
	unsigned long each = scaled(250000);
	char command[64];

	(void)state;
	check_command(latency_way(0), "quick", burst(command, each), 4 * each, 4 * each);
}

static void threads(void **state)
{
	unsigned long each = scaled(25000);
	char command[64];

	(void)state;
	check_each_way("quick", burst(command, each), 4 * each, 4 * each);
}

static void recursion(void **state)
{
	(void)state;
	check_each_way("deep", "deep 50 10", 500, 500);
}

/* The kernel follows 64 calls of a thread. */
static void deep_recursion(void **state)
{
	(void)state;
	check_each_way("deep", "deep 100 3", 300, 192);
}

/* Calls that have the place of their return address in common. */
static void tail_calls(void **state)
{
	(void)state;
	check_each_way("tail_second", "tail 7 5", 35, 35);
	check_each_way("tail_first", "tail 7 5", 40, 40);
}

/* Each entry instruction that the kernel treats in its own way. */
static const char shapes[] = "/^(push|push_r12|lea|mov|sub|nop5|call|jump|ret)_first$/";

static void shapes_of_entries(void **state)
{
	(void)state;
	for (size_t i = 0; i < latency_ways(); i++) {
		struct upm_probe_set *set = resolve_known("uprobe", shapes);
		struct upm_attach_options options;
		struct upm_latency_snapshot *snapshot;
		struct upm_observer *observer;
		struct target target;

		target_start(&target);
		options = options_for(&target.pid);
		options.backend = latency_way(i)->backend;
		assert_upm_ok(
			upm_latency_measure(latency_way(i)->form, set, NULL, &options, &observer));
		target_send(&target, "shapes times=5");
		while (strcmp(target_answer(&target), "shapes done") != 0)
			;
		assert_upm_ok(upm_latency_read(observer, &snapshot));
		assert_int_equal(upm_latency_snapshot_size(snapshot),
				 upm_link_attached(upm_observer_link(observer)));
		for (size_t at = 0; at < upm_latency_snapshot_size(snapshot); at++) {
			struct upm_latency_row row = row_at(snapshot, at);

			assert_row(&row, 5, 5);
		}
		upm_latency_snapshot_free(snapshot);
		upm_observer_free(observer);
		upm_probe_set_free(set);
		target_stop(&target);
	}
}

/* ---- calls without a return */

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
	check_each_way("sleeper", "cancel", 1, 0);
}

static void exceptions(void **state)
{
	(void)state;
	check_each_way("catcher", "catch 100", 100, 100);
}

/* The call that forks returns in two processes, and is one call. */
static void forks(void **state)
{
	const int32_t everybody = 0;

	(void)state;
	check_each_way("forker", "fork 20", 20, 20);
	check_each_way("vforker", "vfork 20", 20, 20);
	for (size_t i = 0; i < latency_ways(); i++) {
		struct upm_attach_options options = options_for(&everybody);
		struct upm_latency_row row;
		struct run run = {0};

		options.pid_count = 0;
		options.backend = latency_way(i)->backend;
		target_start_program(&run.target, test_build_path("target/timed"));
		run.set = resolve_timed("uprobe", "forker");
		assert_upm_ok(upm_latency_measure(latency_way(i)->form, run.set, NULL, &options,
						  &run.observer));
		run_command(&run, "fork 20");
		run_read(&run);
		row = only_row(run.snapshot);
		assert_row(&row, 20, 20);
		run_finish(&run);
	}
}

/* What runs at the attach is not counted; what runs at the stop is, and has not returned. */
static void calls_that_last(void **state)
{
	(void)state;
	for (size_t i = 0; i < latency_ways(); i++) {
		struct upm_attach_options options;
		struct upm_latency_row row;
		struct run run = {0};

		target_start_program(&run.target, test_build_path("target/timed"));
		target_expect(&run.target, "hold", "hold");
		run.set = resolve_timed("uprobe", "holder");
		options = options_for(&run.target.pid);
		options.backend = latency_way(i)->backend;
		assert_upm_ok(upm_latency_measure(latency_way(i)->form, run.set, NULL, &options,
						  &run.observer));
		target_expect(&run.target, "", "hold done");
		run_read(&run);
		assert_int_equal(upm_latency_snapshot_size(run.snapshot), 0);
		target_expect(&run.target, "hold", "hold");
		run_read(&run);
		row = only_row(run.snapshot);
		assert_row(&row, 1, 0);
		assert_upm_ok(upm_observer_stop(run.observer, NULL));
		target_expect(&run.target, "", "hold done");
		run_read(&run);
		row = only_row(run.snapshot);
		assert_row(&row, 1, 0);
		run_finish(&run);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spinning),	   cmocka_unit_test(sleeping),
		cmocka_unit_test(a_million_calls), cmocka_unit_test(threads),
		cmocka_unit_test(recursion),	   cmocka_unit_test(deep_recursion),
		cmocka_unit_test(tail_calls),	   cmocka_unit_test(shapes_of_entries),
		cmocka_unit_test(long_jumps),	   cmocka_unit_test(threads_that_end),
		cmocka_unit_test(exceptions),	   cmocka_unit_test(forks),
		cmocka_unit_test(calls_that_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

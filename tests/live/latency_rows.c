/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Rows of latencies: whose they are, what finds none, reading and stopping at any time. */
#include "latency_target.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "attach/features.h"

static struct upm_latency_options rows_of(uint32_t split, uint32_t most_rows)
{
	return (struct upm_latency_options){
		.size = sizeof(struct upm_latency_options),
		.split = split,
		.most_rows = most_rows,
	};
}

/* ---- split */

/* The answer has pairs of an id and a number of calls: each has its row. */
static void check_owners(struct run *run, const char *answer, size_t owners)
{
	for (size_t i = 0; i < owners; i++) {
		int id, length;
		unsigned long calls;
		bool found = false;

		assert_int_equal(sscanf(answer, " %d %lu%n", &id, &calls, &length), 2);
		answer += length;
		for (size_t at = 0; at < owners; at++) {
			struct upm_latency_row row = row_at(run->snapshot, at);

			if ((row.tid ? row.tid : row.pid) != id)
				continue;
			found = true;
			assert_row(&row, calls, calls);
		}
		assert_true(found);
	}
}

static void by_thread(void **state)
{
	const struct upm_latency_options options = rows_of(UPM_SPLIT_THREAD, 0);

	(void)state;
	for (size_t i = 0; i < latency_ways(); i++) {
		struct run run;
		const char *answer;

		run_begin(&run, latency_way(i), "quick", &options, 0);
		answer = run_command(&run, "burst 4 1000");
		run_read(&run);
		assert_int_equal(upm_latency_snapshot_size(run.snapshot), 4);
		check_owners(&run, answer, 4);
		for (size_t at = 0; at < 4; at++) {
			assert_int_equal(row_at(run.snapshot, at).pid, run.target.pid);
			assert_true(!at || row_at(run.snapshot, at - 1).tid <
						   row_at(run.snapshot, at).tid);
		}
		assert_hits(run.observer, 1, 4000);
		run_finish(&run);
	}
}

static void by_process(void **state)
{
	const struct upm_latency_options options = rows_of(UPM_SPLIT_PROCESS, 0);

	(void)state;
	for (size_t i = 0; i < latency_ways(); i++) {
		struct run run;
		const char *answer;

		run_begin(&run, latency_way(i), "quick", &options, UPM_ATTACH_CHILDREN);
		answer = run_command(&run, "children 3 500");
		run_read(&run);
		assert_int_equal(upm_latency_snapshot_size(run.snapshot), 3);
		check_owners(&run, answer, 3);
		assert_int_equal(row_at(run.snapshot, 0).tid, 0);
		assert_int_equal(upm_observer_lost_processes(run.observer), 0);
		run_finish(&run);
	}
}

static void children_are_followed(void **state)
{
	(void)state;
	for (size_t i = 0; i < latency_ways(); i++) {
		struct upm_latency_row row;
		struct run run;

		run_begin(&run, latency_way(i), "quick", NULL, UPM_ATTACH_CHILDREN);
		run_command(&run, "children 3 500");
		run_read(&run);
		row = only_row(run.snapshot);
		assert_row(&row, 1500, 1500);
		run_finish(&run);
	}
}

/* ---- no room */

/* Every call has a row or is lost: of 4 threads, 2 find none. */
static void more_threads_than_rows(void **state)
{
	const struct upm_latency_options options = rows_of(UPM_SPLIT_THREAD, 2);

	(void)state;
	for (size_t i = 0; i < latency_ways(); i++) {
		struct run run;

		run_begin(&run, latency_way(i), "quick", &options, 0);
		run_command(&run, "burst 4 1000");
		run_read(&run);
		assert_int_equal(upm_latency_snapshot_size(run.snapshot), 2);
		for (size_t at = 0; at < 2; at++) {
			struct upm_latency_row row = row_at(run.snapshot, at);

			assert_row(&row, 1000, 1000);
		}
		assert_int_equal(upm_latency_snapshot_lost(run.snapshot), 2000);
		assert_hits(run.observer, 1, 4000);
		run_finish(&run);
	}
}

static void more_functions_than_rows(void **state)
{
	const struct upm_latency_options options = rows_of(UPM_SPLIT_NONE, 3);
	struct upm_probe_set *set = resolve_known("uprobe", "known_000[0-9]");
	struct upm_latency_snapshot *snapshot;
	struct upm_attach_options attach;
	struct upm_observer *observer;
	struct target target;

	(void)state;
	target_start(&target);
	attach = options_for(&target.pid);
	assert_upm_ok(upm_latency(set, &options, &attach, &observer));
	target_expect(&target, "call times=100 threads=4 functions=10", "call total=4000");
	assert_upm_ok(upm_latency_read(observer, &snapshot));
	assert_int_equal(upm_latency_snapshot_size(snapshot), 3);
	for (size_t i = 0; i < 3; i++) {
		struct upm_latency_row row = row_at(snapshot, i);

		assert_int_equal(row.calls, row.entries);
		assert_true(!i || row_at(snapshot, i - 1).probe < row.probe);
	}
	assert_int_equal(row_at(snapshot, 0).entries + row_at(snapshot, 1).entries +
				 row_at(snapshot, 2).entries + upm_latency_snapshot_lost(snapshot),
			 10 * 400);
	assert_hits(observer, 10, 400);
	upm_latency_snapshot_free(snapshot);
	upm_observer_free(observer);
	upm_probe_set_free(set);
	target_stop(&target);
}

/* Many owners that appear at once on both sides of a full table. */
static void owners_that_come_together(void **state)
{
	const struct upm_latency_options options = rows_of(UPM_SPLIT_THREAD, 20);
	uint64_t entries = 0;
	struct run run;

	(void)state;
	run_begin(&run, latency_way(0), "quick", &options, 0);
	for (int i = 0; i < 4; i++)
		run_command(&run, "burst 8 10");
	run_read(&run);
	assert_int_equal(upm_latency_snapshot_size(run.snapshot), 20);
	for (size_t i = 0; i < 20; i++)
		entries += row_at(run.snapshot, i).entries;
	assert_int_equal(entries + upm_latency_snapshot_lost(run.snapshot), 320);
	run_finish(&run);
}

/* ---- reading and stopping */

#define SPINNING 10

static void assert_grown(const struct upm_latency_snapshot *before,
			 const struct upm_latency_snapshot *after)
{
	struct upm_latency_snapshot *diff;

	assert_true(upm_latency_snapshot_time_ns(after) > upm_latency_snapshot_time_ns(before));
	assert_upm_ok(upm_latency_snapshot_diff(after, before, &diff));
	upm_latency_snapshot_free(diff);
	for (size_t i = 0; i < upm_latency_snapshot_size(after); i++) {
		struct upm_latency_row row = row_at(after, i);

		assert_true(row.calls <= row.entries && row.entries > 0);
		assert_true(row.min_ns <= row.max_ns);
	}
}

/* Rows grow and never contradict themselves while they are written. */
static void reading_while_running(void **state)
{
	(void)state;
	for (size_t i = 0; i < latency_ways(); i++) {
		struct upm_probe_set *set = resolve_known("uprobe", "known_000[0-9]");
		struct upm_latency_snapshot *before, *after;
		struct upm_attach_options attach;
		struct upm_observer *observer;
		struct target target;

		target_start(&target);
		attach = options_for(&target.pid);
		attach.backend = latency_way(i)->backend;
		target_send(&target, "spin threads=4 functions=10");
		assert_upm_ok(
			upm_latency_measure(latency_way(i)->form, set, NULL, &attach, &observer));
		do
			assert_upm_ok(upm_latency_read(observer, &before));
		while (upm_latency_snapshot_size(before) < SPINNING &&
		       (upm_latency_snapshot_free(before), usleep(1000), true));
		for (int at = 0; at < 200; at++) {
			assert_upm_ok(upm_latency_read(observer, &after));
			assert_grown(before, after);
			upm_latency_snapshot_free(before);
			before = after;
		}
		upm_latency_snapshot_free(before);
		upm_observer_free(observer);
		target_send(&target, "");
		assert_memory_equal(target_answer(&target), "spin rounds=", 12);
		upm_probe_set_free(set);
		target_stop(&target);
	}
}

/* However the programs come and go, only calls that ran at the stop have not returned: at most one
 * in each thread. */
static void attaching_and_stopping_while_running(void **state)
{
	enum { THREADS = 4 };

	(void)state;
	for (size_t i = 0; i < latency_ways(); i++) {
		struct upm_probe_set *set = resolve_known("uprobe", "known_0000");
		struct upm_latency_snapshot *snapshot, *later;
		struct upm_attach_options attach;
		struct upm_observer *observer;
		struct upm_latency_row row;
		struct target target;

		target_start(&target);
		attach = options_for(&target.pid);
		attach.backend = latency_way(i)->backend;
		target_send(&target, "spin threads=4 functions=1");
		for (int round = 0; round < 5; round++) {
			assert_upm_ok(upm_latency_measure(latency_way(i)->form, set, NULL, &attach,
							  &observer));
			usleep(50000);
			assert_upm_ok(upm_observer_stop(observer, NULL));
			assert_upm_ok(upm_latency_read(observer, &snapshot));
			row = only_row(snapshot);
			print_message("way %zu: %lu entries, %lu unreturned\n", i, row.entries,
				      row.unreturned);
			assert_true(row.calls > 0 && row.unreturned <= THREADS);
			usleep(1000);
			assert_upm_ok(upm_latency_read(observer, &later));
			assert_int_equal(row_at(later, 0).entries, row.entries);
			assert_int_equal(row_at(later, 0).calls, row.calls);
			upm_latency_snapshot_free(later);
			upm_latency_snapshot_free(snapshot);
			upm_observer_free(observer);
		}
		target_send(&target, "");
		assert_memory_equal(target_answer(&target), "spin rounds=", 12);
		upm_probe_set_free(set);
		target_stop(&target);
	}
}

static void free_in_every_state(void **state)
{
	struct upm_probe_set *set = resolve_known("uprobe", "known_0000");
	struct upm_latency_snapshot *snapshot;
	struct upm_observer *observer;
	size_t before = descriptors_open();

	(void)state;
	for (size_t i = 0; i < latency_ways(); i++) {
		const struct upm_attach_options attach = {.size = sizeof(attach),
							  .backend = latency_way(i)->backend};

		assert_upm_ok(
			upm_latency_measure(latency_way(i)->form, set, NULL, &attach, &observer));
		assert_int_equal(upm_link_kernel_links(upm_observer_link(observer)),
				 latency_way(i)->form == UPM_LATENCY_PAIR ? 2 : 1);
		upm_observer_free(observer);
		assert_upm_ok(
			upm_latency_measure(latency_way(i)->form, set, NULL, &attach, &observer));
		assert_upm_ok(upm_observer_stop(observer, NULL));
		assert_upm_ok(upm_observer_stop(observer, NULL));
		assert_upm_ok(upm_latency_read(observer, &snapshot));
		upm_observer_free(observer);
		assert_int_equal(upm_latency_snapshot_size(snapshot), 0);
		upm_latency_snapshot_free(snapshot);
	}
	wait_for_descriptors(before);
	upm_probe_set_free(set);
}

/* ---- what is measured */

/* Both kinds name the function, and each of them has its row. */
static void both_kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < latency_ways(); i++) {
		struct upm_probe_set *returns = resolve_timed("uretprobe", "quick");
		struct upm_attach_options attach;
		struct run run = {0};

		target_start_program(&run.target, test_build_path("target/timed"));
		run.set = resolve_timed("uprobe", "quick");
		assert_upm_ok(upm_probe_set_join(run.set, returns));
		upm_probe_set_free(returns);
		attach = options_for(&run.target.pid);
		attach.backend = latency_way(i)->backend;
		assert_upm_ok(upm_latency_measure(latency_way(i)->form, run.set, NULL, &attach,
						  &run.observer));
		run_command(&run, "burst 2 100");
		run_read(&run);
		assert_int_equal(upm_latency_snapshot_size(run.snapshot), 2);
		for (size_t at = 0; at < 2; at++) {
			struct upm_latency_row row = row_at(run.snapshot, at);

			assert_int_equal(row.probe, at);
			assert_row(&row, 200, 200);
		}
		run_finish(&run);
	}
}

/* An exception can not pass the kernel's trampoline, so return probes have to be accepted. */
static void files_that_throw(void **state)
{
	char function[PATH_MAX + 64];
	const char *specs[] = {function};
	struct upm_resolve_options options = {.size = sizeof(options)};
	struct upm_probe probe = {.size = sizeof(probe)};
	struct upm_observer *observer;
	struct upm_probe_set *set;

	(void)state;
	snprintf(function, sizeof(function), "uretprobe:%s:catcher",
		 test_build_path("target/timed"));
	assert_upm_ok(upm_resolve(specs, 1, &options, &set));
	assert_upm_ok(upm_probe_set_get(set, 0, &probe));
	assert_int_equal(probe.verdict, UPM_VERDICT_RETURN_UNSAFE);
	assert_non_null(strstr(probe.reason, "exception"));
	assert_false(probe.flags & UPM_PROBE_UNWINDS);
	upm_probe_set_free(set);

	snprintf(function, sizeof(function), "uprobe:%s:catcher", test_build_path("target/timed"));
	assert_upm_ok(upm_resolve(specs, 1, &options, &set));
	assert_upm_ok(upm_probe_set_get(set, 0, &probe));
	assert_int_equal(probe.verdict, UPM_VERDICT_OK);
	assert_true(probe.flags & UPM_PROBE_RETURN_UNSAFE);
	assert_string_equal(probe.reason, "");
	assert_int_equal(probe.return_verdict, UPM_VERDICT_RETURN_UNSAFE);
	assert_non_null(strstr(probe.return_reason, "exception"));
	assert_upm(upm_latency(set, NULL, NULL, &observer), UPM_ERR_NOTHING);
	upm_probe_set_free(set);

	options.flags = UPM_RESOLVE_ACCEPT_UNWINDING;
	assert_upm_ok(upm_resolve(specs, 1, &options, &set));
	assert_upm_ok(upm_probe_set_get(set, 0, &probe));
	assert_true(probe.flags & UPM_PROBE_UNWINDS);
	assert_false(probe.flags & UPM_PROBE_RETURN_UNSAFE);
	assert_int_equal(probe.return_verdict, UPM_VERDICT_OK);
	assert_string_equal(probe.return_reason, "");
	upm_probe_set_free(set);
}

static void what_can_not_be_measured(void **state)
{
	char usdt[PATH_MAX + 64], function[PATH_MAX + 64];
	const char *specs[] = {function, usdt, "uprobe:libc.so.6:setjmp"};
	struct upm_probe probe = {.size = sizeof(probe)};
	struct upm_observer *observer;
	const struct upm_link *link;
	struct upm_probe_set *set;
	size_t probes;
	const struct upm_resolve_options accepting = {.size = sizeof(accepting),
						      .flags = UPM_RESOLVE_ACCEPT_UNWINDING};

	(void)state;
	snprintf(function, sizeof(function), "uprobe:%s:quick", test_build_path("target/timed"));
	snprintf(usdt, sizeof(usdt), "usdt:%s:*:*", test_build_path("target/usdt-gcc-O2"));
	assert_upm_ok(upm_resolve(specs, 3, &accepting, &set));
	probes = upm_probe_set_size(set);
	assert_true(probes > 3);
	assert_upm_ok(upm_latency(set, NULL, NULL, &observer));
	link = upm_observer_link(observer);
	assert_int_equal(upm_link_attached(link), 1);
	assert_int_equal(upm_link_skipped(link), probes - 1);
	for (size_t i = 0; i < probes - 1; i++) {
		assert_upm_ok(upm_link_skipped_get(link, i, &probe));
		assert_true(*probe.reason != '\0');
		if (probe.kind == UPM_KIND_USDT)
			assert_int_equal(probe.verdict, UPM_VERDICT_NOT_ENTRY);
		else
			assert_int_equal(probe.verdict, UPM_VERDICT_RETURN_UNSAFE);
	}
	upm_observer_free(observer);
	upm_probe_set_free(set);
}

/* The first form that works is taken, and those before it leave no trace. */
static void the_form_is_chosen(void **state)
{
	struct upm_probe_set *set = resolve_timed("uprobe", "quick");
	struct upm_attach_options attach = {.size = sizeof(attach)};
	struct upm_observer *observer;
	char message[512];

	(void)state;
	assert_upm(upm_latency(NULL, NULL, NULL, &observer), UPM_ERR_INVALID);
	snprintf(message, sizeof(message), "%s", upm_error_last()->message);
	assert_upm_ok(upm_latency(set, NULL, &attach, &observer));
	assert_int_equal(upm_link_kernel_links(upm_observer_link(observer)),
			 upm_kernel_features()->session == UPM_YES ? 1 : 2);
	upm_observer_free(observer);
	attach.backend = UPM_BACKEND_PERF_EVENT;
	assert_upm_ok(upm_latency(set, NULL, &attach, &observer));
	assert_int_equal(upm_link_backend(upm_observer_link(observer)), UPM_BACKEND_PERF_EVENT);
	upm_observer_free(observer);
	assert_int_equal(upm_error_last()->code, UPM_ERR_INVALID);
	assert_string_equal(upm_error_last()->message, message);
	upm_probe_set_free(set);
}

/* Sessions are built for two shapes of the kernel's functions, of which it has one. What does not
 * load says so in a way that makes way for the next form. */
static void forms_that_do_not_load(void **state)
{
	struct upm_probe_set *set = resolve_timed("uprobe", "quick");
	struct upm_attach_options attach = {.size = sizeof(attach)};
	struct upm_observer *observer;
	int loaded = 0;

	(void)state;
	for (int form = UPM_LATENCY_SESSION; form <= UPM_LATENCY_SESSION_CONTEXT; form++) {
		attach.backend = UPM_BACKEND_PERF_EVENT;
		assert_upm(upm_latency_measure(form, set, NULL, &attach, &observer),
			   UPM_ERR_PROGRAM);
		attach.backend = UPM_BACKEND_AUTO;
		if (upm_latency_measure(form, set, NULL, &attach, &observer)) {
			assert_int_equal(upm_error_last()->code, UPM_ERR_PROGRAM);
		} else {
			upm_observer_free(observer);
			loaded++;
		}
	}
	assert_int_equal(loaded, upm_kernel_features()->session == UPM_YES);
	upm_probe_set_free(set);
}

static void wrong_arguments(void **state)
{
	struct upm_probe_set *set = resolve_timed("uprobe", "quick");
	struct upm_latency_options options = rows_of(3, 0);
	struct upm_latency_snapshot *snapshot;
	struct upm_observer *observer;

	(void)state;
	assert_upm(upm_latency(set, NULL, NULL, NULL), UPM_ERR_INVALID);
	assert_upm(upm_latency(set, &options, NULL, &observer), UPM_ERR_INVALID);
	options = rows_of(UPM_SPLIT_THREAD, UINT32_MAX);
	assert_upm(upm_latency(set, &options, NULL, &observer), UPM_ERR_LIMIT);
	options.size = 0;
	assert_upm(upm_latency(set, &options, NULL, &observer), UPM_ERR_INVALID);
	assert_upm(upm_latency_read(NULL, &snapshot), UPM_ERR_INVALID);
	assert_upm_ok(upm_count(set, NULL, &observer));
	assert_upm(upm_latency_read(observer, &snapshot), UPM_ERR_INVALID);
	upm_observer_free(observer);
	assert_upm_ok(upm_latency(set, NULL, NULL, &observer));
	assert_upm(upm_latency_read(observer, NULL), UPM_ERR_INVALID);
	assert_int_equal(upm_observer_kind(observer), UPM_OBSERVER_LATENCY);
	upm_observer_free(observer);
	upm_probe_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_thread),
		cmocka_unit_test(by_process),
		cmocka_unit_test(children_are_followed),
		cmocka_unit_test(more_threads_than_rows),
		cmocka_unit_test(more_functions_than_rows),
		cmocka_unit_test(owners_that_come_together),
		cmocka_unit_test(reading_while_running),
		cmocka_unit_test(attaching_and_stopping_while_running),
		cmocka_unit_test(free_in_every_state),
		cmocka_unit_test(both_kinds),
		cmocka_unit_test(files_that_throw),
		cmocka_unit_test(what_can_not_be_measured),
		cmocka_unit_test(the_form_is_chosen),
		cmocka_unit_test(forms_that_do_not_load),
		cmocka_unit_test(wrong_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

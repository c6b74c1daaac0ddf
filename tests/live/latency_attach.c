/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Programs that share an attach: refusals, many links, processes that go, giving up half-way. */
#include "latency_target.h"

#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "resolve/probe_table.h"

/* One function that can be probed and one that the kernel refuses, both passed by the judge. */
static struct upm_probe_set *resolve_with_refused(void)
{
	const char *const spec = "uprobe:libc.so.6:pthread_spin_lock";
	struct upm_probe_set *set = resolve_timed("uprobe", "quick"), *bad;

	assert_upm_ok(upm_resolve(&spec, 1, NULL, &bad));
	assert_upm_ok(upm_probe_set_join(set, bad));
	upm_probe_set_free(bad);
	for (size_t i = 0; i < set->table->probes.count; i++)
		set->table->probes.items[i].verdict = UPM_VERDICT_OK;
	return set;
}

static void refused_probes_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < latency_ways(); i++) {
		struct upm_probe skipped = {.size = sizeof(skipped)};
		struct run run = {.set = resolve_with_refused()};
		struct upm_attach_options options;
		struct upm_latency_row row;
		const struct upm_link *link;
		size_t before;

		target_start_program(&run.target, test_build_path("target/timed"));
		before = descriptors_open();
		options = options_for(&run.target.pid);
		options.backend = latency_way(i)->backend;
		options.flags = UPM_ATTACH_STRICT;
		assert_upm(upm_latency_measure(latency_way(i)->form, run.set, NULL, &options,
					       &run.observer),
			   UPM_ERR_STRICT);
		wait_for_descriptors(before);
		options.flags = 0;
		assert_upm_ok(upm_latency_measure(latency_way(i)->form, run.set, NULL, &options,
						  &run.observer));
		link = upm_observer_link(run.observer);
		assert_int_equal(upm_link_attached(link), 1);
		assert_int_equal(upm_link_skipped(link), 1);
		assert_int_equal(upm_link_kernel_links(link),
				 latency_way(i)->form == UPM_LATENCY_PAIR ? 2 : 1);
		assert_upm_ok(upm_link_skipped_get(link, 0, &skipped));
		assert_string_equal(skipped.symbol, "pthread_spin_lock");
		assert_int_equal(skipped.verdict, UPM_VERDICT_REFUSED);
		run_command(&run, "burst 1 50");
		run_read(&run);
		row = only_row(run.snapshot);
		assert_row(&row, 50, 50);
		run_finish(&run);
	}
}

/* Each part of the probes has a link for the returns and one for the entries. */
static void links_are_split(void **state)
{
	struct upm_probe_set *set = resolve_known("uprobe", "known_00[0-9]*");
	struct upm_kernel_link kernel_link = {.size = sizeof(kernel_link)};
	struct upm_latency_snapshot *snapshot;
	struct upm_attach_options options;
	struct upm_observer *observer;
	const struct upm_link *link;
	struct target target;

	(void)state;
	skip_without_multi();
	target_start(&target);
	options = options_for(&target.pid);
	options.probes_per_link = 30;
	assert_upm_ok(upm_latency_measure(UPM_LATENCY_PAIR, set, NULL, &options, &observer));
	link = upm_observer_link(observer);
	assert_int_equal(upm_link_kernel_links(link), 8);
	for (size_t i = 0; i < 8; i++) {
		assert_upm_ok(upm_link_kernel_get(link, i, &kernel_link));
		assert_int_equal(kernel_link.kind, i < 4 ? UPM_KIND_URETPROBE : UPM_KIND_UPROBE);
		assert_int_equal(kernel_link.probes, i % 4 == 3 ? 10 : 30);
		assert_int_equal(kernel_link.pid, target.pid);
	}
	target_expect(&target, "call times=2 functions=100", "call total=200");
	assert_upm_ok(upm_latency_read(observer, &snapshot));
	assert_int_equal(upm_latency_snapshot_size(snapshot), 100);
	for (size_t i = 0; i < 100; i++) {
		struct upm_latency_row row = row_at(snapshot, i);

		assert_row(&row, 2, 2);
	}
	upm_latency_snapshot_free(snapshot);
	upm_observer_free(observer);
	upm_probe_set_free(set);
	target_stop(&target);
}

/* ---- progress */

struct watch {
	uint64_t calls, cancel_at; /* call number of the callback; 0 = never */
	uint64_t done, total;
	pid_t kill; /* after the first link; 0 = none */
};

static int32_t watch(const char *stage, uint64_t done, uint64_t total, void *context)
{
	struct watch *seen = context;

	assert_string_equal(stage, "attach");
	assert_true(done >= seen->done && done <= total);
	seen->done = done;
	seen->total = total;
	if (done && seen->kill) {
		assert_int_equal(kill(seen->kill, SIGKILL), 0);
		assert_int_equal(waitpid(seen->kill, NULL, 0), seen->kill);
		seen->kill = 0;
	}
	return ++seen->calls == seen->cancel_at;
}

/* Perf events are taken back one by one behind the caller: see docs/contract.md. */
static void wait_for_clean_text(pid_t pid)
{
	for (int i = 0; i < 1000 && !text_is_clean(pid); i++)
		usleep(20000);
	assert_true(text_is_clean(pid));
}

/* Wherever it is cancelled, nothing stays; not cancelled, it has counted each probe and program. */
static void cancelling(void **state)
{
	(void)state;
	for (size_t i = 0; i < latency_ways(); i++) {
		struct upm_probe_set *set = resolve_known("uprobe", "known_000[0-2]");
		struct upm_attach_options options;
		struct upm_observer *observer;
		struct watch seen = {0};
		struct target target;
		size_t before;
		uint64_t calls;

		target_start(&target);
		before = descriptors_open();
		options = options_for(&target.pid);
		options.backend = latency_way(i)->backend;
		options.progress = watch;
		options.progress_context = &seen;
		assert_upm_ok(
			upm_latency_measure(latency_way(i)->form, set, NULL, &options, &observer));
		assert_int_equal(seen.done, seen.total);
		assert_int_equal(seen.total, latency_way(i)->form == UPM_LATENCY_PAIR ? 6 : 3);
		upm_observer_free(observer);
		calls = seen.calls;
		for (uint64_t at = 1; at <= calls; at++) {
			seen = (struct watch){.cancel_at = at};
			assert_upm(upm_latency_measure(latency_way(i)->form, set, NULL, &options,
						       &observer),
				   UPM_ERR_CANCELLED);
		}
		wait_for_descriptors(before);
		if (latency_way(i)->backend == UPM_BACKEND_PERF_EVENT)
			wait_for_clean_text(target.pid);
		assert_clean(target.pid);
		upm_probe_set_free(set);
		target_stop(&target);
	}
}

/* ---- processes */

static void several_processes(void **state)
{
	(void)state;
	for (size_t i = 0; i < latency_ways(); i++) {
		struct run run = {.set = resolve_timed("uprobe", "quick")};
		struct upm_attach_options options = {.size = sizeof(options), .pid_count = 2};
		struct upm_latency_row row;
		struct target other;
		int32_t pids[2];

		target_start_program(&run.target, test_build_path("target/timed"));
		target_start_program(&other, test_build_path("target/timed"));
		pids[0] = run.target.pid;
		pids[1] = other.pid;
		options.pids = pids;
		options.backend = latency_way(i)->backend;
		assert_upm_ok(upm_latency_measure(latency_way(i)->form, run.set, NULL, &options,
						  &run.observer));
		run_command(&run, "burst 1 30");
		target_send(&other, "burst 2 40");
		assert_memory_equal(target_answer(&other), "burst", 5);
		run_read(&run);
		row = only_row(run.snapshot);
		assert_row(&row, 110, 110);
		target_stop(&other);
		run_finish(&run);
	}
}

/* One ends between its two links: neither stays, and the other process is measured. */
static void a_process_that_goes(void **state)
{
	struct run run = {.set = resolve_timed("uprobe", "quick")};
	struct upm_kernel_link kernel_link = {.size = sizeof(kernel_link)};
	struct upm_attach_options options = {.size = sizeof(options), .pid_count = 2};
	struct upm_latency_row row;
	struct target victim;
	struct watch seen;
	int32_t pids[2];

	(void)state;
	target_start_program(&victim, test_build_path("target/timed"));
	target_start_program(&run.target, test_build_path("target/timed"));
	pids[0] = victim.pid;
	pids[1] = run.target.pid;
	seen = (struct watch){.kill = victim.pid};
	options.pids = pids;
	options.progress = watch;
	options.progress_context = &seen;
	assert_upm_ok(
		upm_latency_measure(UPM_LATENCY_PAIR, run.set, NULL, &options, &run.observer));
	assert_int_equal(upm_link_kernel_links(upm_observer_link(run.observer)), 2);
	for (size_t i = 0; i < 2; i++) {
		assert_upm_ok(
			upm_link_kernel_get(upm_observer_link(run.observer), i, &kernel_link));
		assert_int_equal(kernel_link.pid, has_multi() ? run.target.pid : 0);
	}
	run_command(&run, "burst 1 30");
	run_read(&run);
	row = only_row(run.snapshot);
	assert_row(&row, 30, 30);
	fclose(victim.commands);
	fclose(victim.answers);
	run_finish(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_probes_are_found),
		cmocka_unit_test(links_are_split),
		cmocka_unit_test(cancelling),
		cmocka_unit_test(several_processes),
		cmocka_unit_test(a_process_that_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

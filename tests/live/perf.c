/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The perf backend: the same hits as the multi backend, and no program where it does not belong. */
#include "live_target.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/bpf_uapi.h"

static void same_hits_as_multi(const char *kind)
{
	struct upm_probe_set *set = resolve_known(kind, "known_000[0-9]*");
	size_t count = upm_probe_set_size(set), before;
	struct upm_observer *perf, *multi;
	struct upm_attach_options options;
	struct target target;

	target_start(&target);
	before = descriptors_open();
	options = options_for(&target.pid);
	assert_upm_ok(upm_count(set, &options, &multi));
	options.backend = UPM_BACKEND_PERF_EVENT;
	assert_upm_ok(upm_count(set, &options, &perf));
	assert_int_equal(upm_link_backend(upm_observer_link(perf)), UPM_BACKEND_PERF_EVENT);
	assert_int_equal(upm_link_kernel_links(upm_observer_link(perf)), count);
	target_send(&target, "call times=20 threads=4 functions=10");
	assert_memory_equal(target_answer(&target), "call total=", 11);
	assert_hits(multi, count, 80);
	assert_hits(perf, count, 80);
	assert_upm_ok(upm_observer_stop(perf, NULL));
	target_expect(&target, "call times=1 functions=10", "call total=10");
	assert_hits(perf, count, 80);
	assert_hits(multi, count, 81);
	upm_observer_free(perf);
	upm_observer_free(multi);
	wait_for_descriptors(before);
	assert_true(text_becomes_clean(target.pid));
	target_stop(&target);
	upm_probe_set_free(set);
}

static void entries(void **state)
{
	(void)state;
	skip_without_multi();
	same_hits_as_multi("uprobe");
}

static void returns(void **state)
{
	(void)state;
	skip_without_multi();
	same_hits_as_multi("uretprobe");
}

/* The main thread exits while the others are observed, which the kernel's filter misses. */
static void main_thread_exits(void **state)
{
	struct upm_probe_set *set = resolve_known("uprobe", "known_000[0-9]");
	struct upm_attach_options options;
	struct upm_observer *observer;
	struct target target, other;

	(void)state;
	target_start(&target);
	target_start(&other);
	options = options_for(&target.pid);
	options.backend = UPM_BACKEND_PERF_EVENT;
	assert_upm_ok(upm_count(set, &options, &observer));
	target_expect(&target, "call times=2 functions=10", "call total=20");
	target_expect(&target, "leave", "leave");
	usleep(100000);
	target_expect(&target, "call times=3 functions=10", "call total=30");
	target_expect(&other, "call times=7 functions=10", "call total=70");
	assert_hits(observer, 10, 5);
	upm_observer_free(observer);
	target_stop(&target);
	target_stop(&other);
	upm_probe_set_free(set);
}

#define SIDE_BY_SIDE 16

struct ending {
	struct upm_observer *observer;
	pthread_barrier_t *together;
};

static void *end_one(void *context)
{
	const struct ending *ending = context;

	pthread_barrier_wait(ending->together);
	upm_observer_free(ending->observer);
	return NULL;
}

/* The processes that let go of the events must not wait for one another. */
static void ended_side_by_side(void **state)
{
	struct upm_probe_set *set = resolve_known("uprobe", "known_0000");
	struct ending endings[SIDE_BY_SIDE];
	pthread_t threads[SIDE_BY_SIDE];
	struct upm_attach_options options;
	pthread_barrier_t together;
	struct target target;

	(void)state;
	target_start(&target);
	options = options_for(&target.pid);
	options.backend = UPM_BACKEND_PERF_EVENT;
	assert_int_equal(pthread_barrier_init(&together, NULL, SIDE_BY_SIDE), 0);
	for (size_t i = 0; i < SIDE_BY_SIDE; i++) {
		endings[i].together = &together;
		assert_upm_ok(upm_count(set, &options, &endings[i].observer));
	}
	for (size_t i = 0; i < SIDE_BY_SIDE; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, end_one, &endings[i]), 0);
	for (size_t i = 0; i < SIDE_BY_SIDE; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_true(text_becomes_clean(target.pid));
	pthread_barrier_destroy(&together);
	target_stop(&target);
	upm_probe_set_free(set);
}

#define LARGE ((size_t)256 << 20) /* what a copy of the process takes long for */

static void *end_events(void *context)
{
	upm_observer_free(context);
	return NULL;
}

/* While one observer leaves a copy of the process behind, another one's stop is final all the same.
 */
static void a_stop_is_final(void **state)
{
	struct upm_probe_set *set = resolve_known("uprobe", "known_0000");
	char *large = malloc(LARGE);
	struct upm_observer *left, *stopped;
	struct upm_attach_options options;
	struct target target;
	pthread_t thread;
	uint64_t hits;

	(void)state;
	assert_non_null(large);
	memset(large, 1, LARGE);
	target_start(&target);
	options = options_for(&target.pid);
	target_send(&target, "spin threads=1 functions=1");
	for (int turn = 0; turn < 8; turn++) {
		options.backend = UPM_BACKEND_PERF_EVENT;
		assert_upm_ok(upm_count(set, &options, &left));
		options.backend = UPM_BACKEND_AUTO;
		assert_upm_ok(upm_count(set, &options, &stopped));
		assert_int_equal(pthread_create(&thread, NULL, end_events, left), 0);
		usleep((useconds_t)(2000 * turn));
		assert_upm_ok(upm_observer_stop(stopped, NULL));
		hits = total_hits(stopped, 1);
		usleep(50000);
		assert_int_equal(total_hits(stopped, 1), hits);
		upm_observer_free(stopped);
		assert_int_equal(pthread_join(thread, NULL), 0);
	}
	target_send(&target, "");
	target_answer(&target);
	assert_true(text_becomes_clean(target.pid));
	target_stop(&target);
	upm_probe_set_free(set);
	free(large);
}

static void programs_keep_to_their_backend(void **state)
{
	struct upm_probe_set *set = resolve_known("uprobe", "known_0000");
	struct upm_attach_options options = {.size = sizeof(options)};
	const struct {
		uint32_t attach_type, backend;
	} wrong[] = {
		{UPM_BPF_TRACE_UPROBE_MULTI, UPM_BACKEND_PERF_EVENT},
		{UPM_BPF_TRACE_UPROBE_SESSION, UPM_BACKEND_PERF_EVENT},
		{UPM_BPF_ATTACH_PLAIN, UPM_BACKEND_UPROBE_MULTI},
	};
	struct upm_link *link;

	(void)state;
	skip_without_multi();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		int program;

		/* It is a plain one to a kernel that knows no sessions. */
		if (wrong[i].attach_type == UPM_BPF_TRACE_UPROBE_SESSION && !has_sessions())
			continue;
		program = load_nop(wrong[i].attach_type);
		options.backend = wrong[i].backend;
		assert_upm(upm_attach(program, set, &options, &link), UPM_ERR_PROGRAM);
		close(program);
	}
	assert_upm(upm_attach(-1, set, NULL, &link), UPM_ERR_PROGRAM);
	upm_probe_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries),
		cmocka_unit_test(returns),
		cmocka_unit_test(main_thread_exits),
		cmocka_unit_test(ended_side_by_side),
		cmocka_unit_test(a_stop_is_final),
		cmocka_unit_test(programs_keep_to_their_backend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Exact counts: no hit lost, no hit invented. */
#include "live_target.h"

#include <string.h>
#include <unistd.h>

static void count_many(const char *kind, unsigned long times, unsigned threads)
{
	struct upm_probe_set *set = resolve_many(kind);
	size_t count = many_count();
	struct upm_observer *observer;
	struct target target;
	struct upm_attach_options options;
	char command[128];
	size_t before;

	snprintf(command, sizeof(command), "call times=%lu threads=%u functions=%zu", times,
		 threads, count);
	target_start(&target);
	before = descriptors_open();
	options = options_for(&target.pid);
	assert_int_equal(upm_probe_set_size(set), count);
	assert_upm_ok(upm_count(set, &options, &observer));
	assert_int_equal(upm_link_attached(upm_observer_link(observer)), count);
	assert_int_equal(upm_link_skipped(upm_observer_link(observer)), 0);
	target_send(&target, command);
	assert_memory_equal(target_answer(&target), "call total=", 11);
	assert_hits(observer, count, times * threads);
	assert_upm_ok(upm_observer_stop(observer, NULL));
	target_call_many(&target, 1);
	assert_hits(observer, count, times * threads);
	upm_observer_free(observer);
	wait_for_descriptors(before);
	assert_clean(target.pid);
	target_stop(&target);
	upm_probe_set_free(set);
}

static void a_million_hits(void **state)
{
	(void)state;
	count_many("uprobe", scaled(1000), 1);
}

static void four_threads(void **state)
{
	(void)state;
	count_many("uprobe", scaled(250), 4);
}

static void returns(void **state)
{
	(void)state;
	count_many("uretprobe", scaled(50), 2);
}

static void one_link_for_all(void **state)
{
	struct upm_probe_set *set = resolve_many("uprobe");
	struct upm_kernel_link kernel_link = {.size = sizeof(kernel_link)};
	struct upm_observer *observer;
	const struct upm_link *link;
	struct target target;
	struct upm_attach_options options;

	(void)state;
	skip_without_multi();
	target_start(&target);
	options = options_for(&target.pid);
	assert_upm_ok(upm_count(set, &options, &observer));
	link = upm_observer_link(observer);
	assert_int_equal(upm_link_kernel_links(link), 1);
	assert_int_equal(upm_link_backend(link), UPM_BACKEND_UPROBE_MULTI);
	assert_true(upm_link_attach_ns(link) > 0);
	assert_upm_ok(upm_link_kernel_get(link, 0, &kernel_link));
	assert_int_equal(kernel_link.probes, many_count());
	assert_int_equal(kernel_link.pid, target.pid);
	assert_true(kernel_link.id > 0);
	assert_upm(upm_link_kernel_get(link, 1, &kernel_link), UPM_ERR_INVALID);
	upm_observer_free(observer);
	target_stop(&target);
	upm_probe_set_free(set);
}

#define SPINNING 100 /* functions, at most */
#define THREADS 4

struct window {
	const struct upm_observer *outer;
	struct upm_probe_set *set;
	struct upm_attach_options options;
	uint64_t before[SPINNING], armed[SPINNING], ending[SPINNING], after[SPINNING];
	uint64_t hits[SPINNING], later[SPINNING];
	size_t count; /* of functions, at most SPINNING */
};

/*
 * Arm and disarm while the target spins. The outer observer, armed all the time, says how
 * often each function was called from before to after the window, and from the return of
 * the attach to the call of the stop: the hits lie between, but for the one that each
 * thread may have counted in one observer and not yet in the other.
 */
static void check_window(struct window *window)
{
	struct upm_observer *inner;

	assert_upm_ok(upm_observer_hits(window->outer, window->before, window->count));
	assert_upm_ok(upm_count(window->set, &window->options, &inner));
	assert_upm_ok(upm_observer_hits(window->outer, window->armed, window->count));
	usleep(100000 * (useconds_t)(KNOWN_COUNT / many_count()));
	assert_upm_ok(upm_observer_hits(window->outer, window->ending, window->count));
	assert_upm_ok(upm_observer_stop(inner, NULL));
	assert_upm_ok(upm_observer_hits(window->outer, window->after, window->count));
	assert_upm_ok(upm_observer_hits(inner, window->hits, window->count));
	usleep(20000);
	assert_upm_ok(upm_observer_hits(inner, window->later, window->count));
	assert_memory_equal(window->hits, window->later, sizeof(window->hits));
	for (size_t i = 0; i < window->count; i++) {
		assert_true(window->hits[i] > 0);
		assert_true(window->hits[i] + THREADS >= window->ending[i] - window->armed[i]);
		assert_true(window->hits[i] <= window->after[i] - window->before[i] + THREADS);
	}
	upm_observer_free(inner);
}

static void windows_while_running(void **state)
{
	struct window window = {.count = many_count() < SPINNING ? many_count() : SPINNING};
	struct upm_observer *outer;
	struct target target;
	unsigned long rounds;
	char command[64];

	(void)state;
	window.set = resolve_known("uprobe",
				   window.count < SPINNING ? "known_000[0-9]" : "known_00[0-9]*");
	snprintf(command, sizeof(command), "spin threads=4 functions=%zu", window.count);
	target_start(&target);
	window.options = options_for(&target.pid);
	assert_int_equal(upm_probe_set_size(window.set), window.count);
	assert_upm_ok(upm_count(window.set, &window.options, &outer));
	window.outer = outer;
	target_send(&target, command);
	for (int i = 0; i < 5; i++)
		check_window(&window);
	target_send(&target, "");
	assert_int_equal(sscanf(target_answer(&target), "spin rounds=%lu", &rounds), 1);
	assert_hits(outer, window.count, rounds);
	upm_observer_free(outer);
	assert_clean(target.pid);
	target_stop(&target);
	upm_probe_set_free(window.set);
}

static void wrong_arguments(void **state)
{
	struct upm_probe_set *set = resolve_known("uprobe", "known_0000");
	struct upm_observer *observer;
	uint64_t hits[2];

	(void)state;
	assert_upm(upm_count(NULL, NULL, &observer), UPM_ERR_INVALID);
	assert_upm(upm_count(set, NULL, NULL), UPM_ERR_INVALID);
	assert_upm_ok(upm_count(set, NULL, &observer));
	assert_upm(upm_observer_hits(observer, hits, 2), UPM_ERR_INVALID);
	assert_upm_ok(upm_observer_hits(observer, hits, 1));
	assert_upm_ok(upm_observer_stop(observer, NULL));
	assert_upm_ok(upm_observer_stop(observer, NULL));
	assert_int_equal(upm_link_kernel_links(upm_observer_link(observer)), 0);
	assert_int_equal(upm_link_attached(upm_observer_link(observer)), 1);
	upm_observer_free(observer);
	upm_observer_free(NULL);
	upm_probe_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_million_hits),
		cmocka_unit_test(four_threads),
		cmocka_unit_test(returns),
		cmocka_unit_test(one_link_for_all),
		cmocka_unit_test(windows_while_running),
		cmocka_unit_test(wrong_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Semaphores are up while probes are attached, and back after, however the end came. */
#include "usdt_target.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void semaphores_rise_and_fall(void **state)
{
	struct upm_observer *observer;
	struct upm_attach_options options;
	struct upm_probe_set *set;
	struct target target;
	uint64_t hits[8];

	(void)state;
	usdt_start(&target, "clang-O2");
	options = options_for(&target.pid);
	set = usdt_resolve("clang-O2", "forms:many", 0);
	assert_in_range(upm_probe_set_size(set), 1, 8);
	target_expect(&target, "guarded", "guarded 0");
	assert_upm_ok(upm_count(set, &options, &observer));
	target_expect(&target, "guarded", "guarded 1");
	target_expect(&target, "fire", "fired 3");
	assert_upm_ok(upm_observer_hits(observer, hits, upm_probe_set_size(set)));
	assert_int_equal(total_hits(observer, upm_probe_set_size(set)), 2);
	upm_observer_free(observer);
	usdt_await_semaphore(&target, 0);
	target_expect(&target, "guarded", "guarded 0");
	upm_probe_set_free(set);
	target_stop(&target);
}

/* Count until killed; says so when it counts. */
static pid_t count_in_child(const char *build, int32_t pid)
{
	int ready[2];
	pid_t child;
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct upm_probe_set *set = usdt_resolve(build, "forms:many", 0);
		struct upm_attach_options options = options_for(&pid);
		struct upm_observer *observer;

		if (upm_count(set, &options, &observer) || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return child;
}

static void semaphores_fall_after_kill(void **state)
{
	struct target target;
	pid_t child;

	(void)state;
	usdt_start(&target, "gcc-O1");
	child = count_in_child("gcc-O1", target.pid);
	target_expect(&target, "guarded", "guarded 1");
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	usdt_await_semaphore(&target, 0);
	target_stop(&target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(semaphores_rise_and_fall),
		cmocka_unit_test(semaphores_fall_after_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

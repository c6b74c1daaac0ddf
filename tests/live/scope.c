/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Whose hits count: children, a process whose main thread has ended, processes that are gone. */
#include "live_target.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/bpf_uapi.h"

static void children_count_when_asked(void **state)
{
	struct upm_probe_set *set = resolve_known("uprobe", "known_00[0-9]*");
	struct upm_observer *with, *without;
	struct upm_attach_options options;
	struct target target, other;

	(void)state;
	target_start(&target);
	target_start(&other);
	options = options_for(&target.pid);
	assert_upm_ok(upm_count(set, &options, &without));
	options.flags = UPM_ATTACH_CHILDREN;
	assert_upm_ok(upm_count(set, &options, &with));
	target_expect(&target, "call times=2 functions=100", "call total=200");
	target_expect(&target, "fork children=3 times=10 functions=100", "fork total=3000");
	target_expect(&target, "fork children=1 times=5 functions=100 threads=1", "fork total=500");
	target_expect(&other, "call times=7 functions=100", "call total=700");
	assert_hits(without, 100, 2);
	assert_hits(with, 100, 2 + 3 * 10 + 5);
	assert_int_equal(upm_observer_lost_processes(with), 0);
	assert_int_equal(upm_observer_lost_processes(without), 0);
	upm_observer_free(with);
	upm_observer_free(without);
	target_stop(&target);
	target_stop(&other);
	upm_probe_set_free(set);
}

/* As the first process of a PID namespace, with a child in one below. */
static void count_below(void)
{
	struct upm_probe_set *set = resolve_known("uprobe", "known_000[0-9]");
	const char *const command[] = {"/bin/sh", "-c",
				       "read line; unshare --pid --fork \"$0\"; read line",
				       test_build_path("target/known"), NULL};
	struct upm_attach_options options;
	struct upm_observer *observer;
	struct target target, other;

	assert_int_equal(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("proc", "/proc", "proc", 0, NULL), 0);
	target_start_command(&target, command);
	target_start(&other);
	options = options_for(&target.pid);
	options.flags = UPM_ATTACH_CHILDREN;
	assert_upm_ok(upm_count(set, &options, &observer));
	target_send(&target, "");
	assert_string_equal(target_answer(&target), "ready 1");
	target_expect(&target, "call times=3 functions=10", "call total=30");
	target_expect(&target, "fork children=2 times=4 functions=10", "fork total=80");
	target_expect(&other, "call times=7 functions=10", "call total=70");
	assert_hits(observer, 10, 3 + 2 * 4);
	assert_int_equal(upm_observer_lost_processes(observer), 0);
	upm_observer_free(observer);
	upm_probe_set_free(set);
	_exit(0); /* the leak checker can not trace the first process of a namespace */
}

static void wait_well(pid_t pid)
{
	int status;

	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void children_in_a_namespace_below(void **state)
{
	pid_t outer = fork(), inner;

	(void)state;
	if (outer == 0) {
		assert_int_equal(unshare(CLONE_NEWPID | CLONE_NEWNS), 0);
		inner = fork();
		if (inner == 0)
			count_below();
		wait_well(inner);
		_exit(0);
	}
	wait_well(outer);
}

static void a_process_without_its_main_thread(void **state)
{
	struct upm_probe_set *set = resolve_known("uprobe", "known_00[0-9]*");
	int program = load_nop(UPM_BPF_TRACE_UPROBE_MULTI);
	struct upm_attach_options options;
	struct upm_observer *observer;
	struct upm_link *link;
	struct target target, other;

	(void)state;
	target_start(&target);
	target_start(&other);
	target_expect(&target, "leave", "leave");
	usleep(100000);
	options = options_for(&target.pid);
	assert_upm(upm_attach(program, set, &options, &link), UPM_ERR_UNSUPPORTED);
	assert_upm_ok(upm_count(set, &options, &observer));
	target_expect(&target, "call times=3 functions=100", "call total=300");
	target_expect(&other, "call times=3 functions=100", "call total=300");
	assert_hits(observer, 100, 3);
	upm_observer_free(observer);
	target_stop(&target);
	target_stop(&other);
	upm_probe_set_free(set);
	close(program);
}

#define MANY 40

/* No process leaves the filter because the observer ran out of descriptors. The last test: not
 * everybody may raise the hard limit again. */
static void few_descriptors(void **state)
{
	struct upm_probe_set *set = resolve_known("uprobe", "known_000[0-9]");
	struct upm_attach_options options;
	struct upm_observer *observer;
	struct target targets[MANY];
	int32_t pids[MANY];
	struct rlimit before, limit;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		target_start(&targets[i]);
		pids[i] = targets[i].pid;
	}
	target_expect(&targets[0], "leave", "leave");
	usleep(100000);
	options = options_for(pids);
	options.pid_count = MANY;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = (struct rlimit){descriptors_open() + MANY, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_upm_ok(upm_count(set, &options, &observer));
	for (size_t i = 0; i < MANY; i++)
		target_expect(&targets[i], "call times=1 functions=10", "call total=10");
	assert_hits(observer, 10, MANY);
	upm_observer_free(observer);
	limit.rlim_max = limit.rlim_cur;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_upm(upm_count(set, &options, &observer), UPM_ERR_LIMIT);
	assert_non_null(strstr(upm_error_last()->hint, "ulimit -n"));
	for (size_t i = 0; i < MANY; i++)
		target_stop(&targets[i]);
	upm_probe_set_free(set);
}

static void wrong_processes(void **state)
{
	struct upm_probe_set *set = resolve_known("uprobe", "known_0000");
	int program = load_nop(UPM_BPF_TRACE_UPROBE_MULTI);
	struct upm_attach_options options;
	struct upm_link *link;
	int32_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	options = options_for(&pid);
	assert_upm(upm_attach(program, set, &options, &link), UPM_ERR_NOT_FOUND);
	pid = -1;
	assert_upm(upm_attach(program, set, &options, &link), UPM_ERR_INVALID);
	pid = getpid();
	options.flags = UPM_ATTACH_CHILDREN;
	assert_upm(upm_attach(program, set, &options, &link), UPM_ERR_UNSUPPORTED);
	options.flags = 1u << 30;
	assert_upm(upm_attach(program, set, &options, &link), UPM_ERR_INVALID);
	upm_probe_set_free(set);
	close(program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(children_count_when_asked),
		cmocka_unit_test(children_in_a_namespace_below),
		cmocka_unit_test(a_process_without_its_main_thread),
		cmocka_unit_test(wrong_processes),
		cmocka_unit_test(few_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

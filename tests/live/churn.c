/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Attach and detach while processes start, fork, run other programs, lose their first thread
 * and die. None of them may come to harm, whatever it was doing when a probe came or went.
 *
 * The processes are this program under other names for its first argument: a parent starts
 * children one after another, each of which ends in another way, and checks how it ended.
 */
#include "live_target.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PARENTS 3
#define CALLS 20
#define WELL 42

__attribute__((noinline)) static int churn_leaf(int value)
{
	__asm__ volatile("" : "+r"(value));
	return value + 1;
}

__attribute__((noinline)) static int churn_nested(int depth)
{
	int value = depth ? churn_nested(depth - 1) : 0;

	__asm__ volatile("" : "+r"(value));
	return churn_leaf(value);
}

static void call(void)
{
	for (int i = 0; i < CALLS; i++)
		if (churn_nested(3) != 4)
			_exit(1);
}

static void end_well(void)
{
	call();
	_exit(WELL);
}

static void *outlive(void *unused)
{
	(void)unused;
	usleep(2000);
	end_well();
	return NULL;
}

static void lose_first_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, outlive, NULL))
		_exit(2);
	call();
	pthread_exit(NULL);
}

static void *run_program(void *unused)
{
	(void)unused;
	execl("/proc/self/exe", "churn", "leaf", NULL);
	_exit(3);
}

static void run_program_from_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run_program, NULL))
		_exit(2);
	for (;;)
		call();
}

/* A fork inside a probed function: both return from it. */
static void fork_and_wait(void)
{
	pid_t child = fork();
	int status;

	call();
	if (child == 0)
		_exit(WELL);
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		_exit(4);
	_exit(WEXITSTATUS(status));
}

static void die_soon(void)
{
	for (;;)
		call();
}

static void (*const lives[])(void) = {
	end_well, lose_first_thread, run_program_from_thread, fork_and_wait, die_soon,
};
#define LIVES (sizeof(lives) / sizeof(lives[0]))

static int ended_well(size_t life, int status)
{
	if (lives[life] == die_soon)
		return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	return WIFEXITED(status) && WEXITSTATUS(status) == WELL;
}

/* Says what is wrong and ends; goes on for as long as the test lives. */
static int be_parent(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t turn = 0;; turn++) {
		size_t life = turn % LIVES;
		pid_t child = fork();
		int status;

		if (child == 0)
			lives[life]();
		call();
		if (lives[life] == die_soon)
			kill(child, SIGKILL);
		if (waitpid(child, &status, 0) != child || !ended_well(life, status)) {
			fprintf(stderr, "# life %zu ended with status 0x%x\n", life, status);
			return 1;
		}
	}
}

static void start_parents(pid_t *parents)
{
	for (size_t i = 0; i < PARENTS; i++) {
		parents[i] = fork();
		assert_true(parents[i] >= 0);
		if (parents[i] == 0) {
			execl("/proc/self/exe", "churn", "parent", NULL);
			_exit(5);
		}
	}
}

static void stop_parents(const pid_t *parents)
{
	int status;

	for (size_t i = 0; i < PARENTS; i++) {
		assert_int_equal(waitpid(parents[i], &status, WNOHANG), 0);
		kill(parents[i], SIGKILL);
		assert_int_equal(waitpid(parents[i], &status, 0), parents[i]);
		assert_int_equal(WTERMSIG(status), SIGKILL);
	}
}

/* Until it has counted something; every process, or one. @return hits */
static uint64_t attach_once(const char *spec, const pid_t *pid)
{
	struct upm_attach_options options = options_for(pid);
	struct upm_observer *observer;
	struct upm_probe_set *set;
	uint64_t hits = 0;

	if (!pid)
		options.pid_count = 0;
	assert_upm_ok(upm_resolve(&spec, 1, NULL, &set));
	assert_upm_ok(upm_count(set, &options, &observer));
	for (int tries = 0; !hits && tries < 30000; tries++) {
		usleep(1000);
		hits = total_hits(observer, upm_probe_set_size(set));
	}
	upm_observer_free(observer);
	upm_probe_set_free(set);
	return hits;
}

static void attach_among(const char *spec)
{
	pid_t parents[PARENTS];

	start_parents(parents);
	for (unsigned long turn = 0; turn < scaled(60); turn++) {
		assert_true(attach_once(spec, NULL) > 0);
		assert_true(attach_once(spec, &parents[turn % PARENTS]) > 0);
	}
	stop_parents(parents);
}

static void entries(void **state)
{
	(void)state;
	attach_among("/proc/self/exe:churn_*");
}

static void returns(void **state)
{
	(void)state;
	attach_among("uretprobe:/proc/self/exe:churn_*");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries),
		cmocka_unit_test(returns),
	};

	if (argc > 1 && strcmp(argv[1], "leaf") == 0)
		end_well();
	if (argc > 1 && strcmp(argv[1], "parent") == 0)
		return be_parent();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

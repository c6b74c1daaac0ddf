// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The Nth allocation fails, the Nth system call fails, for each N of a whole use of the library
 * from resolution to detach. Each time either the use succeeds, with every probe attached or
 * skipped with its reason and every result right, or a call gives a clear error. After it no
 * descriptor, no memory, no pin, no child is left and the target's code is what its file has; and
 * the same use, begun anew in the same process, succeeds: nothing has been remembered wrongly.
 *
 * Each N has a process of its own, so that what is found out once in a process (the kernel's
 * features, say) is among what fails. UPM_FAULTS=all takes every N, else a few; UPM_FAULTS_SHOW=1
 * prints what each gave; UPM_FAULTS_CYCLE=NAME takes one use
 * only, UPM_FAULTS_FROM=N begins there.
 */
#include "share_target.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults/cycles.h"
#include "faults/faults.h"

#define SAMPLES 3

#if defined(__SANITIZE_ADDRESS__)
int __lsan_do_recoverable_leak_check(void);
static void check_leaks(void)
{
	if (__lsan_do_recoverable_leak_check())
		cycles_die("memory is leaked");
}
#else
static void check_leaks(void)
{
}
#endif

/* ---- the child: the cycle with its fault, and once more without */

static void check_error(int32_t status)
{
	const struct upm_error *error = upm_error_last();

	if (error->code != status || !*error->operation || !*error->message || !*error->hint)
		cycles_die("%s gave %s; the record: %s, operation '%s', message '%s', hint '%s'",
			   cycles_step(), upm_status_name(status), upm_status_name(error->code),
			   error->operation, error->message, error->hint);
	if (faults->kind == FAULT_ALLOCATION && status != UPM_ERR_MEMORY)
		cycles_die("%s gave %s for want of memory: %s (%s); %s", cycles_step(),
			   upm_status_name(status), error->operation, error->message, error->hint);
	snprintf(faults->said, sizeof(faults->said), "%s: %s (%s): %s; %s", upm_status_name(status),
		 error->operation, error->object, error->message, error->hint);
}

/* Those of a perf detach stay a little. */
static void check_descriptors(size_t before)
{
	for (int tries = 0; tries < 1500 && descriptors_open() > before; tries++)
		usleep(20000);
	if (descriptors_open() != before)
		cycles_die("; %zu descriptors are open, before it were %zu", descriptors_open(),
			   before);
}

static void check_nothing_is_left(size_t descriptors)
{
	check_descriptors(descriptors);
	if (access(UPM_PIN_DIRECTORY, F_OK) == 0)
		cycles_die("; a pin is left");
	if (waitpid(-1, NULL, __WALL | WNOHANG) != -1 || errno != ECHILD)
		cycles_die("; a child is left");
	if (!cycles_target_is_clean())
		cycles_die("; a breakpoint is left");
}

/* libbpf remembers what it was refused once as what the kernel can not do. All that can be asked
 * then is that the error says so. */
static bool libbpf_is_mistaken(void)
{
	faults->mistaken = strncmp(upm_error_last()->hint, "start this process anew", 23) == 0;
	return faults->mistaken;
}

/* What is kept after two times is enough for a third. */
static void check_growth(int32_t (*run)(void), int64_t blocks)
{
	if (run() || faults_blocks() - blocks != faults->kept)
		cycles_die("%lld blocks of memory are kept each time",
			   (long long)(faults_blocks() - blocks - faults->kept));
}

static void run_child(int32_t (*run)(void))
{
	size_t descriptors;
	int64_t blocks;

	signal(SIGSEGV, SIG_DFL); /* not cmocka's */
	signal(SIGABRT, SIG_DFL);
	if (faults->kind == FAULT_CALL)
		faults_watch_me();
	descriptors = descriptors_open();
	blocks = faults_blocks();
	faults_arm();
	faults->status = run();
	faults_disarm();
	if (faults->status && !faults->fired)
		cycles_die("%s fails without a fault: %s (%s)", cycles_step(),
			   upm_error_last()->message, upm_error_last()->object);
	if (faults->status)
		check_error(faults->status);
	check_nothing_is_left(descriptors);
	if (run() && !libbpf_is_mistaken())
		cycles_die("; afterwards %s fails: %s (%s); %s", cycles_step(),
			   upm_error_last()->message, upm_error_last()->object,
			   upm_error_last()->hint);
	check_nothing_is_left(descriptors);
	faults->kept = faults_blocks() - blocks;
	if (!faults->at)
		check_growth(run, blocks);
	check_leaks();
	_exit(0);
}

/* ---- its parent */

struct trial {
	const struct cycle *cycle;
	enum fault_kind kind;
	enum fault_error error;
	bool lasting;
	int64_t kept; /* what a cycle without faults keeps */
};

/* @return true when all was well */
static bool run_one(const struct trial *trial, uint64_t at)
{
	int status;
	pid_t child;

	faults_reset(trial->kind, at, trial->error, trial->lasting);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		run_child(trial->cycle->run);
	if (trial->kind == FAULT_CALL)
		faults_watch(child);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && (!at || faults->kept == trial->kept))
		return true;
	print_error("%s, fault %llu %s: ", trial->cycle->name, (unsigned long long)at,
		    faults->what);
	if (WIFSIGNALED(status))
		print_error("died of signal %d in %s\n", WTERMSIG(status), cycles_step());
	else if (WEXITSTATUS(status))
		print_error("%s\n", faults->said);
	else
		print_error("%lld blocks of memory are kept, %lld without a fault (%s)\n",
			    (long long)faults->kept, (long long)trial->kept, faults->said);
	return false;
}

static bool is_set(const char *name, const char *value)
{
	const char *set = getenv(name);

	return set && strcmp(set, value) == 0;
}

/* Which of count faults are tried. */
struct choice {
	uint64_t first, stride;
};

/* Where all is emulated, only one in the middle. */
static struct choice choose(uint64_t count)
{
	const char *first = getenv("UPM_FAULTS_FROM");
	struct choice choice = {1, count / SAMPLES + 1};

	if (is_set("UPM_FAULTS", "all"))
		choice.stride = 1;
	else if (scaled(SAMPLES) < SAMPLES)
		choice = (struct choice){1 + count / 2, count};
	if (first)
		choice.first = strtoull(first, NULL, 10);
	return choice;
}

static size_t fail_each(struct trial *trial, struct choice choice)
{
	size_t wrong = 0, failed = 0, tried = 0;

	for (uint64_t at = choice.first;; at += choice.stride) {
		wrong += !run_one(trial, at);
		if (!faults->fired)
			break;
		tried++;
		failed += faults->status != UPM_OK;
		if (is_set("UPM_FAULTS_SHOW", "1"))
			print_message("%s %llu %s -> %s\n", trial->cycle->name,
				      (unsigned long long)at, faults->what,
				      faults->status ? faults->said : "success");
	}
	print_message("%s: %zu faults in %s%s%s, %zu gave an error, %zu were got over, %zu wrong\n",
		      trial->cycle->name, tried,
		      trial->kind == FAULT_CALL ? "system calls" : "allocations",
		      trial->error == FAULT_FORBIDDEN ? " (forbidden)" : "",
		      trial->lasting ? " (from there on)" : "", failed, tried - failed, wrong);
	return wrong;
}

static void fail_all(struct trial trial)
{
	const char *only = getenv("UPM_FAULTS_CYCLE");
	size_t wrong = 0;

	for (size_t i = 0; i < fault_cycle_count; i++) {
		trial.cycle = &fault_cycles[i];
		if (only && strcmp(only, trial.cycle->name) != 0)
			continue;
		assert_true(run_one(&trial, 0));
		trial.kept = faults->kept;
		assert_true(faults->count > 10);
		wrong += fail_each(&trial, choose(faults->count));
	}
	assert_int_equal(wrong, 0);
}

static void each_allocation_fails(void **state)
{
	(void)state;
	if (faults_of_allocation())
		fail_all((struct trial){.kind = FAULT_ALLOCATION});
}

static void each_system_call_fails(void **state)
{
	(void)state;
	fail_all((struct trial){.kind = FAULT_CALL, .error = FAULT_SCARCE});
}

static void each_system_call_is_forbidden(void **state)
{
	(void)state;
	fail_all((struct trial){.kind = FAULT_CALL, .error = FAULT_FORBIDDEN});
}

/* Memory that is short stays short. */
static void no_memory_from_there_on(void **state)
{
	(void)state;
	if (faults_of_allocation())
		fail_all((struct trial){.kind = FAULT_ALLOCATION, .lasting = true});
}

static int begin(void **state)
{
	faults_begin();
	faults_reset(FAULT_NONE, 0, FAULT_SCARCE, false);
	if (share_mount_bpffs(state))
		return -1;
	cycles_begin();
	return 0;
}

static int end(void **state)
{
	(void)state;
	cycles_end();
	return 0;
}

/* With the argument "uses": their names, for who wants to run them side by side. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_allocation_fails),
		cmocka_unit_test(no_memory_from_there_on),
		cmocka_unit_test(each_system_call_fails),
		cmocka_unit_test(each_system_call_is_forbidden),
	};

	if (argc == 2 && strcmp(argv[1], "uses") == 0) {
		for (size_t i = 0; i < fault_cycle_count; i++)
			puts(fault_cycles[i].name);
		return 0;
	}
	return cmocka_run_group_tests(tests, begin, end);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What a hit costs the program observed: each observer against an empty program on the same
 * kind of link, and against the distribution's bpftrace doing the same. Both take turns on one
 * target. Events are read while they come, by us in a thread, as bpftrace does.
 */
#include "observe.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/sys.h"

#define ROUNDS 11
#define ROUNDS_BPFTRACE 5
#define TIMES 200000
#define WARM_UP 2000

/* ---- what is measured */

struct subject {
	const char *name;
	uint64_t (*time)(struct caller *caller, const struct subject *subject);
	uint32_t flags;	      /* of a trace */
	uint32_t attach_type; /* of an empty program */
	const char *script;   /* of bpftrace; each %s is "PROGRAM:counted" */
};

static uint64_t time_calls(struct caller *caller)
{
	caller_run(caller, WARM_UP);
	return caller_run(caller, TIMES);
}

static uint64_t time_empty(struct caller *caller, const struct subject *subject)
{
	int program = need_errno(upm_sys_program_load_nop(subject->attach_type), "load a program");
	struct upm_link *link;
	uint64_t time;

	NEED(upm_attach(program, caller->set, &caller->options, &link));
	time = time_calls(caller);
	upm_link_free(link);
	close(program);
	return time;
}

static uint64_t time_count(struct caller *caller, const struct subject *subject)
{
	struct upm_observer *observer;
	uint64_t time;

	(void)subject;
	NEED(upm_count(caller->set, &caller->options, &observer));
	time = time_calls(caller);
	upm_observer_free(observer);
	return time;
}

static uint64_t time_latency(struct caller *caller, const struct subject *subject)
{
	struct upm_observer *observer;
	uint64_t time;

	(void)subject;
	NEED(upm_latency(caller->set, NULL, &caller->options, &observer));
	time = time_calls(caller);
	upm_observer_free(observer);
	return time;
}

struct reader {
	struct upm_observer *observer;
	atomic_bool stop;
};

static void *read_events(void *context)
{
	struct reader *reader = context;
	struct upm_batch *batch;

	NEED(upm_batch_new(0, 0, &batch));
	while (!atomic_load(&reader->stop))
		NEED(upm_trace_read(reader->observer, batch, 20));
	upm_batch_free(batch);
	return NULL;
}

static uint64_t time_trace(struct caller *caller, const struct subject *subject)
{
	struct upm_trace_options trace = {.size = sizeof(trace), .flags = subject->flags};
	struct reader reader = {0};
	pthread_t thread;
	uint64_t time;

	NEED(upm_trace(caller->set, &trace, &caller->options, &reader.observer));
	need_errno(-pthread_create(&thread, NULL, read_events, &reader), "start a thread");
	time = time_calls(caller);
	atomic_store(&reader.stop, true);
	pthread_join(thread, NULL);
	upm_observer_free(reader.observer);
	return time;
}

/* ---- bpftrace */

static pid_t start_bpftrace(struct caller *caller, const char *script)
{
	char text[9000], place[4200], pid[16];
	char *const argv[] = {"bpftrace", "-p", pid, "-e", text, NULL};
	pid_t child;

	snprintf(place, sizeof(place), "%s:counted", caller->path);
	snprintf(text, sizeof(text), script, place, place);
	snprintf(pid, sizeof(pid), "%d", caller->pid);
	child = need_errno(fork(), "fork");
	if (child == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	while (!caller_is_armed(caller) && waitpid(child, NULL, WNOHANG) == 0)
		usleep(10000);
	usleep(300000); /* further probes, and what it prints before it listens */
	return child;
}

static uint64_t time_bpftrace(struct caller *caller, const struct subject *subject)
{
	pid_t child = start_bpftrace(caller, subject->script);
	uint64_t time = time_calls(caller);

	kill(child, SIGINT);
	waitpid(child, NULL, 0);
	while (caller_is_armed(caller))
		usleep(10000);
	return time;
}

/* ---- comparisons */

static const struct subject empty = {"an empty program", time_empty,
				     .attach_type = UPM_BPF_TRACE_UPROBE_MULTI};
static const struct subject counted = {.name = "count", .time = time_count};
static const struct subject timed = {.name = "latency", .time = time_latency};
static const struct subject traced = {.name = "trace, six registers", .time = time_trace};
static const struct subject traced_calls = {"trace, calls with result", time_trace,
					    .flags = UPM_TRACE_RETURNS};
static const struct subject bpftrace_count = {"bpftrace, count()", time_bpftrace,
					      .script = "uprobe:%s { @ = count(); }"};
static const struct subject bpftrace_hist = {
	"bpftrace, hist() of entry and return", time_bpftrace,
	.script = "uprobe:%s { @s[tid] = nsecs; } "
		  "uretprobe:%s /@s[tid]/ { @ = hist(nsecs - @s[tid]); delete(@s[tid]); }"};
static const struct subject bpftrace_printf = {
	"bpftrace, printf() of six registers", time_bpftrace,
	.script =
		"uprobe:%s { printf(\"%%llu %%d %%d %%s %%lx %%lx %%lx %%lx %%lx %%lx\\n\", nsecs, "
		"pid, tid, comm, arg0, arg1, arg2, arg3, arg4, arg5); }"};

static void compare(struct caller *caller, const char *name, const struct subject *base,
		    const struct subject *ours, int rounds)
{
	struct comparison comparison = {
		.name = name,
		.what = "200,000 hits",
		.probes = 1,
		.base_name = base->name,
		.ours_name = ours->name,
	};

	for (int turn = 0; turn < 2 * rounds; turn++) {
		bool is_ours = (turn % 4 == 0 || turn % 4 == 3);
		const struct subject *subject = is_ours ? ours : base;

		samples_add(is_ours ? &comparison.ours : &comparison.base,
			    subject->time(caller, subject));
	}
	report_comparison(&comparison);
}

static bool has_bpftrace(void)
{
	return system("command -v bpftrace >/dev/null") == 0;
}

void bench_observe(void)
{
	struct caller caller;

	caller_start(&caller);
	compare(&caller, "hit_count", &empty, &counted, ROUNDS);
	compare(&caller, "hit_latency", &empty, &timed, ROUNDS);
	compare(&caller, "hit_trace", &empty, &traced, ROUNDS);
	compare(&caller, "hit_trace_calls", &empty, &traced_calls, ROUNDS);
	if (has_bpftrace()) {
		compare(&caller, "hit_count_bpftrace", &bpftrace_count, &counted, ROUNDS_BPFTRACE);
		compare(&caller, "hit_latency_bpftrace", &bpftrace_hist, &timed, ROUNDS_BPFTRACE);
		compare(&caller, "hit_trace_bpftrace", &bpftrace_printf, &traced, ROUNDS_BPFTRACE);
	} else {
		report_skip("hit_bpftrace", "bpftrace is not installed");
	}
	caller_stop(&caller);
}

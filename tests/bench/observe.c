/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What a hit costs the program observed: each observer against an empty program at the entry, and
 * against the distribution's bpftrace and BCC doing the same. Both take turns on one target. Events
 * are read while they come, by us in a thread, as bpftrace does. hits.c has the sites.
 */
#include "reader.h"
#include "subject.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 11
#define ROUNDS_PEER 5
#define CALLS 200000

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
	while (!caller_is_armed(caller)) {
		need_errno(waitpid(child, NULL, WNOHANG) ? -ECHILD : 0, "attach by bpftrace");
		usleep(10000);
	}
	usleep(300000); /* further probes, and what it prints before it listens */
	return child;
}

static uint64_t time_bpftrace(struct caller *caller, const struct subject *subject,
			      unsigned long calls)
{
	pid_t child = start_bpftrace(caller, subject->script);
	uint64_t time = time_calls(caller, calls);

	kill(child, SIGINT);
	waitpid(child, NULL, 0);
	while (caller_is_armed(caller))
		usleep(10000);
	return time;
}

static const struct subject bpftrace_count = {"bpftrace, @[func] = count()", time_bpftrace,
					      .script = "uprobe:%s { @[func] = count(); }"};
static const struct subject bpftrace_hist = {
	"bpftrace, hist() of entry and return", time_bpftrace,
	.script = "uprobe:%s { @s[tid] = nsecs; } "
		  "uretprobe:%s /@s[tid]/ { @ = hist(nsecs - @s[tid]); delete(@s[tid]); }"};
static const struct subject bpftrace_printf = {
	"bpftrace, printf() of six registers", time_bpftrace,
	.script =
		"uprobe:%s { printf(\"%%llu %%d %%d %%s %%lx %%lx %%lx %%lx %%lx %%lx\\n\", nsecs, "
		"pid, tid, comm, arg0, arg1, arg2, arg3, arg4, arg5); }"};

/* ---- BCC, in a process that compiles its program once */

static struct reader bcc = {.name = "BCC, hash.increment()",
			    .interpreter = "/usr/bin/python3",
			    .script = "count_bcc.py"};

static uint64_t time_bcc(struct caller *caller, const struct subject *subject, unsigned long calls)
{
	uint64_t time;

	(void)subject;
	reader_attach(&bcc);
	time = time_calls(caller, calls);
	reader_begin(&bcc, 0);
	reader_end(&bcc);
	return time;
}

/* ---- rows */

static void compare(struct caller *caller, const char *name, const struct subject *base,
		    const struct subject *ours, double goal)
{
	compare_subjects(caller, &(struct duel){
					 .name = name,
					 .what = "200,000 hits",
					 .base = base,
					 .ours = ours,
					 .calls = CALLS,
					 .rounds = base->script ? ROUNDS_PEER : ROUNDS,
					 .goal = goal,
				 });
}

static void compare_bcc(struct caller *caller)
{
	const struct subject subject = {bcc.name, time_bcc, .script = bcc.script};

	if (!reader_start(&bcc, caller)) {
		report_skip("hit_count_bcc", bcc.reason);
		return;
	}
	compare(caller, "hit_count_bcc", &subject, &subject_count, 1);
	reader_stop(&bcc);
}

static bool has_bpftrace(void)
{
	return system("command -v bpftrace >/dev/null") == 0;
}

void bench_observe(void)
{
	struct caller caller;

	caller_start(&caller);
	compare(&caller, "hit_count", &subject_empty, &subject_count, 1.15);
	compare(&caller, "hit_latency", &subject_empty, &subject_latency, 0);
	compare(&caller, "hit_trace", &subject_empty, &subject_trace, 0);
	compare(&caller, "hit_trace_calls", &subject_empty, &subject_trace_calls, 0);
	if (has_bpftrace()) {
		compare(&caller, "hit_count_bpftrace", &bpftrace_count, &subject_count, 1);
		compare(&caller, "hit_latency_bpftrace", &bpftrace_hist, &subject_latency, 0.8);
		compare(&caller, "hit_trace_bpftrace", &bpftrace_printf, &subject_trace, 0);
	} else {
		report_skip("hit_bpftrace", "bpftrace is not installed");
	}
	compare_bcc(&caller);
	caller_stop(&caller);
}

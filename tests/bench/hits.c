/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What a hit costs by the instruction that is hit: functions that begin with a nop of five bytes,
 * which newer kernels turn into a call; with a push, which is emulated; and with a mov, which is
 * single-stepped and has no cheaper site behind it. Called by one thread, and by two on two CPUs at
 * once. What sees the entry is compared to an empty program there, what sees the return to one at
 * the return, and what sees both to one at both.
 */
#include "subject.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/features.h"

#define ROUNDS 7
#define FEW_CALLS 20000
#define MOST_THREADS 2

#if defined(__x86_64__)
#define SITE(name, first, last)                                                                    \
	__asm__(".pushsection .text\n.balign 64\n.globl " name "\n.type " name                     \
		", @function\n" name ":\n" first "\n" last "\nret\n.size " name ", . - " name      \
		"\n.popsection\n")

SITE("site_nop5", ".byte 0x0f, 0x1f, 0x44, 0x00, 0x00", "mov %edi, %eax");
SITE("site_emulated", "push %rbp", "pop %rbp");
SITE("site_stepped", "mov %edi, %eax", "mov %edi, %edx");
void site_nop5(void);
void site_emulated(void);
void site_stepped(void);

static const struct site {
	const char *name, *symbol, *shown;
	void (*function)(void);
	unsigned long calls; /* of each sample */
} sites[] = {
	{"nop5", "site_nop5", "at a nop of 5 bytes", site_nop5, 200000},
	{"emulated", "site_emulated", "at a push", site_emulated, 200000},
	{"stepped", "site_stepped", "at a stepped instruction", site_stepped, 20000},
};
#define SITES (sizeof(sites) / sizeof(sites[0]))

/* ---- the child that is probed: "SITE THREADS TIMES" */

struct work {
	const struct site *site;
	int cpu;
	unsigned long times;
};

static void *call_site(void *context)
{
	const struct work *work = context;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET((size_t)work->cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	for (unsigned long i = 0; i < work->times; i++)
		work->site->function();
	return NULL;
}

static void call_from_threads(const struct site *site, size_t count, unsigned long times)
{
	pthread_t threads[MOST_THREADS];
	struct work work[MOST_THREADS];

	for (size_t i = 0; i < count; i++) {
		work[i] = (struct work){site, (int)i, times};
		need_errno(-pthread_create(&threads[i], NULL, call_site, &work[i]),
			   "start a thread");
	}
	for (size_t i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

static void obey(void *context)
{
	char line[64];
	unsigned long times;
	size_t site, threads;

	(void)context;
	printf("ready\n");
	while (fflush(stdout), fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "%zu %zu %lu", &site, &threads, &times) != 3 || site >= SITES ||
		    threads > MOST_THREADS)
			_exit(1);
		call_from_threads(&sites[site], threads, times);
		printf("done\n");
	}
	_exit(0);
}

/* ---- rows */

static void compare(struct caller *caller, const struct site *site, size_t cpus, const char *name,
		    const struct subject *base, const struct subject *ours)
{
	char full_name[64], what[128], empty_name[64], empty_what[128];
	uint64_t empty;

	snprintf(full_name, sizeof(full_name), "hits_%s_%zu_%s", site->name, cpus, name);
	snprintf(what, sizeof(what), "%lu hits %s on %zu CPU%s", site->calls, site->shown, cpus,
		 cpus > 1 ? "s at once" : "");
	empty = compare_subjects(caller, &(struct duel){
						 .name = full_name,
						 .what = what,
						 .base = base,
						 .ours = ours,
						 .calls = site->calls,
						 .rounds = ROUNDS,
						 .goal = ours == &subject_count ? 1.15 : 0,
					 });
	if (ours != &subject_count && ours != &subject_count_return && ours != &subject_latency)
		return;
	snprintf(empty_name, sizeof(empty_name), "hits_%s_%zu_of_%s", site->name, cpus, name);
	snprintf(empty_what, sizeof(empty_what), "one hit of %s", base->name);
	report_number(empty_name, empty_what, (double)empty / 1e3 / (double)site->calls, "us");
}

static void compare_site(struct caller *caller, const struct site *site, size_t cpus)
{
	char command[32];

	snprintf(command, sizeof(command), "%zu %zu %%lu\n", (size_t)(site - sites), cpus);
	caller_watch(caller, site->symbol, command);
	compare(caller, site, cpus, "count", &subject_empty, &subject_count);
	compare(caller, site, cpus, "trace", &subject_empty, &subject_trace);
	compare(caller, site, cpus, "count_return", &subject_empty_return, &subject_count_return);
	if (upm_kernel_features()->session == UPM_YES) {
		compare(caller, site, cpus, "latency", &subject_empty_session, &subject_latency);
		compare(caller, site, cpus, "trace_calls", &subject_empty_session,
			&subject_trace_calls);
	} else {
		report_skip("hits_latency", "this kernel has no sessions");
	}
}

static void start(struct caller *caller)
{
	memset(caller, 0, sizeof(*caller));
	need_errno(realpath("/proc/self/exe", caller->path) ? 0 : -1, "find this program");
	caller_start_function(caller, obey);
	caller->options.placement = UPM_PLACEMENT_EXACT;
}

double stepping_beside_emulation(void)
{
	struct samples stepped = {0}, emulated = {0};
	struct caller caller;

	start(&caller);
	for (int round = 0; round < ROUNDS; round++) {
		caller_watch(&caller, "site_emulated", "1 1 %lu\n");
		samples_add(&emulated, subject_empty.time(&caller, &subject_empty, FEW_CALLS));
		caller_watch(&caller, "site_stepped", "2 1 %lu\n");
		samples_add(&stepped, subject_empty.time(&caller, &subject_empty, FEW_CALLS));
	}
	caller_stop(&caller);
	return samples_ratio(&stepped, &emulated);
}

void bench_hits(void)
{
	struct caller caller;
	size_t cpus = sysconf(_SC_NPROCESSORS_ONLN) < 2 ? 1 : 2;

	start(&caller);
	for (size_t i = 0; i < SITES; i++)
		for (size_t count = 1; count <= cpus; count++)
			compare_site(&caller, &sites[i], count);
	if (cpus < 2)
		report_skip("hits_2", "there is one CPU");
	caller_stop(&caller);
}
#else
double stepping_beside_emulation(void)
{
	return 1;
}

void bench_hits(void)
{
	report_skip("hits", "its functions are written for x86-64");
}
#endif

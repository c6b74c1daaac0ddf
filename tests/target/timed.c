/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The target of latency tests: calls functions in all the ways in which a call can begin and end.
 * It prints "ready PID", then obeys its standard input line by line; each answer is one line that
 * begins with the command.
 *
 *   time spin|sleep NS*TIMES ...    timed(), measured from within and from without;
 *                                   "time inside SUM P50 P99 MAX outside SUM P50 P99 MAX"
 *   burst THREADS TIMES             quick(), so often in each thread; "burst TID TIMES ..."
 *   deep DEPTH TIMES                deep(), which calls itself; "deep CALLS"
 *   tail DEPTH TIMES                tail_first() and tail_second() jump to each other
 *   jump TIMES                      jumper(), left by longjmp(), and landed() after it
 *   fork TIMES                      forker(), which forks: both return from it
 *   vfork TIMES                     the same in memory that is shared
 *   children COUNT TIMES            quick() in children; "children PID TIMES ..."
 *   catch TIMES                     catcher(), in which an exception is thrown and caught
 *   ended                           ender(), in which its thread ends
 *   cancel                          sleeper(), in which its thread is cancelled
 *   hold                            holder(), until another line comes; "hold" before that
 *   quit                            or end of file
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* With a frame, so that the first instruction is a push, which costs one trap and not two. */
#define SHAPE __attribute__((noipa, optimize("no-omit-frame-pointer", "no-shrink-wrap")))
#define USE_FRAME() __asm__ volatile("" : : "r"(__builtin_frame_address(0)))
#define MOST_CALLS 10000
#define MOST_THREADS 16

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* ---- known times */

static uint64_t inside[MOST_CALLS], outside[MOST_CALLS];

uint64_t timed(bool sleeps, uint64_t ns);
SHAPE uint64_t timed(bool sleeps, uint64_t ns)
{
	uint64_t begin = now(), end = begin;
	struct timespec rest = {.tv_sec = 0, .tv_nsec = (long)ns};

	if (sleeps)
		nanosleep(&rest, NULL);
	while (end - begin < ns)
		end = now();
	return end - begin;
}

static int by_value(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static void print_times(const char *name, uint64_t *times, size_t count)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += times[i];
	qsort(times, count, sizeof(*times), by_value);
	printf(" %s %lu %lu %lu %lu", name, sum, times[(count + 1) / 2 - 1],
	       times[(count * 99 + 99) / 100 - 1], times[count - 1]);
}

static void time_calls(const char *arguments)
{
	bool sleeps = strstr(arguments, "sleep") != NULL;
	size_t count = 0;
	unsigned long ns, times;

	while ((arguments = strchr(arguments + 1, ' ')))
		for (times = 0, sscanf(arguments, " %lu*%lu", &ns, &times);
		     times && count < MOST_CALLS; times--, count++) {
			uint64_t begin = now();

			inside[count] = timed(sleeps, ns);
			outside[count] = now() - begin;
		}
	printf("time");
	print_times("inside", inside, count);
	print_times("outside", outside, count);
	printf("\n");
}

/* ---- threads */

void quick(void);
SHAPE void quick(void)
{
	USE_FRAME();
}

static unsigned long burst_times;

static void *burst_thread(void *context)
{
	for (unsigned long i = 0; i < burst_times; i++)
		quick();
	*(long *)context = syscall(SYS_gettid);
	return NULL;
}

static void burst(unsigned long threads, unsigned long times)
{
	pthread_t ids[MOST_THREADS];
	long tids[MOST_THREADS];

	burst_times = times;
	for (unsigned long i = 0; i < threads && i < MOST_THREADS; i++)
		if (pthread_create(&ids[i], NULL, burst_thread, &tids[i]))
			exit(1);
	printf("burst");
	for (unsigned long i = 0; i < threads && i < MOST_THREADS; i++) {
		pthread_join(ids[i], NULL);
		printf(" %ld %lu", tids[i], times);
	}
	printf("\n");
}

/* ---- calls within calls */

void deep(unsigned long depth);
SHAPE void deep(unsigned long depth)
{
	if (depth > 1)
		deep(depth - 1);
	USE_FRAME(); /* no tail call */
}

void tail_first(unsigned long depth), tail_second(unsigned long depth);
__attribute__((noipa)) void tail_first(unsigned long depth)
{
	if (depth)
		tail_second(depth);
}

__attribute__((noipa)) void tail_second(unsigned long depth)
{
	tail_first(depth - 1);
}

/* ---- calls without a return */

static jmp_buf landing;

void jumper(void), landed(void);
SHAPE void jumper(void)
{
	longjmp(landing, 1);
}

SHAPE void landed(void)
{
	USE_FRAME();
}

static void jump(unsigned long times)
{
	for (volatile unsigned long i = 0; i < times; i++) {
		if (setjmp(landing) == 0)
			jumper();
		landed();
	}
}

void ender(void);
SHAPE void ender(void)
{
	syscall(SYS_exit, 0);
}

static void *run_ender(void *context)
{
	ender();
	return context;
}

static atomic_bool asleep;

void sleeper(void);
SHAPE void sleeper(void)
{
	atomic_store(&asleep, true);
	sleep(1000);
}

static void *run_sleeper(void *context)
{
	sleeper();
	return context;
}

static void end_thread(void *(*function)(void *), bool cancel)
{
	pthread_t id;

	atomic_store(&asleep, !cancel);
	if (pthread_create(&id, NULL, function, NULL))
		exit(1);
	while (!atomic_load(&asleep))
		usleep(1000);
	if ((cancel && pthread_cancel(id)) || pthread_join(id, NULL))
		exit(1);
}

int catcher(int value);

static void catch_often(unsigned long times)
{
	for (unsigned long i = 0; i < times; i++)
		if (catcher(42) != 42)
			exit(1);
}

/* ---- processes */

pid_t forker(void), vforker(void);
SHAPE pid_t forker(void)
{
	return fork();
}

SHAPE pid_t vforker(void)
{
	pid_t child = vfork();

	if (child == 0) {
		quick();
		_exit(0);
	}
	return child;
}

static void fork_often(pid_t (*function)(void), unsigned long times)
{
	for (unsigned long i = 0; i < times; i++) {
		pid_t child = function();

		if (child == 0)
			_exit(0);
		if (child < 0 || waitpid(child, NULL, 0) != child)
			exit(1);
	}
}

static void run_children(unsigned long count, unsigned long times)
{
	printf("children");
	fflush(stdout);
	for (unsigned long i = 0; i < count; i++) {
		pid_t child = fork();

		if (child == 0) {
			for (unsigned long at = 0; at < times; at++)
				quick();
			_exit(0);
		}
		if (child < 0 || waitpid(child, NULL, 0) != child)
			exit(1);
		printf(" %d %lu", child, times);
	}
	printf("\n");
}

/* ---- a call that runs for long */

void holder(void);
SHAPE void holder(void)
{
	char line[64];

	printf("hold\n");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		exit(1);
}

static bool obey_calls(const char *command, unsigned long one, unsigned long two)
{
	if (strcmp(command, "deep") == 0)
		for (unsigned long i = 0; i < two; i++)
			deep(one);
	else if (strcmp(command, "tail") == 0)
		for (unsigned long i = 0; i < two; i++)
			tail_first(one);
	else if (strcmp(command, "jump") == 0)
		jump(one);
	else if (strcmp(command, "catch") == 0)
		catch_often(one);
	else if (strcmp(command, "fork") == 0)
		fork_often(forker, one);
	else if (strcmp(command, "vfork") == 0)
		fork_often(vforker, one);
	else if (strcmp(command, "ended") == 0)
		end_thread(run_ender, false);
	else if (strcmp(command, "cancel") == 0)
		end_thread(run_sleeper, true);
	else if (strcmp(command, "hold") == 0)
		holder();
	else
		return false;
	return true;
}

static void obey(const char *line)
{
	unsigned long one = 1, two = 1;
	char command[16] = "";

	sscanf(line, "%15s %lu %lu", command, &one, &two);
	if (strcmp(command, "time") == 0)
		time_calls(line);
	else if (strcmp(command, "burst") == 0)
		burst(one, two);
	else if (strcmp(command, "children") == 0)
		run_children(one, two);
	else
		printf("%s %s\n", command,
		       obey_calls(command, one, two) ? "done" : "is no command");
	fflush(stdout);
}

int main(void)
{
	char line[1024];

	setvbuf(stdin, NULL, _IONBF, 0);
	printf("ready %d\n", getpid());
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) && strncmp(line, "quit", 4) != 0) {
		line[strcspn(line, "\n")] = '\0';
		obey(line);
	}
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The shared test target: a program that calls known functions a known number
 * of times. It prints "ready PID", then obeys its standard input line by line;
 * arguments make one line, obeyed when the first line of input, which may say
 * anything, has come. Each answer is one line that begins with the command.
 *
 *   call times=N threads=N functions=N   known_0000 … and shared_0000 …, each `times` by
 *                                        every thread; answers "call total=N", for each table
 *   spin threads=N functions=N           the same until another line comes; "spin rounds=N"
 *   shapes times=N                       every shape; "shape SYMBOL calls=N" each
 *   versions times=N                     versioned@VERS_1 and @@VERS_2
 *   fork children=N times=N              children that `call`; "fork total=N"
 *   load path=FILE symbol=NAME times=N   dlopen(), then call; "load calls=N"
 *   leave                                the first thread ends, another goes on reading
 *   quit                                 or end of file
 */
#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "known.h"

#define MOST_THREADS 64

struct work {
	long times;	/* 0 = until stop */
	long functions; /* the first so many of each table */
	atomic_bool stop;
	atomic_long rounds;
};

/* Value of key=value in a command line; it ends at a space. */
static bool word(const char *line, const char *key, char *value, size_t length)
{
	size_t key_length = strlen(key);
	const char *at = line;

	while ((at = strchr(at, ' '))) {
		at++;
		if (strncmp(at, key, key_length) == 0 && at[key_length] == '=') {
			at += key_length + 1;
			snprintf(value, length, "%.*s", (int)strcspn(at, " "), at);
			return true;
		}
	}
	return false;
}

static long number(const char *line, const char *key, long otherwise)
{
	char value[32];

	return word(line, key, value, sizeof(value)) ? strtol(value, NULL, 0) : otherwise;
}

static void *call_rounds(void *context)
{
	struct work *work = context;
	long round;

	for (round = 0; work->times ? round < work->times : !atomic_load(&work->stop); round++) {
		for (long i = 0; i < work->functions; i++) {
			known_table[i]();
			shared_table[i]();
		}
	}
	atomic_fetch_add(&work->rounds, round);
	return NULL;
}

static bool line_waits(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

	return poll(&input, 1, 10) != 0;
}

/* Run rounds in threads (one = this thread, unless it must watch the input). */
static long run_work(struct work *work, long threads)
{
	pthread_t ids[MOST_THREADS];
	long started;

	if (work->times && threads == 1) {
		call_rounds(work);
		return work->rounds;
	}
	for (started = 0; started < threads && started < MOST_THREADS; started++)
		if (pthread_create(&ids[started], NULL, call_rounds, work))
			break;
	while (!work->times && !line_waits())
		;
	atomic_store(&work->stop, true);
	for (long i = 0; i < started; i++)
		pthread_join(ids[i], NULL);
	return work->rounds;
}

static long run_line(const char *line, bool until_stopped)
{
	struct work work = {
		.times = until_stopped ? 0 : number(line, "times", 1),
		.functions = number(line, "functions", KNOWN_FUNCTIONS),
	};

	if (work.functions < 0 || work.functions > KNOWN_FUNCTIONS)
		work.functions = KNOWN_FUNCTIONS;
	return run_work(&work, number(line, "threads", 1)) * (until_stopped ? 1 : work.functions);
}

static void call_shapes(const struct shape *shape, long times)
{
	for (; shape->symbol; shape++) {
		for (long i = 0; i < times; i++)
			shape->call();
		printf("shape %s calls=%ld\n", shape->symbol, times);
	}
}

static void call_versions(long times)
{
	long sum = 0;

	for (long i = 0; i < times; i++)
		sum += versioned() + versioned_old_call();
	printf("versions calls=%ld sum=%ld\n", times, sum);
}

static void fork_children(const char *line)
{
	long children = number(line, "children", 1), total = 0;

	fflush(stdout);
	for (long i = 0; i < children; i++) {
		pid_t child = fork();

		if (child == 0) {
			run_line(line, false);
			_exit(0);
		}
		if (child > 0 && waitpid(child, NULL, 0) == child)
			total += number(line, "times", 1) *
				 number(line, "functions", KNOWN_FUNCTIONS);
	}
	printf("fork total=%ld\n", total);
}

static void load_and_call(const char *line)
{
	char path[4096] = "", symbol[256] = "";
	long times = number(line, "times", 1);
	void (*function)(void) = NULL;
	void *library;

	word(line, "path", path, sizeof(path));
	word(line, "symbol", symbol, sizeof(symbol));
	library = dlopen(path, RTLD_NOW);
	if (library)
		*(void **)&function = dlsym(library, symbol);
	for (long i = 0; function && i < times; i++)
		function();
	if (function)
		printf("load calls=%ld\n", times);
	else
		printf("load failed: %s\n", dlerror());
}

static void *read_commands(void *arguments);

static void leave_first_thread(void)
{
	pthread_t other;

	if (pthread_create(&other, NULL, read_commands, NULL))
		exit(1);
	printf("leave\n");
	fflush(stdout);
	pthread_exit(NULL);
}

static bool is(const char *line, const char *command)
{
	size_t length = strlen(command);

	return strncmp(line, command, length) == 0 && (line[length] == ' ' || !line[length]);
}

static void obey(const char *line)
{
	if (is(line, "call"))
		printf("call total=%ld\n", run_line(line, false));
	else if (is(line, "spin"))
		printf("spin rounds=%ld\n", run_line(line, true));
	else if (is(line, "shapes")) {
		call_shapes(shapes, number(line, "times", 1));
		call_shapes(cxx_shapes, number(line, "times", 1));
		printf("shapes done\n");
	} else if (is(line, "versions"))
		call_versions(number(line, "times", 1));
	else if (is(line, "fork"))
		fork_children(line);
	else if (is(line, "load"))
		load_and_call(line);
	else if (is(line, "leave"))
		leave_first_thread();
	else if (*line)
		printf("unknown command: %s\n", line);
	fflush(stdout);
}

static void *read_commands(void *arguments)
{
	const char *first = arguments ? arguments : "";
	char line[8192];

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (is(line, "quit"))
			break;
		obey(*first ? first : line);
		first = "";
	}
	exit(0);
}

int main(int argc, char **argv)
{
	char first[8192] = "";

	setvbuf(stdin, NULL, _IONBF, 0); /* poll() shall see a line that waits */
	for (int i = 1; i < argc; i++) {
		size_t used = strlen(first);

		snprintf(first + used, sizeof(first) - used, "%s%s", i > 1 ? " " : "", argv[i]);
	}
	printf("ready %d\n", getpid());
	fflush(stdout);
	read_commands(first);
}

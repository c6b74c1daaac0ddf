/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The target of trace tests: calls functions with known arguments and results. It prints "ready
 * PID", then obeys its standard input line by line; each answer is "COMMAND done", with numbers
 * behind it where they are named here.
 *
 *   integers            integers(), one parameter for each width and sign
 *   many                many(), twelve parameters
 *   text                text(), with "short", a string of 5,000 bytes, NULL and a wrong pointer
 *   page                text() and bytes() at the end of a page that nothing follows: " ADDRESS"
 *   bytes               bytes(), with 0, 4, 300 and -1 bytes
 *   results             result_s1() … result_pointer()
 *   chain               chain_first() calls chain_second() calls chain_third(), which has no frame
 *   count N             counted(0) … counted(N - 1)
 *   busy                counted(), over and over until the next line comes, which is not obeyed
 *   threads COUNT N     the same in so many threads, whose names are worker-0 …; " TID ..."
 *   children COUNT N    the same in so many processes; " PID ..."
 *   nap US              nap(), which sleeps so long
 *   hold                held(), which lasts until the next line comes, which is not obeyed
 *   deep DEPTH          deep(), which calls itself and returns its depth
 *   tail DEPTH          even() and odd(), each of which becomes the other one, with one less
 *   jump TIMES          jumper(), left by longjmp()
 *   end THREADS         ender(), in which its thread ends
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "traced.h"

#define SHAPE __attribute__((noipa))
/* Begin with a push, which costs one trap and not two. */
#define FRAME __asm__ volatile("" ::"r"(__builtin_frame_address(0)))
#define MOST_THREADS 16

/* ---- arguments and results */

void integers(int8_t s1, uint8_t u1, int16_t s2, uint16_t u2, int32_t s4, uint32_t u4, int64_t s8,
	      uint64_t u8);
SHAPE void integers(int8_t s1, uint8_t u1, int16_t s2, uint16_t u2, int32_t s4, uint32_t u4,
		    int64_t s8, uint64_t u8)
{
	__asm__ volatile("" ::"r"(s1 + u1 + s2 + u2 + s4), "r"(u4 + s8 + u8));
}

void many(long a, long b, long c, long d, long e, long f, long g, long h, long i, long j, long k,
	  long l);
SHAPE void many(long a, long b, long c, long d, long e, long f, long g, long h, long i, long j,
		long k, long l)
{
	__asm__ volatile("" ::"r"(a + b + c + d + e + f), "r"(g + h + i + j + k + l));
}

void text(const char *first, const char *second);
SHAPE void text(const char *first, const char *second)
{
	__asm__ volatile("" ::"r"(first), "r"(second));
}

void bytes(const void *data, long size);
SHAPE void bytes(const void *data, long size)
{
	__asm__ volatile("" ::"r"(data), "r"(size));
}

int8_t result_s1(void);
uint8_t result_u1(void);
int32_t result_s4(void);
uint64_t result_u8(void);
void *result_pointer(void);
SHAPE int8_t result_s1(void)
{
	return RESULT_S1;
}

SHAPE uint8_t result_u1(void)
{
	return RESULT_U1;
}

SHAPE int32_t result_s4(void)
{
	return RESULT_S4;
}

SHAPE uint64_t result_u8(void)
{
	return RESULT_U8;
}

SHAPE void *result_pointer(void)
{
	return NULL;
}

static void call_text(void)
{
	static char much[MUCH_TEXT + 1];

	memset(much, 'x', MUCH_TEXT);
	text("short", much);
	text(NULL, (const char *)WRONG_POINTER);
	text("", "/etc/passwd");
}

static void call_bytes(void)
{
	static uint8_t data[MUCH_BYTES];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	bytes(data, 0);
	bytes(data, 4);
	bytes(data, MUCH_BYTES);
	bytes(data, -1);
}

/* Two pages of which the second is gone. */
static void call_page(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *end, *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED)
		exit(1);
	end = pages + page;
	munmap(end, page);
	memset(pages, 'y', page);
	text("no end", end - 3);
	bytes(end - 8, 8);
	bytes(end - 8, 9);
	end[-1] = '\0';
	text("end", end - 5);
	printf("page done %lu\n", (unsigned long)end);
}

/* ---- stacks */

void chain_first(void), chain_second(void), chain_third(void);
SHAPE void chain_third(void)
{
	__asm__ volatile("");
}

SHAPE void chain_second(void)
{
	chain_third();
	__asm__ volatile("");
}

SHAPE void chain_first(void)
{
	chain_second();
	__asm__ volatile("");
}

/* ---- many calls */

long counted(long number);
SHAPE long counted(long number)
{
	FRAME;
	return number / 2;
}

static unsigned long calls;

static void call_counted(void)
{
	for (unsigned long i = 0; i < calls; i++)
		counted((long)i);
}

void held(void);
SHAPE void held(void)
{
	char line[16];

	if (!fgets(line, sizeof(line), stdin))
		exit(1);
}

static void stay_busy(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

	for (calls = 64; poll(&input, 1, 0) == 0;)
		call_counted();
	held();
}

struct worker {
	pthread_t id;
	unsigned long number;
	long tid;
};

static void *work(void *context)
{
	struct worker *worker = context;
	char name[16];

	snprintf(name, sizeof(name), "worker-%lu", worker->number % 100);
	pthread_setname_np(pthread_self(), name);
	worker->tid = syscall(SYS_gettid);
	call_counted();
	return NULL;
}

static void run_threads(unsigned long count)
{
	struct worker workers[MOST_THREADS];

	for (unsigned long i = 0; i < count; i++) {
		workers[i].number = i;
		if (pthread_create(&workers[i].id, NULL, work, &workers[i]))
			exit(1);
	}
	printf("threads done");
	for (unsigned long i = 0; i < count; i++) {
		pthread_join(workers[i].id, NULL);
		printf(" %ld", workers[i].tid);
	}
	printf("\n");
}

static void run_children(unsigned long count)
{
	printf("children done");
	fflush(stdout);
	for (unsigned long i = 0; i < count; i++) {
		pid_t child = fork();

		if (child == 0) {
			call_counted();
			_exit(0);
		}
		if (child < 0 || waitpid(child, NULL, 0) != child)
			exit(1);
		printf(" %d", child);
	}
	printf("\n");
}

/* ---- calls of all sorts */

void nap(unsigned long us);
SHAPE void nap(unsigned long us)
{
	usleep((useconds_t)us);
}

unsigned long deep(unsigned long depth);
SHAPE unsigned long deep(unsigned long depth)
{
	return depth > 1 ? deep(depth - 1) + 1 : 1;
}

#define TAIL_CALLS __attribute__((optimize("optimize-sibling-calls")))

unsigned long even(unsigned long number), odd(unsigned long number);
SHAPE TAIL_CALLS unsigned long even(unsigned long number)
{
	return number ? odd(number - 1) : 1;
}

SHAPE TAIL_CALLS unsigned long odd(unsigned long number)
{
	return number ? even(number - 1) : 0;
}

static jmp_buf landing;

void jumper(unsigned long time);
SHAPE void jumper(unsigned long time)
{
	__asm__ volatile("" ::"r"(time));
	longjmp(landing, 1);
}

static void jump(unsigned long times)
{
	for (volatile unsigned long i = 0; i < times; i++)
		if (setjmp(landing) == 0)
			jumper(i);
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

static void end_threads(unsigned long count)
{
	while (count--) {
		pthread_t id;

		if (pthread_create(&id, NULL, run_ender, NULL) || pthread_join(id, NULL))
			exit(1);
	}
}

/* ---- commands */

static void call_integers(void)
{
	integers(INTEGERS);
}

static void call_many(void)
{
	many(1, -2, 3, -4, 5, -6, 7, -8, 9, -10, 11, -12);
}

static void call_results(void)
{
	result_s1();
	result_u1();
	result_s4();
	result_u8();
	result_pointer();
}

static const struct {
	const char *name;
	void (*run)(void);
} plain[] = {
	{"integers", call_integers}, {"many", call_many},	{"text", call_text},
	{"bytes", call_bytes},	     {"results", call_results}, {"chain", chain_first},
};

static bool run_plain(const char *command)
{
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		if (strcmp(command, plain[i].name) != 0)
			continue;
		plain[i].run();
		return true;
	}
	return false;
}

static void obey(const char *line)
{
	unsigned long one = 1, two = 1;
	char command[16] = "";

	sscanf(line, "%15s %lu %lu", command, &one, &two);
	calls = strcmp(command, "count") == 0 ? one : two;
	if (strcmp(command, "page") == 0) {
		call_page();
	} else if (strcmp(command, "threads") == 0 && one <= MOST_THREADS) {
		run_threads(one);
	} else if (strcmp(command, "children") == 0) {
		run_children(one);
	} else {
		if (strcmp(command, "count") == 0)
			call_counted();
		else if (strcmp(command, "busy") == 0)
			stay_busy();
		else if (strcmp(command, "hold") == 0)
			held();
		else if (strcmp(command, "nap") == 0)
			nap(one);
		else if (strcmp(command, "deep") == 0)
			deep(one);
		else if (strcmp(command, "tail") == 0)
			even(one);
		else if (strcmp(command, "jump") == 0)
			jump(one);
		else if (strcmp(command, "end") == 0)
			end_threads(one);
		else if (!run_plain(command))
			exit(1);
		printf("%s done\n", command);
	}
	fflush(stdout);
}

int main(void)
{
	char line[1024];

	setvbuf(stdin, NULL, _IONBF, 0);
	printf("ready %d\n", getpid());
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		obey(line);
	return 0;
}

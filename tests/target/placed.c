/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The target of the tests of placement: functions whose first blocks differ in what they hold, in
 * what they change, and in who jumps into them. It prints "ready PID", then obeys its standard
 * input: "work N" calls each of them N times, always with the same arguments; the answer is
 * "work done". Nothing but the functions placed_… are called so.
 */
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHAPE __attribute__((noipa))
#define RARE(condition) __builtin_expect(!!(condition), 0)

static volatile long sink;
static jmp_buf back;

/* ---- what comes before the first cheap instruction */

SHAPE static long placed_branch(long a, long b)
{
	return a > b ? a * 3 + sink : b;
}

SHAPE static long placed_straight(long a)
{
	return a * 5 + 1;
}

SHAPE static void placed_frame(char *to, size_t size)
{
	char buffer[64];

	memset(buffer, (int)size, sizeof(buffer));
	__asm__ volatile("" ::"r"(buffer) : "memory");
	memcpy(to, buffer, size);
}

SHAPE static long placed_saved(long a, long b, long c)
{
	long sum = 0;

	for (long i = 0; i < a; i++)
		sum += placed_branch(i, b) + placed_straight(c);
	return sum;
}

/* ---- what it changes: registers, the stack pointer, memory */

SHAPE static long placed_changes_first(long a)
{
	__asm__ volatile("add $7, %0" : "+D"(a));
	return a > 100 ? sink : a;
}

SHAPE static long placed_many(long a, long b, long c, long d, long e, long f, long g, long h)
{
	return a > h ? b + c + d + e + f + g : g + h;
}

SHAPE static int placed_clears(char *text)
{
	*text = '-';
	return text[1] ? 1 : (int)sink;
}

SHAPE static long placed_globals(long a)
{
	sink = a;
	return a > 3 ? sink : 0;
}

/* ---- who jumps into it */

SHAPE static size_t placed_loop(const char *text)
{
	size_t length = 0;

	while (*text++ != ',')
		length++;
	return length;
}

/* The loop is entered at the top, and its head may be the function's. */
SHAPE static long placed_spin(long a)
{
	do {
		a--;
		__asm__ volatile("" : "+r"(a));
	} while (a > 0);
	return a;
}

SHAPE static long placed_again(long a)
{
	if (a <= 0)
		return sink;
	return placed_again(a - 1);
}

SHAPE static long placed_rare(long a)
{
	if (RARE(a == 3)) {
		puts("");
		abort();
	}
	return a + sink;
}

SHAPE static long placed_switch(const unsigned char *code)
{
	long value = 0;

	for (;;) {
		switch (*code++) {
		case 0:
			return value;
		case 1:
			value += 3;
			break;
		case 2:
			value *= 5;
			break;
		case 3:
			value ^= 0x55;
			break;
		case 4:
			value -= sink;
			break;
		case 5:
			value = -value;
			break;
		default:
			value++;
		}
	}
}

/* A label of its own, which others could be told. */
SHAPE static long placed_labels(long a)
{
	static const void *const labels[] = {&&more, &&done};

more:
	a++;
	goto *labels[a > 4];
done:
	return a;
}

/* ---- ways to leave */

struct operations {
	long (*call)(long value);
};

SHAPE static long placed_by_pointer(const struct operations *operations, long value)
{
	return operations->call(value + 1);
}

SHAPE static long placed_by_checked_pointer(const struct operations *operations, long value)
{
	long (*call)(long) = operations->call;

	return call ? call(value) : 0;
}

SHAPE static long placed_long_jump(long a)
{
	if (a > 0)
		longjmp(back, (int)a);
	return a;
}

SHAPE static long placed_catches(long a)
{
	return setjmp(back) ? 1 : placed_long_jump(a);
}

long placed_alias(long a) __attribute__((alias("placed_original")));
SHAPE long placed_original(long a);
SHAPE long placed_original(long a)
{
	return a > 1 ? a : sink;
}

static long placed_implementation(long a)
{
	return a > 2 ? a + 1 : sink;
}

static long (*choose(void))(long)
{
	return placed_implementation;
}
long placed_indirect(long a) __attribute__((ifunc("choose")));

static void work_once(long round)
{
	static const struct operations operations = {placed_straight};
	char text[] = "+some text, and more";

	sink += placed_branch(round, 2) + placed_straight(round) + placed_saved(3, 2, round);
	placed_frame(text + 6, 3);
	sink += placed_changes_first(99) + placed_many(1, 2, 3, 4, 5, 6, 7, 8);
	sink += placed_clears(text) + placed_globals(round) + (long)placed_loop(text);
	sink += placed_spin(4) + placed_again(5) + placed_rare(round % 2);
	sink += placed_switch((const unsigned char *)"\1\2\3\4\5\6\1") + placed_labels(0);
	sink += placed_by_pointer(&operations, round);
	sink += placed_by_checked_pointer(&operations, round);
	sink += placed_catches(1) + placed_alias(round) + placed_original(1);
	sink += placed_indirect(round);
	sink = 0;
}

int main(void)
{
	char line[64];
	long times;

	setvbuf(stdin, NULL, _IONBF, 0);
	printf("ready %d\n", getpid());
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) && sscanf(line, "work %ld", &times) == 1) {
		for (long i = 0; i < times; i++)
			work_once(i);
		puts("work done");
		fflush(stdout);
	}
	return 0;
}

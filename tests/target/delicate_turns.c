// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Functions that are left for another stack and come back to. */
#include <stddef.h>
#include <ucontext.h>

#include "delicate.h"

#define STACK ((size_t)64 << 10)
#define COROUTINES 3

static ucontext_t scheduler, coroutines[COROUTINES];
static uint64_t turns;

uint64_t yield_within(unsigned number);
SHAPE uint64_t yield_within(unsigned number)
{
	turns = mix(turns, number);
	swapcontext(&coroutines[number], &scheduler);
	return turns + number;
}

/* Each coroutine yields from a place of its own. */
void coroutine(unsigned number);
SHAPE void coroutine(unsigned number)
{
	for (unsigned i = 0; i < 20 + number; i++) {
		if (number == 0)
			turns = mix(turns, yield_within(number));
		else if (number == 1)
			turns = mix(turns, 2 * yield_within(number));
		else
			turns = mix(turns, 3 + yield_within(number));
	}
}

static void make_coroutine(unsigned number, char *stack)
{
	getcontext(&coroutines[number]);
	coroutines[number].uc_stack.ss_sp = stack;
	coroutines[number].uc_stack.ss_size = STACK;
	coroutines[number].uc_link = &scheduler;
	makecontext(&coroutines[number], (void (*)(void))coroutine, 1, number);
}

uint64_t use_coroutines(void)
{
	static char stacks[COROUTINES][STACK];

	turns = 5;
	for (unsigned i = 0; i < COROUTINES; i++)
		make_coroutine(i, stacks[i]);
	for (unsigned turn = 0; turn < 20; turn++)
		for (unsigned i = 0; i < COROUTINES; i++)
			swapcontext(&scheduler, &coroutines[(i * 2 + turn) % COROUTINES]);
	return turns;
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Functions of unusual shape: aliases, an indirect function, mangled names. */
#include <stddef.h>

#include "known.h"

#define NOINLINE __attribute__((noinline, noclone))

int data_object = 42; /* never to be probed */

void alias_first(void);
NOINLINE void alias_first(void)
{
	__asm__ volatile("");
}
void alias_second(void) __attribute__((alias("alias_first")));
void alias_weak(void) __attribute__((weak, alias("alias_first")));

void indirect_choice(void);
NOINLINE void indirect_choice(void)
{
	__asm__ volatile("");
}

static void (*indirect_resolver(void))(void)
{
	return indirect_choice;
}
void indirect(void) __attribute__((ifunc("indirect_resolver")));

void recursive(int depth);
NOINLINE void recursive(int depth)
{
	if (depth > 1)
		recursive(depth - 1);
	__asm__ volatile(""); /* no tail call */
}

static void call_recursive(void)
{
	recursive(1);
}

/* Rust names: legacy target::shapes::legacy and v0 target::modern. */
void rust_legacy(void) __asm__("_ZN6target6shapes6legacy17h0123456789abcdefE");
NOINLINE void rust_legacy(void)
{
	__asm__ volatile("");
}

void rust_modern(void) __asm__("_RNvCs1234_6target6modern");
NOINLINE void rust_modern(void)
{
	__asm__ volatile("");
}

void lock_first(void), endbr_push(void), endbr_lea(void), push_first(void), push_r12_first(void),
	lea_first(void), mov_first(void), sub_first(void), nop_first(void), nop5_first(void),
	nop5_inside(void), call_first(void), jump_first(void), ret_first(void), segment_first(void);

#define SHAPE(name)                                                                                \
	{                                                                                          \
#name, name                                                                        \
	}
/* call_first calls nop_first, so that nop_first is hit twice as often as the others. */
const struct shape shapes[] = {
	SHAPE(alias_first),
	SHAPE(indirect),
	{"recursive", call_recursive},
	{"_ZN6target6shapes6legacy17h0123456789abcdefE", rust_legacy},
	{"_RNvCs1234_6target6modern", rust_modern},
	SHAPE(lock_first),
	SHAPE(endbr_push),
	SHAPE(endbr_lea),
	SHAPE(push_first),
	SHAPE(push_r12_first),
	SHAPE(lea_first),
	SHAPE(mov_first),
	SHAPE(sub_first),
	SHAPE(nop_first),
	SHAPE(nop5_first),
	SHAPE(nop5_inside),
	SHAPE(call_first),
	SHAPE(jump_first),
	SHAPE(ret_first),
	SHAPE(segment_first),
	{"twice", call_twice_of_a},
	{"twice", call_twice_of_b},
	{NULL, NULL},
};

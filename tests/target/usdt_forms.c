/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Every storage with every type, for one constraint of operands (-DCONSTRAINT=name and
 * -DSTAP_SDT_ARG_CONSTRAINT=letters). What operands become of it is the compiler's choice.
 */
#include <sys/sdt.h>

#include "usdt_forms.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define PROVIDER JOIN(forms_, CONSTRAINT)

#define OPAQUE(variable) __asm__ volatile("" : "+g"(variable)::"memory")
#define ROWS 7

/* Names that are this file's own, also for the assembler. */
#define OWN(name) JOIN(JOIN(CONSTRAINT, _), name)

#define FIELD(name, type, value) type name;
struct fields {
	char first[3];
	USDT_TYPES(FIELD)
};

#define CONSTANT(name, type, value) STAP_PROBE2(PROVIDER, constant_##name, (type)(value), round);
#define LOCAL(name, type, value)                                                                   \
	{                                                                                          \
		type variable = (type)(value);                                                     \
		OPAQUE(variable);                                                                  \
		STAP_PROBE2(PROVIDER, local_##name, variable, round);                              \
	}
#define POINTER(name, type, value)                                                                 \
	{                                                                                          \
		type variable = (type)(value), *at = &variable;                                    \
		OPAQUE(at);                                                                        \
		STAP_PROBE2(PROVIDER, pointer_##name, *at, round);                                 \
	}
#define FILL(name, type, value) at->name = (type)(value);
#define IN_FIELD(name, type, value) STAP_PROBE2(PROVIDER, field_##name, at->name, round);
#define ELEMENT(name, type, value)                                                                 \
	{                                                                                          \
		type array[ROWS] = {0};                                                            \
		long index = round % ROWS;                                                         \
		OPAQUE(index);                                                                     \
		array[index] = (type)(value);                                                      \
		STAP_PROBE2(PROVIDER, element_##name, array[index], round);                        \
	}
#define DECLARE(name, type, value)                                                                 \
	static volatile type OWN(global_##name) = (type)(value);                                   \
	static volatile type OWN(row_##name)[ROWS];                                                \
	static __thread volatile type OWN(thread_##name);
#define GLOBAL(name, type, value) STAP_PROBE2(PROVIDER, global_##name, OWN(global_##name), round);
#define ROW(name, type, value)                                                                     \
	{                                                                                          \
		long index = round % ROWS;                                                         \
		OPAQUE(index);                                                                     \
		OWN(row_##name)[index] = (type)(value);                                            \
		STAP_PROBE2(PROVIDER, row_##name, OWN(row_##name)[index], round);                  \
	}
#define THREAD(name, type, value)                                                                  \
	OWN(thread_##name) = (type)(value);                                                        \
	STAP_PROBE2(PROVIDER, thread_##name, OWN(thread_##name), round);
#define PARAMETER(name, type, value)                                                               \
	static __attribute__((noinline)) void parameter_##name(type parameter, int round)          \
	{                                                                                          \
		STAP_PROBE2(PROVIDER, parameter_##name, parameter, round);                         \
	}
#define PASS(name, type, value) parameter_##name((type)(value), round);

USDT_TYPES(DECLARE)
USDT_TYPES(PARAMETER)

static __attribute__((noinline)) void fire_fields(struct fields *at, int round)
{
	USDT_TYPES(FILL)
	OPAQUE(at);
	USDT_TYPES(IN_FIELD)
}

void JOIN(fire_, CONSTRAINT)(int round);
void JOIN(fire_, CONSTRAINT)(int round)
{
	struct fields fields;

#ifdef CONSTANTS /* no constant fits the constraint */
	USDT_TYPES(CONSTANT)
#endif
	USDT_TYPES(LOCAL)
	USDT_TYPES(PASS)
	USDT_TYPES(POINTER)
	fire_fields(&fields, round);
	USDT_TYPES(ELEMENT)
	USDT_TYPES(GLOBAL)
	USDT_TYPES(ROW)
	USDT_TYPES(THREAD)
}

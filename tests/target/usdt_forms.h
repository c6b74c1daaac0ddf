/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The USDT probes of the target usdt_forms, and what their arguments are: each form
 * of storage with each integer type. Program and tests include it.
 */
#ifndef UPM_TESTS_USDT_FORMS_H
#define UPM_TESTS_USDT_FORMS_H

#include <stdint.h>

/* type name, type, value */
#define USDT_TYPES(TYPE)                                                                           \
	TYPE(s1, int8_t, -101)                                                                     \
	TYPE(u1, uint8_t, 0xf1)                                                                    \
	TYPE(s2, int16_t, -20202)                                                                  \
	TYPE(u2, uint16_t, 0xf234)                                                                 \
	TYPE(s4, int32_t, -1234567890)                                                             \
	TYPE(u4, uint32_t, 0xf2345678)                                                             \
	TYPE(s8, int64_t, -1234567890123456789)                                                    \
	TYPE(u8, uint64_t, 0xf23456789abcdef0)

/* Each is a probe for each type: argument 0 is the value, argument 1 the round, from 1 on. */
#define USDT_STORAGES(STORAGE)                                                                     \
	STORAGE(constant)                                                                          \
	STORAGE(local)                                                                             \
	STORAGE(parameter)                                                                         \
	STORAGE(pointer)                                                                           \
	STORAGE(field)                                                                             \
	STORAGE(element)                                                                           \
	STORAGE(global)                                                                            \
	STORAGE(row)                                                                               \
	STORAGE(thread)

/* Constraints of an argument's operand: provider = forms_NAME. */
#define USDT_CONSTRAINTS(CONSTRAINT)                                                               \
	CONSTRAINT(usual)                                                                          \
	CONSTRAINT(registers)                                                                      \
	CONSTRAINT(memory)

#define USDT_ROUND_COUNT 12 /* arguments of the probe forms:many, argument i is i * round */

#endif

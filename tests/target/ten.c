/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A small library of ten functions and a table of them: tests make many files of it. */
#define ONE(digit)                                                                                 \
	__attribute__((noinline, noclone)) void ten_##digit(void);                                 \
	void ten_##digit(void)                                                                     \
	{                                                                                          \
		__asm__ volatile("nop");                                                           \
	}
/* clang-format off: it takes these for the begin of a function */
ONE(0)
ONE(1)
ONE(2)
ONE(3)
ONE(4)
ONE(5)
ONE(6)
ONE(7)
ONE(8)
ONE(9)
/* clang-format on */

void (*const ten_table[])(void) = {ten_0, ten_1, ten_2, ten_3, ten_4,
				   ten_5, ten_6, ten_7, ten_8, ten_9};

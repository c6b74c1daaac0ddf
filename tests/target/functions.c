/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * 1,000 functions with known names: FUNCTION(0000) … FUNCTION(0999), and the
 * table TABLE of them. Compiled once for the program (known_0000 …) and once for
 * the library (shared_0000 …), with FUNCTION and TABLE from the command line.
 */
#define ONE(number)                                                                                \
	__attribute__((noinline, noclone)) void FUNCTION(number)(void);                            \
	void FUNCTION(number)(void)                                                                \
	{                                                                                          \
		__asm__ volatile("");                                                              \
	}
#define ENTRY(number) FUNCTION(number),

#define EACH_ONE(do, tens)                                                                         \
	do                                                                                         \
	(tens##0) do(tens##1) do(tens##2) do(tens##3) do(tens##4) do(tens##5) do(tens##6) do(      \
		tens##7) do(tens##8) do(tens##9)
#define EACH_TEN(do, hundreds)                                                                     \
	EACH_ONE(do, hundreds##0)                                                                  \
	EACH_ONE(do, hundreds##1)                                                                  \
	EACH_ONE(do, hundreds##2)                                                                  \
	EACH_ONE(do, hundreds##3)                                                                  \
	EACH_ONE(do, hundreds##4)                                                                  \
	EACH_ONE(do, hundreds##5)                                                                  \
	EACH_ONE(do, hundreds##6)                                                                  \
	EACH_ONE(do, hundreds##7)                                                                  \
	EACH_ONE(do, hundreds##8)                                                                  \
	EACH_ONE(do, hundreds##9)
#define EACH(do)                                                                                   \
	EACH_TEN(do, 00)                                                                           \
	EACH_TEN(do, 01)                                                                           \
	EACH_TEN(do, 02)                                                                           \
	EACH_TEN(do, 03)                                                                           \
	EACH_TEN(do, 04)                                                                           \
	EACH_TEN(do, 05)                                                                           \
	EACH_TEN(do, 06)                                                                           \
	EACH_TEN(do, 07)                                                                           \
	EACH_TEN(do, 08)                                                                           \
	EACH_TEN(do, 09)

EACH(ONE)

void (*const TABLE[])(void) = {EACH(ENTRY)};

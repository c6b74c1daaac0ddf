/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the functions of the target "traced" are called with and return. */
#ifndef UPM_TESTS_TRACED_H
#define UPM_TESTS_TRACED_H

#define INTEGERS                                                                                   \
	-101, 0xf1, -20202, 0xf234, -1234567890, 0xf2345678, -1234567890123456789,                 \
		0xf23456789abcdef0

#define RESULT_S1 -5
#define RESULT_U1 250
#define RESULT_S4 -70000
#define RESULT_U8 0xf0e0d0c0b0a09080

#define MUCH_TEXT 5000
#define MUCH_BYTES 300
#define WRONG_POINTER 0x1000

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the program that reads strings tells the tests about one hit. */
#ifndef UPM_TESTS_USDT_TEXT_H
#define UPM_TESTS_USDT_TEXT_H

#include <linux/types.h>

#define USDT_TEXT_SIZE 128
#define USDT_TEXT_STRINGS 2
#define USDT_TEXT_NUMBERS 3

struct usdt_text {
	__u64 probe;					 /* its number in the set */
	__s64 lengths[USDT_TEXT_STRINGS];		 /* with the NUL, or negative errno */
	__s64 numbers[USDT_TEXT_NUMBERS];		 /* the first arguments as they are */
	__s64 failures[USDT_TEXT_NUMBERS];		 /* 0 or negative errno */
	char strings[USDT_TEXT_STRINGS][USDT_TEXT_SIZE]; /* what the first arguments point to */
};

#endif

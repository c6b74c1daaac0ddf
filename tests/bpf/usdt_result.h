/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the programs that read USDT arguments tell the tests. */
#ifndef UPM_TESTS_USDT_RESULT_H
#define UPM_TESTS_USDT_RESULT_H

#include <linux/types.h>

#define USDT_ARGUMENTS 12
#define USDT_PROBES 2048 /* most of them in one set */

/* One for each probe of the set, which is its number. */
struct usdt_result {
	__u64 hits;
	__s64 count; /* of arguments, as the program was told */
	__u64 values[USDT_ARGUMENTS];
	__s64 failures[USDT_ARGUMENTS]; /* 0 or negative errno */
};

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The parts of tests/target/delicate. */
#ifndef UPM_TARGET_DELICATE_H
#define UPM_TARGET_DELICATE_H

#include <stdint.h>

#define SHAPE __attribute__((noipa))

#ifdef __cplusplus
extern "C" {
#endif

static inline uint64_t mix(uint64_t sum, uint64_t value)
{
	return (sum ^ value) * UINT64_C(0x100000001b3);
}

/* Parts that only variants of the program have. */
int catch_from(int depth) __attribute__((weak)); /* an exception thrown so many frames below */
uint64_t use_coroutines(void) __attribute__((weak));

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Compiled twice, with CALL named differently: two static functions share the name "twice". */
#include "known.h"

__attribute__((noinline)) static void twice(void)
{
	__asm__ volatile("");
}

void CALL(void)
{
	twice();
	__asm__ volatile(""); /* no tail call */
}

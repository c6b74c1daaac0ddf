/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* libversions.so: one name in two versions. */
#include "known.h"

int versioned_1(void);
int versioned_2(void);

__attribute__((noinline, symver("versioned@VERS_1"))) int versioned_1(void)
{
	__asm__ volatile("");
	return 1;
}

__attribute__((noinline, symver("versioned@@VERS_2"))) int versioned_2(void)
{
	__asm__ volatile("");
	return 2;
}

int versioned_old_call(void)
{
	return versioned_1();
}

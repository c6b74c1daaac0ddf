/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Exceptions that leave functions, past a destructor. */
#include "delicate.h"

static int cleaned;

struct Cleaner {
	~Cleaner()
	{
		cleaned++;
	}
};

__attribute__((noipa)) static int throw_below(int depth)
{
	Cleaner cleaner;

	if (depth == 0)
		throw 7;
	return throw_below(depth - 1) + 1;
}

__attribute__((noipa)) int catch_from(int depth)
{
	cleaned = 0;
	try {
		return throw_below(depth);
	} catch (int caught) {
		return caught + cleaned;
	}
}

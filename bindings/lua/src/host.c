/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "host.h"

#include <math.h>
#include <poll.h>
#include <time.h>

int upml_wait(lua_State *L)
{
	struct pollfd wanted = {.fd = upml_int32(L, 1, "fd"), .events = POLLIN};
	double seconds = upml_double(L, 2, "seconds"), whole = floor(seconds);
	struct timespec timeout;

	if (!(seconds >= 0 && seconds < INT32_MAX))
		return upml_invalid(L, "seconds", "a time from now on is wanted");
	timeout = (struct timespec){(time_t)whole, (long)((seconds - whole) * 1e9)};
	lua_pushboolean(L, ppoll(&wanted, 1, &timeout, NULL) > 0);
	return 1;
}

int upml_time_ns(lua_State *L)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	upml_push_uint64(L, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
	return 1;
}

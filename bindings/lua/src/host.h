/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What Lua has not: waiting, and a clock that does not jump. */
#ifndef UPML_HOST_H
#define UPML_HOST_H

#include "convert.h"

/* wait(fd, seconds) -> whether it can be read. A negative fd only waits. A signal ends it early. */
int upml_wait(lua_State *L);
/* time_ns() -> CLOCK_MONOTONIC */
int upml_time_ns(lua_State *L);

#endif

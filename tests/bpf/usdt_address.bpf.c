// SPDX-License-Identifier: GPL-2.0-only
/* Finds its arguments by the address of the breakpoint, as where there are no cookies. */
#define USDT_LAYOUT 208
#define USDT_BY_ADDRESS
#include "usdt_layout.h"

#include "usdt_program.h"

// SPDX-License-Identifier: GPL-2.0-only
/* Built against the layout of 304 bytes. */
#define USDT_LAYOUT 304
#include "usdt_layout.h"

#include "usdt_program.h"

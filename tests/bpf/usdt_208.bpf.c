// SPDX-License-Identifier: GPL-2.0-only
/* Built against the layout of 208 bytes. */
#define USDT_LAYOUT 208
#include "usdt_layout.h"

#include "usdt_program.h"

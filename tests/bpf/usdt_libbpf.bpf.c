// SPDX-License-Identifier: GPL-2.0-only
/* Built against this machine's own <bpf/usdt.bpf.h>, whatever its layout. */
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <stdbool.h>
#include <bpf/usdt.bpf.h>

#include "usdt_program.h"

// SPDX-License-Identifier: GPL-2.0-only
/* Sessions of kernels from 7.0 on. */
#define UPM_SESSION_CONTEXT
#include "latency_session.bpf.h"

// SPDX-License-Identifier: GPL-2.0-only
/* Sessions of kernels 6.13 to 6.19. */
#include "latency_session.bpf.h"

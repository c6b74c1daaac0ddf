/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Calls that can not return any more. Whoever ends in the middle of a call (exit(), a fatal
 * signal, execve()) leaves it in the table of running calls, where only the same thread would use
 * it again. When the table has refused a call, the reader takes out those of threads that are gone.
 */
#ifndef UPM_TRACE_SWEEP_H
#define UPM_TRACE_SWEEP_H

#include "trace/trace.h"

/** Sweep, if calls were refused since the last time, and not too often. */
void upm_trace_sweep(const struct upm_observer *observer);

#endif

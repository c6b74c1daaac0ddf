/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef UPM_BASE_CLOCK_H
#define UPM_BASE_CLOCK_H

#include <stdint.h>

/** CLOCK_MONOTONIC in nanoseconds. */
uint64_t upm_now_ns(void);

/**
 * What this process's time namespace adds to the CLOCK_MONOTONIC of the kernel, which BPF programs
 * read: time_namespaces(7).
 * @return nanoseconds; 0 outside of such a namespace, and where it can not be told
 */
int64_t upm_clock_offset_ns(void);

#endif

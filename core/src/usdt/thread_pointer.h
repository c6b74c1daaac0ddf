/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Where the kernel keeps the thread pointer (%fs) of a task. */
#ifndef UPM_USDT_THREAD_POINTER_H
#define UPM_USDT_THREAD_POINTER_H

#include <stdint.h>

/**
 * Offset of task_struct.thread.fsbase, from the kernel's BTF; read once per process.
 * The field has the pointer that the C library set, of a thread that runs too.
 * @return 0 when it is not known
 */
uint16_t upm_thread_pointer_offset(void);

#endif

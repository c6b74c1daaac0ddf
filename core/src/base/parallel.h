/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* One piece of work on several threads, which end before the call does. */
#ifndef UPM_BASE_PARALLEL_H
#define UPM_BASE_PARALLEL_H

#include <stddef.h>

/**
 * Call work(context, 0 … count-1) from up to max_threads threads, this one among them,
 * and return when all are done. With no thread to be had, this one does it all.
 */
void upm_parallel(size_t count, size_t max_threads, void (*work)(void *context, size_t index),
		  void *context);

#endif

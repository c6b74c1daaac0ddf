/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* One piece of work on several threads, which end before the call does. */
#ifndef UPM_BASE_PARALLEL_H
#define UPM_BASE_PARALLEL_H

#include <stddef.h>
#include <stdint.h>

/**
 * Call work(context, 0 … count-1) from up to max_threads threads, this one among them,
 * and return when all are done. With no thread to be had, this one does it all.
 */
void upm_parallel(size_t count, size_t max_threads, void (*work)(void *context, size_t index),
		  void *context);

/**
 * How many parts to divide work into, for a thread each.
 * @param least  items that are worth a thread
 * @return 1 … most, and no more than there are processors
 */
size_t upm_parallel_shares(uint64_t items, uint64_t least, size_t most);

#endif

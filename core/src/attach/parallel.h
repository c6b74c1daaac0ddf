/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Waits that overlap. Whatever takes a probe away waits for an RCU grace period,
 * tens of milliseconds in which no processor works: a hundred such calls at
 * once take as long as one.
 */
#ifndef UPM_ATTACH_PARALLEL_H
#define UPM_ATTACH_PARALLEL_H

#include <stddef.h>

/**
 * Call work(context, 0 … count-1) from up to max_threads threads, this one among them,
 * and return when all are done. With no thread to be had, this one does it all.
 */
void upm_parallel(size_t count, size_t max_threads, void (*work)(void *context, size_t index),
		  void *context);

/** Close descriptors, each of which may wait for a grace period; negative ones are passed over. */
void upm_close_all(const int *fds, size_t count);

#endif

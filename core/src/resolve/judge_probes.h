/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The verdict and the cost of every probe, from the code at its place.
 *
 * In this order, so that the first reason is the one that matters most: the
 * file's architecture, the segment, the file's end, the boundary of instructions,
 * the kernel's rules, the red zone, the semaphore, and what return probes need.
 */
#ifndef UPM_RESOLVE_JUDGE_PROBES_H
#define UPM_RESOLVE_JUDGE_PROBES_H

#include "resolve/probe_table.h"

/**
 * Judge probes first … of the table; those that have a verdict already keep it.
 * @param flags  enum upm_resolve_flag of the resolution
 * @return UPM_OK or UPM_ERR_MEMORY
 */
int upm_judge_probes(struct upm_probe_table *table, size_t first, uint32_t flags);

#endif

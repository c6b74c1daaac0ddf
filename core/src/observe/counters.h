/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The counters of a counting program: a BPF array, mapped into this process where it can be. */
#ifndef UPM_OBSERVE_COUNTERS_H
#define UPM_OBSERVE_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct upm_counters {
	uint32_t rows, stride; /* see upm_count.h */
	uint32_t probes;
	int map_fd;		/* not owned */
	const uint64_t *memory; /* NULL = read by system calls */
	size_t memory_size;
};

/** Choose rows and stride. @return UPM_OK or UPM_ERR_LIMIT */
int upm_counters_plan(struct upm_counters *counters, size_t probes, uint32_t cpus);
/** @return elements of the array. */
uint32_t upm_counters_elements(const struct upm_counters *counters);
/** Use this array, which has upm_counters_elements(). @return UPM_OK or UPM_ERR_MEMORY */
int upm_counters_open(struct upm_counters *counters, int map_fd, bool mapped);
/** Sum up the rows. @return UPM_OK or UPM_ERR_SYSTEM */
int upm_counters_read(const struct upm_counters *counters, uint64_t *hits);
void upm_counters_close(struct upm_counters *counters);

#endif

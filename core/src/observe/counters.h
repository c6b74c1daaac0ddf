/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Counters of a shipped program: a BPF array, mapped into this process where it can be. */
#ifndef UPM_OBSERVE_COUNTERS_H
#define UPM_OBSERVE_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

#include "upm_observe.h"

struct upm_counters {
	struct upm_counters_shape shape;
	uint32_t probes;
	int map_fd;		/* not owned */
	const uint64_t *memory; /* NULL = read by system calls */
	size_t memory_size;
};

/** Choose rows and stride. @return UPM_OK or UPM_ERR_LIMIT */
int upm_counters_shape(struct upm_counters_shape *shape, size_t probes);
/** @return elements that the array must have. */
uint32_t upm_counters_elements(const struct upm_counters_shape *shape);
/** Use an array of this shape, which errors call map. @return UPM_OK; UPM_ERR_FORMAT for another
 * one; UPM_ERR_MEMORY */
int upm_counters_open(struct upm_counters *counters, const struct upm_counters_shape *shape,
		      size_t probes, const char *map, int map_fd);
/** Sum up the rows. @return UPM_OK or UPM_ERR_SYSTEM */
int upm_counters_read(const struct upm_counters *counters, uint64_t *hits);
void upm_counters_close(struct upm_counters *counters);

#endif

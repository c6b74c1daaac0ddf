/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A BPF array's memory in this process. */
#ifndef UPM_OBSERVE_MAPPED_H
#define UPM_OBSERVE_MAPPED_H

#include <stddef.h>

/**
 * Map an array for reading.
 * @param memory  receives the address, for munmap(); NULL where the kernel can not map arrays
 * @param size    bytes of its elements; receives them rounded up to pages
 * @return UPM_OK or UPM_ERR_MEMORY
 */
int upm_map_array(const char *operation, int map_fd, const void **memory, size_t *size);

#endif

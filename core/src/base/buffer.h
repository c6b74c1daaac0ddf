/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Buffers for large tables. The first touch of a fresh 4 KiB page costs more than reading
 * it from a file, on huge pages a quarter of that. But a kernel short of huge pages
 * makes the caller wait while it makes some, and what a table leaves of one is lost to
 * others, so they are for what fills a good part of one.
 */
#ifndef UPM_BASE_BUFFER_H
#define UPM_BASE_BUFFER_H

#include <stddef.h>

/**
 * Allocate a buffer, a large one on huge pages where the kernel has them.
 * @return memory for free(), not cleared; NULL when there is none
 */
void *upm_buffer_allocate(size_t size);

#endif

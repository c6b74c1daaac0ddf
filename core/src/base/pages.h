/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Large buffers. The first touch of a fresh 4 KiB page costs more than decoding
 * the twenty functions whose symbols lie on it; on huge pages it is a quarter of that.
 */
#ifndef UPM_BASE_PAGES_H
#define UPM_BASE_PAGES_H

#include <stddef.h>

/** From how many bytes on a buffer is worth huge pages. */
#define UPM_PAGES_WORTH ((size_t)2 << 20)

/**
 * Allocate a buffer of at least UPM_PAGES_WORTH bytes on huge pages where the
 * kernel has them. @return memory for free(), not cleared; NULL when there is none
 */
void *upm_pages_allocate(size_t size);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Large buffers. The first touch of a fresh 4 KiB page costs more than decoding
 * the twenty functions whose symbols lie on it; on huge pages it is a quarter of that.
 */
#ifndef UPM_BASE_BUFFER_H
#define UPM_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/**
 * Allocate a buffer, a large one on huge pages where the kernel has them.
 * @return memory for free(), not cleared; NULL when there is none
 */
void *upm_buffer_allocate(size_t size);

/** @return whether a buffer of this size is a large one, which realloc(3) must not touch. */
bool upm_buffer_is_large(size_t size);

#endif

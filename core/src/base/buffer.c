/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "base/buffer.h"

#include <stdlib.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)
#define LARGE (HUGE_PAGE * 3 / 8) /* less would waste more than it saves */

void *upm_buffer_allocate(size_t size)
{
	size_t rounded = (size + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
	void *buffer;

	if (size < LARGE || rounded < size)
		return malloc(size);
	buffer = aligned_alloc(HUGE_PAGE, rounded);
	if (buffer)
		madvise(buffer, rounded, MADV_HUGEPAGE);
	return buffer;
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "base/pages.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20 };

void *upm_pages_allocate(size_t size)
{
	size_t rounded = (size + HUGE_PAGE - 1) & ~((size_t)HUGE_PAGE - 1);
	void *pages;

	if (rounded < size)
		return NULL;
	pages = aligned_alloc(HUGE_PAGE, rounded);
	if (pages)
		madvise(pages, rounded, MADV_HUGEPAGE);
	return pages;
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "base/vector.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/buffer.h"

enum { FIRST_CAPACITY = 16 };

/* Who makes room at the start mostly knows how much it will be. */
static size_t next_capacity(size_t capacity, size_t count, size_t extra)
{
	size_t wanted = capacity ? capacity : extra > FIRST_CAPACITY ? extra : FIRST_CAPACITY;

	while (wanted - count < extra || wanted < count)
		wanted *= 2;
	return wanted;
}

bool upm_vector_grow(void **items, size_t *capacity, size_t count, size_t extra, size_t item_size)
{
	size_t wanted;
	void *grown;

	if (extra <= *capacity - count)
		return true;
	if (extra > SIZE_MAX / 4 / item_size || count > SIZE_MAX / 4 / item_size)
		return false;
	wanted = next_capacity(*capacity, count, extra);
	grown = *items ? realloc(*items, wanted * item_size)
		       : upm_buffer_allocate(wanted * item_size);
	if (!grown)
		return false;
	*items = grown;
	*capacity = wanted;
	return true;
}

void upm_vector_release(void **items)
{
	free(*items);
	*items = NULL;
}

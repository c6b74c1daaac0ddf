/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "base/vector.h"

#include <stdint.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 16 };

bool upm_vector_grow(void **items, size_t *capacity, size_t count, size_t extra, size_t item_size)
{
	size_t wanted = *capacity ? *capacity : FIRST_CAPACITY;
	void *grown;

	if (extra <= *capacity - count)
		return true;
	if (extra > SIZE_MAX / 4 / item_size || count > SIZE_MAX / 4 / item_size)
		return false;
	while (wanted - count < extra || wanted < count)
		wanted *= 2;
	grown = realloc(*items, wanted * item_size);
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

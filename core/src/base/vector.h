/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A growing array: items, count, capacity. Growth doubles; items move. */
#ifndef UPM_BASE_VECTOR_H
#define UPM_BASE_VECTOR_H

#include <stdbool.h>
#include <stddef.h>

#define UPM_VECTOR(type)                                                                           \
	struct {                                                                                   \
		type *items;                                                                       \
		size_t count;                                                                      \
		size_t capacity;                                                                   \
	}

/** Make room for extra more items. @return false when out of memory (nothing changed). */
#define upm_vector_reserve(vector, extra)                                                          \
	((size_t)(extra) <= (vector)->capacity - (vector)->count ||                                \
	 upm_vector_grow((void **)&(vector)->items, &(vector)->capacity, (vector)->count, (extra), \
			 sizeof(*(vector)->items)))

/** Append one item. @return false when out of memory (nothing changed). */
#define upm_vector_push(vector, item)                                                              \
	(upm_vector_reserve(vector, 1) && ((vector)->items[(vector)->count++] = (item), true))

/** Free the items and make it empty. */
#define upm_vector_clear(vector)                                                                   \
	(upm_vector_release((void **)&(vector)->items), (vector)->count = 0, (vector)->capacity = 0)

bool upm_vector_grow(void **items, size_t *capacity, size_t count, size_t extra, size_t item_size);
void upm_vector_release(void **items);

#endif

// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * A heap whose root is the worst of the best found so far: most candidates are turned
 * away by one comparison with it.
 */
#include "top.h"

#include <stdbool.h>

static bool is_worse(const uint64_t *values, size_t left, size_t right)
{
	if (values[left] != values[right])
		return values[left] < values[right];
	return left > right;
}

static void swap(size_t *left, size_t *right)
{
	size_t kept = *left;

	*left = *right;
	*right = kept;
}

static void sift_down(const uint64_t *values, size_t *heap, size_t size, size_t at)
{
	for (;;) {
		size_t worst = at;

		for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < size; child++)
			if (is_worse(values, heap[child], heap[worst]))
				worst = child;
		if (worst == at)
			return;
		swap(&heap[at], &heap[worst]);
		at = worst;
	}
}

static void sift_up(const uint64_t *values, size_t *heap, size_t at)
{
	while (at && is_worse(values, heap[at], heap[(at - 1) / 2])) {
		swap(&heap[at], &heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
}

size_t cli_top(const uint64_t *values, const size_t *positions, size_t count, uint64_t lowest,
	       size_t *top, size_t wanted)
{
	size_t size = 0;

	for (size_t i = 0; i < count && wanted; i++) {
		size_t position = positions[i];

		if (values[position] < lowest)
			continue;
		if (size < wanted) {
			top[size] = position;
			sift_up(values, top, size++);
		} else if (is_worse(values, top[0], position)) {
			top[0] = position;
			sift_down(values, top, size, 0);
		}
	}
	for (size_t left = size; left > 1; left--) {
		swap(&top[0], &top[left - 1]);
		sift_down(values, top, left - 1, 0);
	}
	return size;
}

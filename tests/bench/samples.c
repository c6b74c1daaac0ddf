/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

/* Kept sorted: there are few. */
void samples_add(struct samples *samples, uint64_t ns)
{
	if (samples->count == MOST_SAMPLES)
		return;
	samples->ns[samples->count++] = ns;
	qsort(samples->ns, samples->count, sizeof(samples->ns[0]), compare);
}

uint64_t samples_median(const struct samples *samples)
{
	return samples->count ? samples->ns[samples->count / 2] : 0;
}

uint64_t samples_least(const struct samples *samples)
{
	return samples->count ? samples->ns[0] : 0;
}

uint64_t samples_most(const struct samples *samples)
{
	return samples->count ? samples->ns[samples->count - 1] : 0;
}

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

void samples_add(struct samples *samples, uint64_t ns)
{
	if (samples->count < MOST_SAMPLES)
		samples->ns[samples->count++] = ns;
}

static struct samples sorted(const struct samples *samples)
{
	struct samples copy = *samples;

	qsort(copy.ns, copy.count, sizeof(copy.ns[0]), compare);
	return copy;
}

uint64_t samples_median(const struct samples *samples)
{
	return samples->count ? sorted(samples).ns[samples->count / 2] : 0;
}

uint64_t samples_least(const struct samples *samples)
{
	return samples->count ? sorted(samples).ns[0] : 0;
}

uint64_t samples_most(const struct samples *samples)
{
	return samples->count ? sorted(samples).ns[samples->count - 1] : 0;
}

static int compare_ratios(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return a < b ? -1 : a > b;
}

double samples_ratio(const struct samples *ours, const struct samples *base)
{
	size_t count = ours->count < base->count ? ours->count : base->count;
	double ratios[MOST_SAMPLES] = {0};

	for (size_t i = 0; i < count; i++)
		ratios[i] = (double)ours->ns[i] / (double)base->ns[i];
	qsort(ratios, count, sizeof(ratios[0]), compare_ratios);
	return count ? ratios[count / 2] : 0;
}

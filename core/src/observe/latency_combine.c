/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Snapshots added up and taken from each other: both are merges of ordered rows. */
#include <string.h>

#include "base/error.h"
#include "observe/latency_snapshot.h"

static const char merging[] = "merge latencies", comparing[] = "compare latencies";

/* Two snapshots side by side, from row to row; where one lacks a row, its pointer is NULL. */
struct pair {
	const struct upm_latency_snapshot *a, *b;
	size_t next_a, next_b;
	const struct upm_latency_record *row_a, *row_b;
};

static const struct upm_latency_record *row_at(const struct upm_latency_snapshot *snapshot,
					       size_t index)
{
	return index < snapshot->rows.count ? &snapshot->rows.items[index] : NULL;
}

static bool next(struct pair *pair)
{
	const struct upm_latency_record *a = row_at(pair->a, pair->next_a);
	const struct upm_latency_record *b = row_at(pair->b, pair->next_b);
	int order = a && b ? upm_latency_owner_compare(&a->owner, &b->owner) : a ? -1 : 1;

	pair->row_a = order <= 0 ? a : NULL;
	pair->row_b = order >= 0 ? b : NULL;
	pair->next_a += pair->row_a != NULL;
	pair->next_b += pair->row_b != NULL;
	return pair->row_a || pair->row_b;
}

static int check(const char *operation, const struct pair *pair,
		 struct upm_latency_snapshot *const *out)
{
	if (pair->a && pair->b && out)
		return UPM_OK;
	return upm_fail(UPM_ERR_INVALID, 0, operation, NULL, NULL, "a snapshot, or out, is NULL");
}

/* With room for the rows of both. */
static struct upm_latency_snapshot *room_for(const struct pair *pair)
{
	return upm_latency_snapshot_new(pair->a->rows.count + pair->b->rows.count);
}

/* ---- merge */

static void add(struct upm_latency_record *sum, const struct upm_latency_record *row)
{
	if (row->calls && (!sum->calls || row->min_ns < sum->min_ns))
		sum->min_ns = row->min_ns;
	if (row->max_ns > sum->max_ns)
		sum->max_ns = row->max_ns;
	sum->entries += row->entries;
	sum->calls += row->calls;
	sum->unreturned += row->unreturned;
	sum->sum_ns += row->sum_ns;
	for (size_t i = 0; i < UPM_LATENCY_BUCKETS; i++)
		sum->buckets[i] += row->buckets[i];
}

int32_t upm_latency_snapshot_merge(const struct upm_latency_snapshot *one,
				   const struct upm_latency_snapshot *other,
				   struct upm_latency_snapshot **out)
{
	struct pair pair = {.a = one, .b = other};
	struct upm_latency_snapshot *made;
	int status = check(merging, &pair, out);

	if (status)
		return status;
	made = room_for(&pair);
	if (!made)
		return upm_fail_memory(merging);
	while (next(&pair)) {
		struct upm_latency_record *sum = &made->rows.items[made->rows.count++];

		*sum = *(pair.row_a ? pair.row_a : pair.row_b);
		if (pair.row_a && pair.row_b)
			add(sum, pair.row_b);
	}
	made->time_ns = one->time_ns > other->time_ns ? one->time_ns : other->time_ns;
	made->lost = one->lost + other->lost;
	*out = made;
	return UPM_OK;
}

/* ---- diff */

static bool came_before(const struct upm_latency_record *earlier,
			const struct upm_latency_record *later)
{
	if (earlier->entries > later->entries || earlier->sum_ns > later->sum_ns)
		return false;
	for (size_t i = 0; i < UPM_LATENCY_BUCKETS; i++)
		if (earlier->buckets[i] > later->buckets[i])
			return false;
	return true;
}

/* A minimum or maximum that is new since the earlier one is exact; of the others only the buckets
 * tell, and that the later one's bounds hold. */
static void bound(struct upm_latency_record *rest, const struct upm_latency_record *earlier)
{
	uint64_t low, high, unused;
	size_t first = 0, last = UPM_LATENCY_BUCKETS - 1;

	if (!rest->calls) {
		rest->min_ns = rest->max_ns = 0;
		return;
	}
	while (!rest->buckets[first])
		first++;
	while (!rest->buckets[last])
		last--;
	upm_latency_bucket(first, &low, &unused);
	upm_latency_bucket(last, &unused, &high);
	if (earlier->calls && rest->min_ns >= earlier->min_ns && low > rest->min_ns)
		rest->min_ns = low;
	if (earlier->calls && rest->max_ns <= earlier->max_ns && high - 1 < rest->max_ns)
		rest->max_ns = high - 1;
}

static void subtract(struct upm_latency_record *rest, const struct upm_latency_record *earlier)
{
	rest->entries -= earlier->entries;
	rest->calls -= earlier->calls;
	rest->unreturned = rest->entries > rest->calls ? rest->entries - rest->calls : 0;
	rest->sum_ns -= earlier->sum_ns;
	for (size_t i = 0; i < UPM_LATENCY_BUCKETS; i++)
		rest->buckets[i] -= earlier->buckets[i];
	bound(rest, earlier);
}

static int fail_order(struct upm_latency_snapshot *made)
{
	upm_latency_snapshot_free(made);
	return upm_fail(UPM_ERR_INVALID, 0, comparing, NULL,
			"give the later of two snapshots of one observer first",
			"the second one is not an earlier state of the first");
}

int32_t upm_latency_snapshot_diff(const struct upm_latency_snapshot *later,
				  const struct upm_latency_snapshot *earlier,
				  struct upm_latency_snapshot **out)
{
	struct pair pair = {.a = later, .b = earlier};
	struct upm_latency_snapshot *made;
	int status = check(comparing, &pair, out);

	if (status)
		return status;
	made = room_for(&pair);
	if (!made)
		return upm_fail_memory(comparing);
	if (later->time_ns < earlier->time_ns || later->lost < earlier->lost)
		return fail_order(made);
	while (next(&pair)) {
		struct upm_latency_record *rest = &made->rows.items[made->rows.count];

		if (!pair.row_a || (pair.row_b && !came_before(pair.row_b, pair.row_a)))
			return fail_order(made);
		*rest = *pair.row_a;
		if (pair.row_b)
			subtract(rest, pair.row_b);
		made->rows.count += rest->entries || rest->calls;
	}
	made->time_ns = later->time_ns;
	made->lost = later->lost - earlier->lost;
	*out = made;
	return UPM_OK;
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "observe/latency_snapshot.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/options.h"

_Static_assert(UPM_LATENCY_BUCKETS == UPM_LATENCY_BUCKET_COUNT, "one number of buckets");

int upm_latency_owner_compare(const struct upm_latency_owner *a, const struct upm_latency_owner *b)
{
	if (a->probe != b->probe)
		return a->probe < b->probe ? -1 : 1;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->tid > b->tid) - (a->tid < b->tid);
}

struct upm_latency_snapshot *upm_latency_snapshot_new(size_t rows)
{
	struct upm_latency_snapshot *snapshot = calloc(1, sizeof(*snapshot));

	if (!snapshot)
		return NULL;
	if (!rows || upm_vector_reserve(&snapshot->rows, rows))
		return snapshot;
	free(snapshot);
	return NULL;
}

void upm_latency_snapshot_free(struct upm_latency_snapshot *snapshot)
{
	if (!snapshot)
		return;
	upm_vector_clear(&snapshot->rows);
	free(snapshot);
}

size_t upm_latency_snapshot_size(const struct upm_latency_snapshot *snapshot)
{
	return snapshot ? snapshot->rows.count : 0;
}

uint64_t upm_latency_snapshot_time_ns(const struct upm_latency_snapshot *snapshot)
{
	return snapshot ? snapshot->time_ns : 0;
}

uint64_t upm_latency_snapshot_lost(const struct upm_latency_snapshot *snapshot)
{
	return snapshot ? snapshot->lost : 0;
}

static const struct upm_latency_record *record_at(const struct upm_latency_snapshot *snapshot,
						  size_t index)
{
	return index < upm_latency_snapshot_size(snapshot) ? &snapshot->rows.items[index] : NULL;
}

int32_t upm_latency_snapshot_get(const struct upm_latency_snapshot *snapshot, size_t index,
				 struct upm_latency_row *row)
{
	const struct upm_latency_record *record = record_at(snapshot, index);
	struct upm_latency_row found = {.size = sizeof(found)};

	if (!record)
		return upm_fail(UPM_ERR_INVALID, 0, "describe a row of a latency", NULL, NULL,
				"number %zu is out of range: there are %zu", index,
				upm_latency_snapshot_size(snapshot));
	found.probe = record->owner.probe;
	found.entries = record->entries;
	found.calls = record->calls;
	found.unreturned = record->unreturned;
	found.sum_ns = record->sum_ns;
	found.min_ns = record->min_ns;
	found.max_ns = record->max_ns;
	found.pid = (int32_t)record->owner.pid;
	found.tid = (int32_t)record->owner.tid;
	return upm_options_write(row, &found, sizeof(found), "struct upm_latency_row");
}

const uint64_t *upm_latency_snapshot_buckets(const struct upm_latency_snapshot *snapshot,
					     size_t index)
{
	const struct upm_latency_record *record = record_at(snapshot, index);

	return record ? record->buckets : NULL;
}

static uint64_t bucket_low(size_t bucket)
{
	size_t above = bucket - UPM_LATENCY_EXACT;

	if (bucket < UPM_LATENCY_EXACT)
		return bucket;
	return (UPM_LATENCY_SHARES + (uint64_t)(above % UPM_LATENCY_SHARES))
	       << (above / UPM_LATENCY_SHARES + UPM_LATENCY_EXACT_LOG - UPM_LATENCY_SHARES_LOG);
}

int32_t upm_latency_bucket(size_t bucket, uint64_t *low_ns, uint64_t *high_ns)
{
	if (bucket >= UPM_LATENCY_BUCKETS || !low_ns || !high_ns)
		return upm_fail(UPM_ERR_INVALID, 0, "describe a bucket", NULL, NULL,
				"number %zu of %d, or NULL for a bound", bucket,
				UPM_LATENCY_BUCKETS);
	*low_ns = bucket_low(bucket);
	*high_ns = bucket + 1 < UPM_LATENCY_BUCKETS ? bucket_low(bucket + 1) : UINT64_MAX;
	return UPM_OK;
}

/* ---- percentiles */

/* The least number of calls that makes up the share. What a product like 0.07 * 100 is above its
 * true value by rounding is not one call more. */
static uint64_t rank_of(uint64_t calls, double share)
{
	double exact = share * (double)calls;
	uint64_t rank;

	if (!(share > 0))
		return 1;
	if (share >= 1)
		return calls;
	rank = (uint64_t)exact;
	if (exact - (double)rank > exact * 1e-12)
		rank++;
	return rank ? rank : 1;
}

static uint64_t clip(const struct upm_latency_record *record, uint64_t ns)
{
	if (ns < record->min_ns)
		return record->min_ns;
	return ns > record->max_ns ? record->max_ns : ns;
}

uint64_t upm_latency_snapshot_percentile(const struct upm_latency_snapshot *snapshot, size_t index,
					 double share)
{
	const struct upm_latency_record *record = record_at(snapshot, index);
	uint64_t rank, seen = 0;
	size_t bucket = 0;

	if (!record || !record->calls)
		return 0;
	rank = rank_of(record->calls, share);
	while (bucket + 1 < UPM_LATENCY_BUCKETS && (seen += record->buckets[bucket]) < rank)
		bucket++;
	return clip(record, (bucket_low(bucket) + bucket_low(bucket + 1)) / 2);
}

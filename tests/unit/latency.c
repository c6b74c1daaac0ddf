/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Histograms of latencies: buckets, percentiles, sums and differences of snapshots. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "observe/latency_snapshot.h"

/* ---- buckets */

static void bounds_of(uint64_t ns, uint64_t *low, uint64_t *high)
{
	uint32_t bucket = upm_latency_bucket_of(ns);

	assert_true(bucket < UPM_LATENCY_BUCKETS);
	assert_upm_ok(upm_latency_bucket(bucket, low, high));
	assert_true(*low <= ns && ns < *high);
}

static void buckets_follow_each_other(void **state)
{
	uint64_t low, high, end = 0;

	(void)state;
	for (size_t i = 0; i < UPM_LATENCY_BUCKETS; i++) {
		assert_upm_ok(upm_latency_bucket(i, &low, &high));
		assert_int_equal(low, end);
		assert_true(high > low);
		assert_int_equal(upm_latency_bucket_of(low), i);
		assert_int_equal(upm_latency_bucket_of(high - 1), i);
		end = high;
	}
	assert_true(end == UINT64_MAX);
	assert_true(low < 1ULL << 42 && low > 3600ULL * 1000000000);
	assert_int_equal(upm_latency_bucket_of(UINT64_MAX), UPM_LATENCY_BUCKETS - 1);
	assert_upm(upm_latency_bucket(UPM_LATENCY_BUCKETS, &low, &high), UPM_ERR_INVALID);
	assert_upm(upm_latency_bucket(0, NULL, &high), UPM_ERR_INVALID);
	assert_upm(upm_latency_bucket(0, &low, NULL), UPM_ERR_INVALID);
}

static void logarithm(void **state)
{
	(void)state;
	assert_int_equal(upm_log2(1), 0);
	for (uint32_t log = 1; log < 64; log++) {
		assert_int_equal(upm_log2(1ULL << log), log);
		assert_int_equal(upm_log2((1ULL << log) - 1), log - 1);
		assert_int_equal(upm_log2((1ULL << log) | 1), log);
	}
}

/* The middle of the bucket that holds a time is what a percentile says of it. */
static void check_error(uint64_t ns)
{
	uint64_t low, high, middle;

	bounds_of(ns, &low, &high);
	middle = (low + high) / 2;
	assert_true(middle >= ns ? (middle - ns) * 16 <= ns : (ns - middle) * 16 <= ns);
}

static void error_is_a_sixteenth(void **state)
{
	const uint64_t hour = 3600ULL * 1000000000;
	uint64_t low, high, random = 1;

	(void)state;
	for (uint64_t ns = 1; ns < 1 << 20; ns++)
		check_error(ns);
	for (size_t i = 0; i + 1 < UPM_LATENCY_BUCKETS; i++) {
		assert_upm_ok(upm_latency_bucket(i, &low, &high));
		for (uint64_t ns = low > 4 ? low - 4 : 1; ns <= low + 4; ns++)
			check_error(ns);
		check_error(high - 1);
	}
	for (int i = 0; i < 1000000; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		check_error(1 + (random >> 20) % hour);
	}
	for (uint64_t ns = hour; ns < 1ULL << 43; ns += 999999937)
		bounds_of(ns, &low, &high);
}

/* ---- snapshots made by hand */

struct call {
	uint32_t probe, pid;
	uint64_t ns; /* UNRETURNED = has not returned */
};

#define UNRETURNED UINT64_MAX

static void add_call(struct upm_latency_record *row, uint64_t ns)
{
	row->entries++;
	if (ns == UNRETURNED) {
		row->unreturned++;
		return;
	}
	if (!row->calls || ns < row->min_ns)
		row->min_ns = ns;
	if (ns > row->max_ns)
		row->max_ns = ns;
	row->calls++;
	row->sum_ns += ns;
	row->buckets[upm_latency_bucket_of(ns)]++;
}

/* Of calls that are ordered by probe and pid. */
static struct upm_latency_snapshot *snapshot_of(const struct call *calls, size_t count,
						uint64_t time_ns, uint64_t lost)
{
	struct upm_latency_snapshot *snapshot = upm_latency_snapshot_new(count);
	struct upm_latency_record *row = NULL;

	assert_non_null(snapshot);
	for (size_t i = 0; i < count; i++) {
		if (!row || row->owner.probe != calls[i].probe || row->owner.pid != calls[i].pid) {
			row = &snapshot->rows.items[snapshot->rows.count++];
			memset(row, 0, sizeof(*row));
			row->owner.probe = calls[i].probe;
			row->owner.pid = calls[i].pid;
		}
		add_call(row, calls[i].ns);
	}
	snapshot->time_ns = time_ns;
	snapshot->lost = lost;
	return snapshot;
}

#define SNAPSHOT(calls, time_ns, lost)                                                             \
	snapshot_of(calls, sizeof(calls) / sizeof((calls)[0]), time_ns, lost)

static struct upm_latency_row row_at(const struct upm_latency_snapshot *snapshot, size_t index)
{
	struct upm_latency_row row = {.size = sizeof(row)};

	assert_upm_ok(upm_latency_snapshot_get(snapshot, index, &row));
	return row;
}

static void assert_rows_equal(const struct upm_latency_snapshot *found,
			      const struct upm_latency_snapshot *wanted)
{
	assert_int_equal(upm_latency_snapshot_size(found), upm_latency_snapshot_size(wanted));
	for (size_t i = 0; i < upm_latency_snapshot_size(wanted); i++) {
		struct upm_latency_row a = row_at(found, i), b = row_at(wanted, i);

		assert_memory_equal(&a, &b, sizeof(a));
		assert_memory_equal(upm_latency_snapshot_buckets(found, i),
				    upm_latency_snapshot_buckets(wanted, i),
				    UPM_LATENCY_BUCKETS * sizeof(uint64_t));
	}
	assert_int_equal(upm_latency_snapshot_lost(found), upm_latency_snapshot_lost(wanted));
	assert_int_equal(upm_latency_snapshot_time_ns(found), upm_latency_snapshot_time_ns(wanted));
}

static void rows(void **state)
{
	const struct call calls[] = {{3, 0, 10}, {3, 0, UNRETURNED}, {7, 9, 1000}};
	struct upm_latency_snapshot *snapshot = SNAPSHOT(calls, 5, 2);
	struct upm_latency_row row = row_at(snapshot, 0);

	(void)state;
	assert_int_equal(upm_latency_snapshot_size(snapshot), 2);
	assert_int_equal(row.probe, 3);
	assert_int_equal(row.entries, 2);
	assert_int_equal(row.calls, 1);
	assert_int_equal(row.unreturned, 1);
	assert_int_equal(row_at(snapshot, 1).pid, 9);
	assert_int_equal(upm_latency_snapshot_buckets(snapshot, 0)[10], 1);
	assert_null(upm_latency_snapshot_buckets(snapshot, 2));
	assert_upm(upm_latency_snapshot_get(snapshot, 2, &row), UPM_ERR_INVALID);
	assert_upm(upm_latency_snapshot_get(snapshot, 0, NULL), UPM_ERR_INVALID);
	assert_int_equal(upm_latency_snapshot_percentile(snapshot, 2, 0.5), 0);
	upm_latency_snapshot_free(snapshot);
	upm_latency_snapshot_free(NULL);
	assert_int_equal(upm_latency_snapshot_size(NULL), 0);
	assert_null(upm_latency_snapshot_buckets(NULL, 0));
}

/* ---- percentiles */

static void percentiles_of_small_times(void **state)
{
	const struct call calls[] = {{0, 0, 1}, {0, 0, 2}, {0, 0, 3}, {0, 0, 4}};
	struct upm_latency_snapshot *snapshot = SNAPSHOT(calls, 0, 0);

	(void)state;
	assert_int_equal(upm_latency_snapshot_percentile(snapshot, 0, 0), 1);
	assert_int_equal(upm_latency_snapshot_percentile(snapshot, 0, 0.25), 1);
	assert_int_equal(upm_latency_snapshot_percentile(snapshot, 0, 0.26), 2);
	assert_int_equal(upm_latency_snapshot_percentile(snapshot, 0, 0.5), 2);
	assert_int_equal(upm_latency_snapshot_percentile(snapshot, 0, 0.75), 3);
	assert_int_equal(upm_latency_snapshot_percentile(snapshot, 0, 0.99), 4);
	assert_int_equal(upm_latency_snapshot_percentile(snapshot, 0, 1), 4);
	assert_int_equal(upm_latency_snapshot_percentile(snapshot, 0, 7), 4);
	assert_int_equal(upm_latency_snapshot_percentile(snapshot, 0, -1), 1);
	assert_int_equal(upm_latency_snapshot_percentile(snapshot, 0, 0.0 / 0.0), 1);
	upm_latency_snapshot_free(snapshot);
}

/* 0.07 * 100 is 7.000000000000001 in floating point, and still the seventh of a hundred. */
static void ranks_are_not_rounded_up(void **state)
{
	struct upm_latency_snapshot *snapshot = upm_latency_snapshot_new(1);
	struct upm_latency_record *row = snapshot->rows.items;

	(void)state;
	memset(row, 0, sizeof(*row));
	snapshot->rows.count = 1;
	for (int i = 0; i < 100; i++)
		add_call(row, i < 7 ? 3 : 5);
	assert_int_equal(upm_latency_snapshot_percentile(snapshot, 0, 0.07), 3);
	assert_int_equal(upm_latency_snapshot_percentile(snapshot, 0, 0.0701), 5);
	upm_latency_snapshot_free(snapshot);
}

static int by_value(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/* Against the times themselves, sorted, spread over all magnitudes. */
static void percentiles_of_many_times(void **state)
{
	enum { COUNT = 5000 };
	struct upm_latency_snapshot *snapshot = upm_latency_snapshot_new(1);
	struct upm_latency_record *row = snapshot->rows.items;
	uint64_t times[COUNT], random = 7;

	(void)state;
	memset(row, 0, sizeof(*row));
	snapshot->rows.count = 1;
	for (int i = 0; i < COUNT; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		times[i] = 1 + (random >> 22 >> (random >> 58) % 41);
		if (times[i] > 3600ULL * 1000000000)
			times[i] /= 2;
		add_call(row, times[i]);
	}
	qsort(times, COUNT, sizeof(times[0]), by_value);
	for (int rank = 1; rank <= COUNT; rank++) {
		uint64_t found = upm_latency_snapshot_percentile(snapshot, 0, (double)rank / COUNT);
		uint64_t truth = times[rank - 1];
		uint64_t error = found > truth ? found - truth : truth - found;

		assert_true(error * 16 <= truth);
	}
	upm_latency_snapshot_free(snapshot);
}

static void percentiles_stay_within_the_extremes(void **state)
{
	const struct call one[] = {{0, 0, 1000}}, long_one[] = {{0, 0, 1ULL << 50}};
	struct upm_latency_snapshot *snapshot = SNAPSHOT(one, 0, 0);

	(void)state;
	assert_int_equal(upm_latency_snapshot_percentile(snapshot, 0, 0.5), 1000);
	upm_latency_snapshot_free(snapshot);
	snapshot = SNAPSHOT(long_one, 0, 0);
	assert_int_equal(upm_latency_snapshot_percentile(snapshot, 0, 0.5), 1ULL << 50);
	upm_latency_snapshot_free(snapshot);
}

/* ---- merge and diff */

static const struct call earlier_calls[] = {
	{0, 1, 10},
	{0, 1, 500},
	{0, 2, UNRETURNED},
	{4, 0, 90},
};
static const struct call later_calls[] = {
	{0, 1, 10},	    {0, 1, 500},  {0, 1, 400}, {0, 2, 70},
	{0, 2, UNRETURNED}, {0, 2, 7000}, {1, 0, 30},  {4, 0, 90},
};

static void merge(void **state)
{
	const struct call together[] = {
		{0, 1, 10},   {0, 1, 10}, {0, 1, 500},	      {0, 1, 500},
		{0, 1, 400},  {0, 2, 70}, {0, 2, UNRETURNED}, {0, 2, UNRETURNED},
		{0, 2, 7000}, {1, 0, 30}, {4, 0, 90},	      {4, 0, 90},
	};
	struct upm_latency_snapshot *earlier = SNAPSHOT(earlier_calls, 100, 1);
	struct upm_latency_snapshot *later = SNAPSHOT(later_calls, 300, 4);
	struct upm_latency_snapshot *wanted = SNAPSHOT(together, 300, 5), *found;

	(void)state;
	assert_upm_ok(upm_latency_snapshot_merge(earlier, later, &found));
	assert_rows_equal(found, wanted);
	upm_latency_snapshot_free(found);
	assert_upm_ok(upm_latency_snapshot_merge(later, earlier, &found));
	assert_rows_equal(found, wanted);
	upm_latency_snapshot_free(found);
	assert_upm(upm_latency_snapshot_merge(later, NULL, &found), UPM_ERR_INVALID);
	assert_upm(upm_latency_snapshot_merge(NULL, later, &found), UPM_ERR_INVALID);
	assert_upm(upm_latency_snapshot_merge(later, earlier, NULL), UPM_ERR_INVALID);
	upm_latency_snapshot_free(wanted);
	upm_latency_snapshot_free(later);
	upm_latency_snapshot_free(earlier);
}

static void diff(void **state)
{
	struct upm_latency_snapshot *earlier = SNAPSHOT(earlier_calls, 100, 1);
	struct upm_latency_snapshot *later = SNAPSHOT(later_calls, 300, 4), *found;
	struct upm_latency_row row;

	(void)state;
	assert_upm_ok(upm_latency_snapshot_diff(later, earlier, &found));
	assert_int_equal(upm_latency_snapshot_size(found), 3);
	assert_int_equal(upm_latency_snapshot_time_ns(found), 300);
	assert_int_equal(upm_latency_snapshot_lost(found), 3);
	row = row_at(found, 0); /* 400, whose extremes only the bucket from 384 to 416 tells */
	assert_int_equal(row.entries, 1);
	assert_int_equal(row.calls, 1);
	assert_int_equal(row.sum_ns, 400);
	assert_int_equal(row.min_ns, 384);
	assert_int_equal(row.max_ns, 415);
	row = row_at(found, 1); /* 70 and 7000, exact: there was no call before */
	assert_int_equal(row.pid, 2);
	assert_int_equal(row.entries, 2);
	assert_int_equal(row.calls, 2);
	assert_int_equal(row.unreturned, 0);
	assert_int_equal(row.min_ns, 70);
	assert_int_equal(row.max_ns, 7000);
	assert_int_equal(row_at(found, 2).probe, 1);
	upm_latency_snapshot_free(found);
	assert_upm(upm_latency_snapshot_diff(earlier, later, &found), UPM_ERR_INVALID);
	assert_upm_ok(upm_latency_snapshot_diff(later, later, &found));
	assert_int_equal(upm_latency_snapshot_size(found), 0);
	upm_latency_snapshot_free(found);
	upm_latency_snapshot_free(later);
	upm_latency_snapshot_free(earlier);
}

/* Calls that began before and returned in between: more return than begin. */
static void diff_of_long_calls(void **state)
{
	const struct call before[] = {{0, 0, UNRETURNED}, {0, 0, UNRETURNED}, {0, 0, 50}};
	const struct call after[] = {{0, 0, 9000}, {0, 0, 8000}, {0, 0, 50}};
	struct upm_latency_snapshot *earlier = SNAPSHOT(before, 1, 0);
	struct upm_latency_snapshot *later = SNAPSHOT(after, 2, 0), *found;
	struct upm_latency_row row;

	(void)state;
	assert_upm_ok(upm_latency_snapshot_diff(later, earlier, &found));
	row = row_at(found, 0);
	assert_int_equal(row.entries, 0);
	assert_int_equal(row.calls, 2);
	assert_int_equal(row.unreturned, 0);
	assert_int_equal(row.max_ns, 9000); /* new, so exact */
	assert_int_equal(row.min_ns, 7680);
	upm_latency_snapshot_free(found);
	upm_latency_snapshot_free(later);
	upm_latency_snapshot_free(earlier);
}

/* A row that has gone, a time that went back, a bucket that shrank: not one observer's. */
static void diff_of_strangers(void **state)
{
	const struct call one[] = {{0, 0, 10}, {0, 0, 20}}, other[] = {{1, 0, 10}};
	const struct call more[] = {{0, 0, 20}, {0, 0, 30}, {0, 0, 40}};
	struct upm_latency_snapshot *a = SNAPSHOT(one, 1, 0), *b = SNAPSHOT(other, 2, 0);
	struct upm_latency_snapshot *c = SNAPSHOT(more, 2, 0), *d = SNAPSHOT(one, 0, 0), *found;

	(void)state;
	assert_upm(upm_latency_snapshot_diff(b, a, &found), UPM_ERR_INVALID);
	assert_upm(upm_latency_snapshot_diff(c, a, &found), UPM_ERR_INVALID);
	assert_upm(upm_latency_snapshot_diff(d, a, &found), UPM_ERR_INVALID);
	assert_upm(upm_latency_snapshot_diff(a, NULL, &found), UPM_ERR_INVALID);
	upm_latency_snapshot_free(a);
	upm_latency_snapshot_free(b);
	upm_latency_snapshot_free(c);
	upm_latency_snapshot_free(d);
}

/* What came after and what was before make up the whole. */
static void diff_and_merge_are_opposites(void **state)
{
	struct upm_latency_snapshot *earlier = SNAPSHOT(earlier_calls, 100, 1);
	struct upm_latency_snapshot *later = SNAPSHOT(later_calls, 300, 4), *rest, *sum;

	(void)state;
	assert_upm_ok(upm_latency_snapshot_diff(later, earlier, &rest));
	assert_upm_ok(upm_latency_snapshot_merge(earlier, rest, &sum));
	assert_rows_equal(sum, later);
	upm_latency_snapshot_free(sum);
	upm_latency_snapshot_free(rest);
	upm_latency_snapshot_free(later);
	upm_latency_snapshot_free(earlier);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_follow_each_other),
		cmocka_unit_test(logarithm),
		cmocka_unit_test(error_is_a_sixteenth),
		cmocka_unit_test(rows),
		cmocka_unit_test(percentiles_of_small_times),
		cmocka_unit_test(ranks_are_not_rounded_up),
		cmocka_unit_test(percentiles_of_many_times),
		cmocka_unit_test(percentiles_stay_within_the_extremes),
		cmocka_unit_test(merge),
		cmocka_unit_test(diff),
		cmocka_unit_test(diff_of_long_calls),
		cmocka_unit_test(diff_of_strangers),
		cmocka_unit_test(diff_and_merge_are_opposites),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

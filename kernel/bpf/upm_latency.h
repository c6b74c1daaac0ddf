/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the measuring programs and user space agree on: rows of times, and which bucket of a
 * histogram counts a time.
 *
 * The buckets are one nanosecond wide up to 15. From there on eight share every power of
 * two, so that the middle of a bucket is at most 1/16 off what it stands for. The last one takes
 * all that is longer, from some 72 minutes on.
 */
#ifndef UPM_BPF_LATENCY_H
#define UPM_BPF_LATENCY_H

#include <linux/types.h>

#include "upm_observe.h"

#define UPM_LATENCY_EXACT 16 /* buckets of one nanosecond */
#define UPM_LATENCY_EXACT_LOG 4
#define UPM_LATENCY_SHARES 8 /* buckets of a power of two */
#define UPM_LATENCY_SHARES_LOG 3
#define UPM_LATENCY_END_LOG 42 /* times from 2^42 ns on are all in the last bucket */
#define UPM_LATENCY_BUCKET_COUNT                                                                   \
	(UPM_LATENCY_EXACT + (UPM_LATENCY_END_LOG - UPM_LATENCY_EXACT_LOG) * UPM_LATENCY_SHARES)

_Static_assert(UPM_LATENCY_EXACT == 1 << UPM_LATENCY_EXACT_LOG, "the powers of two follow");
_Static_assert(UPM_LATENCY_SHARES == 1 << UPM_LATENCY_SHARES_LOG, "cut off by shifts");
_Static_assert(UPM_LATENCY_BUCKET_COUNT == 320, "the public header says so");

/* The calls of one row. All start as 0, which is why the minimum is kept as its complement. */
struct upm_latency_cell {
	__u64 entries;
	__u64 sum_ns;
	__u64 max_ns;
	__u64 min_complement; /* ~minimum */
	__u64 buckets[UPM_LATENCY_BUCKET_COUNT];
};

_Static_assert(sizeof(struct upm_latency_cell) == (4 + UPM_LATENCY_BUCKET_COUNT) * 8,
	       "elements of the array follow each other without gaps");

/* Whose calls a row has; pid and tid are 0 unless they are told apart. */
struct upm_latency_owner {
	__u32 probe;
	__u32 pid;
	__u32 tid;
	__u32 reserved;
};

/* The .rodata of the programs. Row number slot is the sum of the cells slot, slots + slot, … */
struct upm_latency_config {
	struct upm_filter_config filter;
	struct upm_filter_config identity; /* whose numbers pid and tid are; selects nothing */
	struct upm_counters_shape lost;	   /* calls without a row, by probe */
	__u32 slots;
	__u32 copies; /* of all rows: each CPU, or some together, have their own */
	__u32 direct; /* row = probe; else rows are handed out, see latency.bpf.h */
	__u16 by_process, by_thread;
};

/* Largest power of two in it, as exponent; without the instruction, which BPF long lacked. */
static inline __attribute__((always_inline)) __u32 upm_log2(__u64 value)
{
	__u32 log = 0;

#define UPM_LOG2_STEP(bits)                                                                        \
	if (value >> (bits)) {                                                                     \
		value >>= (bits);                                                                  \
		log += (bits);                                                                     \
	}
	UPM_LOG2_STEP(32)
	UPM_LOG2_STEP(16)
	UPM_LOG2_STEP(8)
	UPM_LOG2_STEP(4)
	UPM_LOG2_STEP(2)
	UPM_LOG2_STEP(1)
#undef UPM_LOG2_STEP
	return log;
}

static inline __attribute__((always_inline)) __u32 upm_latency_bucket_of(__u64 ns)
{
	__u32 log;

	if (ns < UPM_LATENCY_EXACT)
		return (__u32)ns;
	if (ns >> UPM_LATENCY_END_LOG)
		return UPM_LATENCY_BUCKET_COUNT - 1;
	log = upm_log2(ns);
	return UPM_LATENCY_EXACT + (log - UPM_LATENCY_EXACT_LOG) * UPM_LATENCY_SHARES +
	       (__u32)(ns >> (log - UPM_LATENCY_SHARES_LOG)) % UPM_LATENCY_SHARES;
}

#endif

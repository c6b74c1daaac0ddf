// SPDX-License-Identifier: GPL-2.0-only
/*
 * Count hits of probes. The probe's cookie is its number; nothing is looked up but the
 * element of an array, which the JIT turns into an addition.
 *
 * The addition is atomic although the row belongs to the CPU: uprobe programs can be
 * preempted, so two of them can be in the middle of one counter of one row.
 */
#include "observe.bpf.h"

const volatile struct upm_count_config config = {};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* rows * stride, set before the load */
	__type(key, __u32);
	__type(value, __u64);
} upm_counters SEC(".maps");

static __always_inline int count(void *context)
{
	__u32 element = upm_counter_of(&config.counters, (__u32)bpf_get_attach_cookie(context));
	__u64 *hits;

	if (!upm_in_scope(&config.filter))
		return 0;
	hits = bpf_map_lookup_elem(&upm_counters, &element);
	if (hits)
		__sync_fetch_and_add(hits, 1);
	return 0;
}

SEC("uprobe.multi")
int count_multi(void *context)
{
	return count(context);
}

SEC("uprobe")
int count_plain(void *context)
{
	return count(context);
}

char _license[] SEC("license") = "GPL";

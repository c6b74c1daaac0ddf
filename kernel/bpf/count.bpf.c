// SPDX-License-Identifier: GPL-2.0-only
/*
 * Count hits of probes. The probe's cookie is its number; nothing is looked up but the
 * element of an array, which the JIT turns into an addition.
 *
 * The addition is atomic although the row belongs to the CPU: uprobe programs can be
 * preempted, so two of them can be in the middle of one counter of one row.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "upm_count.h"

const volatile struct upm_count_config config = {};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* rows * stride, set before the load */
	__type(key, __u32);
	__type(value, __u64);
} upm_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* UPM_SCOPE_MAX where there is a filter */
	__type(key, __u32);
	__type(value, __u8);
} upm_scope SEC(".maps");

static __always_inline __u32 current_process(void)
{
	struct bpf_pidns_info info = {};

	if (!config.namespaced)
		return bpf_get_current_pid_tgid() >> 32;
	if (bpf_get_ns_current_pid_tgid(config.namespace_device, config.namespace_inode, &info,
					sizeof(info)))
		return 0;
	return info.tgid;
}

static __always_inline int in_scope(void)
{
	__u32 process;

	if (!config.filter)
		return 1;
	process = current_process();
	return bpf_map_lookup_elem(&upm_scope, &process) != 0;
}

static __always_inline int count(void *context)
{
	__u32 row = bpf_get_smp_processor_id() % config.rows;
	__u32 element = row * config.stride + (__u32)bpf_get_attach_cookie(context);
	__u64 *hits;

	if (!in_scope())
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

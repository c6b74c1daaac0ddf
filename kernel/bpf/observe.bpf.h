/* SPDX-License-Identifier: GPL-2.0-only */
/* What all observing programs share: whose hits they take, and rows of counters. */
#ifndef UPM_BPF_OBSERVE_BPF_H
#define UPM_BPF_OBSERVE_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "upm_observe.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* UPM_SCOPE_MAX where there is a filter */
	__type(key, __u32);
	__type(value, __u8);
} upm_scope SEC(".maps");

/* Process (upper half) and thread, as whoever observes numbers them; 0 = it can not see them. */
static __always_inline __u64 upm_current(const volatile struct upm_filter_config *filter)
{
	struct bpf_pidns_info info = {};

	if (!filter->namespaced)
		return bpf_get_current_pid_tgid();
	if (bpf_get_ns_current_pid_tgid(filter->namespace_device, filter->namespace_inode, &info,
					sizeof(info)))
		return 0;
	return (__u64)info.tgid << 32 | info.pid;
}

static __always_inline int upm_in_scope(const volatile struct upm_filter_config *filter)
{
	__u32 process;

	if (!filter->selects)
		return 1;
	process = upm_current(filter) >> 32;
	return bpf_map_lookup_elem(&upm_scope, &process) != 0;
}

/* Which element of an array of counters belongs to this probe, on this CPU. */
static __always_inline __u32 upm_counter_of(const volatile struct upm_counters_shape *shape,
					    __u32 probe)
{
	return bpf_get_smp_processor_id() % shape->rows * shape->stride + probe;
}

#endif

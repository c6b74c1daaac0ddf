// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two programs: one whose section names its probe, one that takes what it is given. The sum of
 * their runs is kept in a map.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} runs SEC(".maps");

static int count(void)
{
	__u32 key = 0;
	__u64 *sum = bpf_map_lookup_elem(&runs, &key);

	if (sum)
		__sync_fetch_and_add(sum, 1);
	return 0;
}

SEC("uprobe.multi/libc.so.6:getppid")
int named(void *context)
{
	(void)context;
	return count();
}

SEC("uretprobe.multi")
int given(void *context)
{
	(void)context;
	return count();
}

char _license[] SEC("license") = "GPL";

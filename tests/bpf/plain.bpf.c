// SPDX-License-Identifier: GPL-2.0-only
/* A plain uprobe program, for loaders that know no multi sections. hits[0] counts. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} hits SEC(".maps");

SEC("uprobe") int plain(void *context)
{
	__u32 first = 0;
	__u64 *count = bpf_map_lookup_elem(&hits, &first);

	(void)context;
	if (count)
		__sync_fetch_and_add(count, 1);
	return 0;
}

char _license[] SEC("license") = "GPL";

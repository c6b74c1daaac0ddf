// SPDX-License-Identifier: GPL-2.0-only
/* One program for each kind of section; hits[n] counts those of program n. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u64);
} hits SEC(".maps");

static __always_inline int hit(__u32 program)
{
	__u64 *count = bpf_map_lookup_elem(&hits, &program);

	if (count)
		__sync_fetch_and_add(count, 1);
	return 0;
}

#define PROGRAM(section, name, number)                                                             \
	SEC(section) int name(void *context)                                                       \
	{                                                                                          \
		(void)context;                                                                     \
		return hit(number);                                                                \
	}

PROGRAM("uprobe.multi", entry, 0)
PROGRAM("uretprobe.multi", exit_of, 1)
PROGRAM("uprobe.session", both, 2)
PROGRAM("uprobe.multi.s", sleepable, 3)
PROGRAM("uprobe", plain, 4)
PROGRAM("uprobe.multi//no/such/file:main", placed, 5)

char _license[] SEC("license") = "GPL";

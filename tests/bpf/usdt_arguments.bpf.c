// SPDX-License-Identifier: GPL-2.0-only
/* Reads arguments with the engine's own reader; the cookie is the probe's number. */
#include "usdt_arguments.bpf.h"
#include "usdt_results.h"

/* The list of each probe. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, USDT_PROBES);
	__type(key, __u32);
	__type(value, __u32);
} lists SEC(".maps");

SEC("uprobe.multi")
int read_arguments(void *context)
{
	__u32 probe = bpf_get_attach_cookie(context);
	struct usdt_result *result = bpf_map_lookup_elem(&results, &probe);
	__u32 *list = bpf_map_lookup_elem(&lists, &probe);

	if (!result || !list)
		return 0;
	__sync_fetch_and_add(&result->hits, 1);
	result->count = upm_usdt_argument_count(*list);
	for (__u32 i = 0; i < USDT_ARGUMENTS; i++)
		result->failures[i] = upm_usdt_argument(context, *list, i, &result->values[i]);
	return 0;
}

char _license[] SEC("license") = "GPL";

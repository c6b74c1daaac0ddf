/* SPDX-License-Identifier: GPL-2.0-only */
/* The programs of all objects that use the functions of <bpf/usdt.bpf.h>, whoever defines them. */
#include "usdt_results.h"

static __always_inline int read_all(struct pt_regs *context)
{
	__u32 probe = bpf_usdt_cookie(context);
	struct usdt_result *result = bpf_map_lookup_elem(&results, &probe);

	if (!result)
		return 0;
	__sync_fetch_and_add(&result->hits, 1);
	result->count = bpf_usdt_arg_cnt(context);
	for (int i = 0; i < USDT_ARGUMENTS; i++) {
		long value;

		result->failures[i] = bpf_usdt_arg(context, i, &value);
		result->values[i] = value;
	}
	return 0;
}

SEC("usdt")
int read_usdt(struct pt_regs *context)
{
	return read_all(context);
}

SEC("uprobe")
int read_plain(struct pt_regs *context)
{
	return read_all(context);
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: GPL-2.0-only
/* Reads what the arguments of real programs point to; hits are kept in their order. */
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <stdbool.h>
#include <bpf/usdt.bpf.h>

#include "usdt_text.h"

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1024);
	__uint(value_size, sizeof(struct usdt_text));
} texts SEC(".maps");

SEC("usdt")
int read_texts(struct pt_regs *context)
{
	struct usdt_text text = {.probe = bpf_usdt_cookie(context)};

	for (int i = 0; i < USDT_TEXT_NUMBERS; i++) {
		long value = 0;

		text.failures[i] = bpf_usdt_arg(context, i, &value);
		text.numbers[i] = value;
	}
	for (int i = 0; i < USDT_TEXT_STRINGS; i++)
		text.lengths[i] = bpf_probe_read_user_str(text.strings[i], USDT_TEXT_SIZE,
							  (void *)text.numbers[i]);
	bpf_map_push_elem(&texts, &text, 0);
	return 0;
}

char _license[] SEC("license") = "GPL";

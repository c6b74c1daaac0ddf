/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of reading a value that do not depend on where registers and lists are kept. */
#ifndef UPM_BPF_USDT_READING_H
#define UPM_BPF_USDT_READING_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "upm_usdt.h"

/* A word of the kernel's; 0 where there is none. */
static __always_inline __u64 upm_usdt_kernel_word(const void *from, __u16 offset)
{
	__u64 word = 0;

	bpf_probe_read_kernel(&word, sizeof(word), from + offset);
	return word;
}

static __always_inline __u64 upm_usdt_thread_pointer(const struct upm_usdt_read *read)
{
	return upm_usdt_kernel_word((void *)bpf_get_current_task(), read->index);
}

/* Exactly its width: the page behind it need not be there. */
static __always_inline int upm_usdt_load(__u64 address, __u8 unused, __u64 *value)
{
	__u32 width = 8 - ((unused >> 3) & 7);

	*value = 0;
	return bpf_probe_read_user(value, width, (const void *)address);
}

static __always_inline __u64 upm_usdt_cut(const struct upm_usdt_read *read, __u64 value)
{
	__u8 unused = read->unused & 63;

	value <<= unused;
	return read->flags & UPM_READ_SIGNED ? (__u64)((__s64)value >> unused) : value >> unused;
}

#endif

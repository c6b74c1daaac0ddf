/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Read the arguments of USDT probes, from the map upm_usdt_lists that user space has filled
 * (core/src/usdt/argument_table.h). A program includes this once and knows the number of
 * its probe's list, say from a table that the cookie is the key of.
 */
#ifndef UPM_BPF_USDT_ARGUMENTS_H
#define UPM_BPF_USDT_ARGUMENTS_H

#include <linux/bpf.h>
#include <linux/errno.h>
#include <bpf/bpf_helpers.h>

#include "usdt_reading.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* set before the load */
	__type(key, __u32);
	__type(value, struct upm_usdt_list);
} upm_usdt_lists SEC(".maps");

static __always_inline __u64 upm_usdt_sum(void *context, const struct upm_usdt_read *read)
{
	__u64 sum = read->value;

	if (read->flags & UPM_READ_BASE)
		sum += upm_usdt_kernel_word(context, read->base);
	if (read->flags & UPM_READ_INDEX)
		sum += upm_usdt_kernel_word(context, read->index) << (read->scale & 3);
	if (read->flags & UPM_READ_THREAD)
		sum += upm_usdt_thread_pointer(read);
	return sum;
}

/* How many arguments a list has; negative errno for a list that there is not. */
static __always_inline int upm_usdt_argument_count(__u32 list)
{
	const struct upm_usdt_list *found = bpf_map_lookup_elem(&upm_usdt_lists, &list);

	return found ? (int)found->count : -ESRCH;
}

/*
 * The value of an argument, cut to its width and with its sign.
 * 0; -ESRCH: no such list; -ENOENT: no such argument; -EINVAL: it can not be read;
 * -EFAULT: its page is not there. In error *value is 0.
 */
static __always_inline int upm_usdt_argument(void *context, __u32 list, __u32 number, __u64 *value)
{
	const struct upm_usdt_list *found = bpf_map_lookup_elem(&upm_usdt_lists, &list);
	const struct upm_usdt_read *read;
	__u64 sum;
	int failure = 0;

	*value = 0;
	if (!found)
		return -ESRCH;
	if (number >= UPM_READ_ARGUMENTS_MAX || number >= found->count)
		return -ENOENT;
	read = &found->arguments[number];
	if (!(read->flags & UPM_READ_VALID))
		return -EINVAL;
	sum = upm_usdt_sum(context, read);
	if (read->flags & UPM_READ_MEMORY)
		failure = upm_usdt_load(sum, read->unused, &sum);
	if (!failure)
		*value = upm_usdt_cut(read, sum);
	return failure;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map contract of <bpf/usdt.bpf.h>, written down anew for the versions that this machine
 * may lack: USDT_LAYOUT is the size of a spec, 208 or 304. USDT_BY_ADDRESS: a program that
 * knows nothing of cookies.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <linux/ptrace.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

enum { BY_VALUE, BY_REGISTER, BY_ADDRESS, BY_TWO_REGISTERS };

struct usdt_argument {
	__u64 value;
#if USDT_LAYOUT == 304
	__u8 type;
	__u8 reserved[1];
	__u16 index_and_scale;
	__u16 reserved2;
#else
	__u32 type;
#endif
	__s16 base;
	__u8 is_signed;
	__u8 shift;
};

struct usdt_spec {
	struct usdt_argument arguments[12];
	__u64 cookie;
	__s16 count;
};

_Static_assert(sizeof(struct usdt_spec) == USDT_LAYOUT, "the layout is fixed");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 256);
	__type(key, int);
	__type(value, struct usdt_spec);
} __bpf_usdt_specs SEC(".maps");

#ifdef USDT_BY_ADDRESS
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, long);
	__type(value, __u32);
} __bpf_usdt_ip_to_spec_id SEC(".maps");

static __always_inline int spec_number(struct pt_regs *context)
{
	long ip = PT_REGS_IP(context);
	__u32 *number = bpf_map_lookup_elem(&__bpf_usdt_ip_to_spec_id, &ip);

	return number ? (int)*number : -1;
}
#else
static __always_inline int spec_number(struct pt_regs *context)
{
	return (int)bpf_get_attach_cookie(context);
}
#endif

static __always_inline struct usdt_spec *spec_of(struct pt_regs *context)
{
	int number = spec_number(context);

	return bpf_map_lookup_elem(&__bpf_usdt_specs, &number);
}

static __always_inline long bpf_usdt_cookie(struct pt_regs *context)
{
	struct usdt_spec *spec = spec_of(context);

	return spec ? (long)spec->cookie : -1;
}

static __always_inline int bpf_usdt_arg_cnt(struct pt_regs *context)
{
	struct usdt_spec *spec = spec_of(context);

	return spec ? spec->count : -ESRCH;
}

static __always_inline __u64 word_at(void *context, int offset)
{
	__u64 word = 0;

	bpf_probe_read_kernel(&word, sizeof(word), context + offset);
	return word;
}

static __always_inline int find_value(struct pt_regs *context, struct usdt_argument *argument,
				      __u64 *value)
{
	*value = argument->value;
	switch (argument->type) {
	case BY_VALUE:
		return 0;
	case BY_REGISTER:
		*value = word_at(context, argument->base);
		return 0;
#if USDT_LAYOUT == 304
	case BY_TWO_REGISTERS:
		*value += word_at(context, argument->index_and_scale & 0xfff)
			  << (argument->index_and_scale >> 12);
#endif
	case BY_ADDRESS:
		*value += word_at(context, argument->base);
		return bpf_probe_read_user(value, sizeof(*value), (void *)*value);
	default:
		return -EINVAL;
	}
}

static __always_inline int bpf_usdt_arg(struct pt_regs *context, __u64 number, long *result)
{
	struct usdt_spec *spec = spec_of(context);
	struct usdt_argument *argument;
	__u64 value;
	int failure;

	*result = 0;
	if (!spec || number >= 12 || (__s64)number >= spec->count)
		return -ENOENT;
	argument = &spec->arguments[number];
	failure = find_value(context, argument, &value);
	if (failure)
		return failure;
	value <<= argument->shift & 63;
	*result = argument->is_signed ? (__s64)value >> (argument->shift & 63)
				      : (long)(value >> (argument->shift & 63));
	return 0;
}

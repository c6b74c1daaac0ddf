/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps of the tracing programs, and what is known of a hit under way. */
#ifndef UPM_BPF_TRACE_MAPS_BPF_H
#define UPM_BPF_TRACE_MAPS_BPF_H

#include "observe.bpf.h"
#include "upm_trace.h"

const volatile struct upm_trace_config config = {};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096); /* this and what follows: set before the load */
} upm_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} upm_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct upm_trace_probe);
} upm_probes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct upm_trace_list);
} upm_lists SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u8);
} upm_threads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct upm_trace_shared);
} upm_shared SEC(".maps");

/* Calls that run, each as the struct upm_trace_record, with what belongs to it, that it becomes. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct upm_trace_call));
	__uint(value_size, sizeof(struct upm_trace_record));
} upm_calls SEC(".maps");

/* What an element of upm_calls begins as. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct upm_trace_record));
} upm_blank SEC(".maps");

#define NUMBERS 16 /* UPM_TRACE_ARGUMENTS, and room for any index of 4 bits */

struct hit {
	__u64 numbers[NUMBERS];
	__u64 time_ns;
	__u32 probe;
	__u32 list;
	__u32 unreadable;
	__u16 event;
	__u16 at_entry;
};

static __always_inline struct upm_trace_shared *shared(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&upm_shared, &zero);
}

/* @return what the counter was before */
static __always_inline __u64 count(enum upm_trace_plane plane, __u32 probe)
{
	__u32 column = plane * config.probes + probe;
	__u32 element = upm_counter_of(&config.counters, column);
	__u64 *counter = bpf_map_lookup_elem(&upm_counters, &element);

	return counter ? __sync_fetch_and_add(counter, 1) : 0;
}

#endif

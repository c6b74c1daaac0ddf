/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the measuring programs share: the rows, and what an entry and a return do to them.
 *
 * A row is one cell for each CPU (or for some together), so that processors do not
 * fight over cache lines; additions are atomic, because uprobe programs can be preempted
 * in mid-addition by another one on their CPU.
 *
 * Where a row belongs to a probe, its number is the probe's. Else rows are handed out as
 * owners appear, from a counter. Two CPUs that meet a new owner at once both take a number; the
 * one whose owner is in the map already gives its own to upm_spare, for the next. An owner is
 * written before the map leads anybody to its row, so that a reader who finds a row with
 * entries finds its owner. Calls for which no row is left are counted, by probe.
 */
#ifndef UPM_BPF_LATENCY_BPF_H
#define UPM_BPF_LATENCY_BPF_H

#include "observe.bpf.h"
#include "upm_latency.h"

#define NO_SLOT 0xffffffffu
#define RAISE_TRIES 32 /* each failed one means that another CPU has just raised the number */

const volatile struct upm_latency_config config = {};
__u32 next_slot;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* slots * copies */
	__type(key, __u32);
	__type(value, struct upm_latency_cell);
} upm_cells SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* slots, unless direct; so are the next two */
	__type(key, __u32);
	__type(value, struct upm_latency_owner);
} upm_owners SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct upm_latency_owner);
	__type(value, __u32);
} upm_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1);
	__type(value, __u32);
} upm_spare SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} upm_lost SEC(".maps");

static __always_inline __u32 take_slot(void)
{
	__u32 slot;

	if (bpf_map_pop_elem(&upm_spare, &slot) == 0)
		return slot;
	if (next_slot >= config.slots)
		return NO_SLOT;
	slot = __sync_fetch_and_add(&next_slot, 1);
	return slot < config.slots ? slot : NO_SLOT;
}

static __always_inline __u32 hand_out(const struct upm_latency_owner *owner)
{
	__u32 slot = take_slot(), *known;

	if (slot == NO_SLOT)
		return NO_SLOT;
	bpf_map_update_elem(&upm_owners, &slot, owner, BPF_ANY);
	if (bpf_map_update_elem(&upm_slots, owner, &slot, BPF_NOEXIST) == 0)
		return slot;
	bpf_map_push_elem(&upm_spare, &slot, BPF_ANY);
	known = bpf_map_lookup_elem(&upm_slots, owner);
	return known ? *known : NO_SLOT;
}

static __always_inline __u32 slot_of(__u32 probe, int may_be_new)
{
	struct upm_latency_owner owner = {.probe = probe};
	__u32 *slot;

	if (config.direct)
		return probe;
	if (config.by_process || config.by_thread) {
		__u64 id = upm_current(&config.identity);

		owner.pid = id >> 32;
		owner.tid = config.by_thread ? (__u32)id : 0;
	}
	slot = bpf_map_lookup_elem(&upm_slots, &owner);
	if (slot)
		return *slot;
	return may_be_new ? hand_out(&owner) : NO_SLOT;
}

static __always_inline struct upm_latency_cell *cell_of(__u32 slot)
{
	__u32 element = bpf_get_smp_processor_id() % config.copies * config.slots + slot;

	return slot < config.slots ? bpf_map_lookup_elem(&upm_cells, &element) : 0;
}

static __always_inline void count_lost(__u32 probe)
{
	__u32 element = upm_counter_of(&config.lost, probe);
	__u64 *lost = bpf_map_lookup_elem(&upm_lost, &element);

	if (lost)
		__sync_fetch_and_add(lost, 1);
}

/* @return whether the call is counted, and so its return is wanted. */
static __always_inline int count_entry(__u32 probe)
{
	struct upm_latency_cell *cell;

	if (!upm_in_scope(&config.filter))
		return 0;
	cell = cell_of(slot_of(probe, 1));
	if (!cell) {
		count_lost(probe);
		return 0;
	}
	__sync_fetch_and_add(&cell->entries, 1);
	return 1;
}

static __always_inline void raise(__u64 *stored, __u64 value)
{
	for (int i = 0; i < RAISE_TRIES; i++) {
		__u64 found = *(volatile __u64 *)stored;

		if (found >= value || __sync_val_compare_and_swap(stored, found, value) == found)
			return;
	}
}

/* The bucket comes last: whoever reads it before the others finds them up to date. The kernel's
 * fast clock can step back by some nanoseconds from one CPU to another. */
static __always_inline void count_return(__u32 probe, __u64 began, __u64 ended)
{
	struct upm_latency_cell *cell = cell_of(slot_of(probe, 0));
	__u64 duration = ended > began ? ended - began : 0;
	__u32 bucket = upm_latency_bucket_of(duration);

	if (!cell || bucket >= UPM_LATENCY_BUCKET_COUNT)
		return;
	raise(&cell->max_ns, duration);
	raise(&cell->min_complement, ~duration);
	__sync_fetch_and_add(&cell->sum_ns, duration);
	__sync_fetch_and_add(&cell->buckets[bucket], 1);
}

#endif

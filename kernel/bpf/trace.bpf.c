// SPDX-License-Identifier: GPL-2.0-only
/*
 * Record an event for each hit.
 *
 * A hit goes through gates, the cheap ones first: process, thread, name, numbers, strings,
 * sampling, rate, and at last room in the ring buffer. Whatever gate it does not pass counts it,
 * once, so that the hits of a probe are exactly the events that the reader gets, those filtered,
 * those lost, and the calls that have not returned. Nothing is reserved in the ring before all
 * gates but the last are passed: what a filter keeps out costs the reader nothing.
 *
 * Calls (UPM_TRACE_RETURNS) are recorded at the entry, in a table, as the event that they are to
 * become, and are copied to the ring at the return. What finds a call again is its thread,
 * its probe and the place of its return address: recursion has other places. A function that
 * was left by longjmp() or an exception leaves an element that the next call at that place takes
 * over, or that is taken out later (core/src/trace/sweep.c).
 *
 * Tail calls share a place, and so do the calls of a function that tail-calls itself, at some
 * remove. The kernel tells a tail call from a new call at a place by the return address: after a
 * call that it follows it is the kernel's trampoline, which begins a page, and the kernel runs
 * their returns innermost first. So do these programs: such calls are a pile, the others begin a
 * new one. Of a pile that is too high the oldest calls are dropped.
 *
 * A session program is run at the return only if it said so at the entry. Where there are no
 * sessions two programs are linked, and the one at the return is run for every call: so the one at
 * the entry takes out what may lie in the table for a call that it does not record, or piles up
 * an element that becomes no event.
 *
 * The same program text serves multi links and perf events; user space chooses at the load.
 */
#include "trace_gates.bpf.h"
#include "trace_maps.bpf.h"
#include "trace_values.bpf.h"

/* ---- records */

static __always_inline void record_stack(void *context, struct upm_trace_record *record,
					 int at_entry)
{
	__u64 *caller = (__u64 *)(record + 1);

	*caller = 0;
	if (at_entry)
		bpf_probe_read_user(caller, sizeof(*caller),
				    (void *)read_register(context, config.registers.stack));
	record->stack_bytes =
		bpf_get_stack(context, caller + 1, config.stack_bytes, BPF_F_USER_STACK);
}

static __always_inline void record_hit(void *context, struct upm_trace_record *record,
				       const struct upm_trace_list *list, const struct hit *hit,
				       int with_texts)
{
	__u64 *numbers = (void *)record + config.numbers_offset;
	__u64 ids = upm_current(&config.ids);

	record->time_ns = hit->time_ns;
	record->result = 0;
	record->pid = ids >> 32;
	record->tid = ids;
	record->cpu = bpf_get_smp_processor_id();
	record->probe = hit->probe;
	record->kind = hit->event;
	record->argument_count = list->arguments.count;
	record->unreadable = hit->unreadable;
	record->truncated = 0;
	record->stack_bytes = 0;
	record->texts = 0;
	record->slots = 0;
	bpf_get_current_comm(record->comm, sizeof(record->comm));
	for (__u32 i = 0; i < UPM_TRACE_ARGUMENTS; i++) {
		if (i >= config.arguments)
			break;
		numbers[i] = hit->numbers[i];
	}
	if (config.stack_bytes)
		record_stack(context, record, hit->at_entry);
	if (with_texts)
		read_texts(record, list, hit);
}

/* Whenever another quarter of the ring is full; not at each event beyond it. */
static __always_inline __u64 wake_flags(__u32 size)
{
	__u64 waiting = bpf_ringbuf_query(&upm_ring, BPF_RB_AVAIL_DATA);

	if (waiting >= config.wake_bytes && (waiting & (config.wake_bytes - 1)) < 8 * size)
		return BPF_RB_FORCE_WAKEUP;
	return BPF_RB_NO_WAKEUP;
}

static __always_inline void submit(struct upm_trace_record *record, __u32 size)
{
	if (config.returns)
		count(UPM_PLANE_EVENTS, record->probe);
	bpf_ringbuf_submit(record, wake_flags(size));
}

static __always_inline void emit_hit(void *context, const struct upm_trace_list *list,
				     const struct hit *hit, __u64 result, int with_texts)
{
	const __u32 size = with_texts ? config.full_size : config.plain_size;
	struct upm_trace_record *record = bpf_ringbuf_reserve(&upm_ring, size, 0);

	if (!record) {
		count(UPM_PLANE_LOST, hit->probe);
		return;
	}
	record_hit(context, record, list, hit, with_texts);
	record->duration_ns = 0;
	record->result = result;
	submit(record, size);
}

/* ---- programs */

/* What is known of the probe; NULL for a hit that does not count. */
static __always_inline const struct upm_trace_list *begin(void *context, struct hit *hit)
{
	const struct upm_trace_probe *probe;

	hit->probe = bpf_get_attach_cookie(context);
	if (!upm_in_scope(&config.filter))
		return 0;
	probe = bpf_map_lookup_elem(&upm_probes, &hit->probe);
	if (!probe)
		return 0;
	hit->event = probe->event;
	hit->at_entry = probe->at_entry;
	hit->list = probe->list;
	return bpf_map_lookup_elem(&upm_lists, &hit->list);
}

static __always_inline int entry_passes(void *context, const struct upm_trace_list *list,
					struct hit *hit)
{
	if (!thread_passes())
		return 0;
	hit->time_ns = bpf_ktime_get_ns();
	hit->unreadable = read_arguments(context, list, hit->numbers);
	return !(config.conditions & UPM_CONDITIONS_ARGUMENTS) || arguments_pass(list, hit);
}

SEC("uprobe")
int trace_hit(void *context)
{
	struct hit hit = {};
	const struct upm_trace_list *list = begin(context, &hit);
	__u64 result = 0;
	int passes;

	if (!list)
		return 0;
	count(UPM_PLANE_HITS, hit.probe);
	passes = entry_passes(context, list, &hit);
	if (passes && hit.event == UPM_TRACE_EVENT_RETURN) {
		result = read_result(context, list);
		passes = !(config.conditions & UPM_CONDITIONS_OUTCOME) ||
			 outcome_passes(list, result, 0);
	}
	if (!passes || !quota_passes(hit.probe, hit.time_ns))
		count(UPM_PLANE_FILTERED, hit.probe);
	else if (config.texts && list->text_count)
		emit_hit(context, list, &hit, result, 1);
	else
		emit_hit(context, list, &hit, result, 0);
	return 0;
}

static __always_inline struct upm_trace_call key_of(void *context, __u32 probe, __u32 popped)
{
	return (struct upm_trace_call){
		.place = read_register(context, config.registers.stack) - popped,
		.thread = bpf_get_current_pid_tgid(),
		.probe = probe,
	};
}

/* Sampling and rate are for what passes all conditions: at the return, where some are for then. */
static __always_inline int early_quota_passes(const struct hit *hit)
{
	return config.conditions & UPM_CONDITIONS_OUTCOME || quota_passes(hit->probe, hit->time_ns);
}

static __always_inline int late_quota_passes(__u32 probe, __u64 now)
{
	return !(config.conditions & UPM_CONDITIONS_OUTCOME) || quota_passes(probe, now);
}

/* The reader sees it, and takes out what threads have left. */
static __always_inline void refuse_call(__u32 probe)
{
	struct upm_trace_shared *all = shared();

	count(UPM_PLANE_LOST, probe);
	count(UPM_PLANE_REFUSED, probe);
	if (all)
		__sync_fetch_and_add(&all->calls_refused, 1);
}

/* @return 0 for a call that no call before it, whose return the kernel follows, has become */
static __always_inline int may_be_tail_call(void *context)
{
	__u64 caller = 0;

	if (!config.registers.popped)
		caller = read_register(context, config.registers.link);
	else
		bpf_probe_read_user(&caller, sizeof(caller),
				    (void *)read_register(context, config.registers.stack));
	return caller % UPM_TRACE_PAGE == 0;
}

/* @param key of the oldest element of a full pile */
static __always_inline void drop_oldest(struct upm_trace_record *first,
					const struct upm_trace_call *key)
{
	const struct upm_trace_record *oldest = first;

	if (key->number)
		oldest = bpf_map_lookup_elem(&upm_calls, key);
	if (oldest && oldest->kind == UPM_TRACE_EVENT_CALL)
		refuse_call(key->probe);
	first->pile.count--;
}

/* Put an element on the pile of a place. If the return will be seen in any case (alone) the call
 * has its turn there even without an element, so that those below it keep theirs. @param key of the
 * first one, changed; @return NULL when there is no room */
static __always_inline struct upm_trace_record *push(void *context, struct upm_trace_call *key,
						     int alone)
{
	struct upm_trace_record *first;
	__u32 zero = 0;
	void *blank = bpf_map_lookup_elem(&upm_blank, &zero);
	long known = blank ? bpf_map_update_elem(&upm_calls, key, blank, BPF_NOEXIST) : -1;

	first = bpf_map_lookup_elem(&upm_calls, key);
	if (!blank || !first)
		return 0;
	if (known && !may_be_tail_call(context))
		first->pile = (struct upm_trace_pile){};
	key->number = first->pile.top % UPM_TRACE_CALLS_MAX;
	if (first->pile.count == UPM_TRACE_CALLS_MAX)
		drop_oldest(first, key);
	if (key->number && bpf_map_update_elem(&upm_calls, key, blank, BPF_ANY) && !alone)
		return 0;
	first->pile.top++;
	first->pile.count++;
	return key->number ? bpf_map_lookup_elem(&upm_calls, key) : first;
}

/* Of a call whose return will be seen, but is of no interest. @return whether an element is to tell
 * so, because others lie below */
static __always_inline int is_on_others(void *context, const struct upm_trace_call *key)
{
	if (!bpf_map_lookup_elem(&upm_calls, key))
		return 0;
	if (may_be_tail_call(context))
		return 1;
	bpf_map_delete_elem(&upm_calls, key);
	return 0;
}

/* @return whether the return is of interest */
static __always_inline int enter(void *context, int alone)
{
	struct hit hit = {};
	const struct upm_trace_list *list = begin(context, &hit);
	struct upm_trace_record *call;
	struct upm_trace_call key;
	int passes;

	if (!list)
		return 0;
	count(UPM_PLANE_HITS, hit.probe);
	key = key_of(context, hit.probe, 0);
	passes = entry_passes(context, list, &hit) && early_quota_passes(&hit);
	if (!passes) {
		count(UPM_PLANE_FILTERED, hit.probe);
		if (!alone || !is_on_others(context, &key))
			return 0;
	}
	call = push(context, &key, alone);
	if (call && passes) {
		record_hit(context, call, list, &hit, config.texts != 0);
		return 1;
	}
	if (call) {
		__u64 ids = upm_current(&config.ids);

		call->kind = UPM_TRACE_EVENT_ENTRY;
		call->pid = ids >> 32; /* the sweep asks whose it was, and since when */
		call->tid = ids;
		call->time_ns = hit.time_ns;
		return 0;
	}
	if (passes)
		refuse_call(hit.probe);
	return 0;
}

/* The clock can step back by some nanoseconds from one CPU to another. */
static __always_inline __u64 duration_of(const struct upm_trace_record *call, __u64 now)
{
	return now > call->time_ns ? now - call->time_ns : 0;
}

static __always_inline void emit_call(const struct upm_trace_record *call, __u64 duration_ns,
				      __u64 result, int with_texts)
{
	const __u32 size = with_texts ? config.full_size : config.plain_size;
	struct upm_trace_record *record = bpf_ringbuf_reserve(&upm_ring, size, 0);

	if (!record) {
		count(UPM_PLANE_LOST, call->probe);
		return;
	}
	bpf_probe_read_kernel(record, size, call);
	record->duration_ns = duration_ns;
	record->result = result;
	submit(record, size);
}

static __always_inline void finish(void *context, const struct upm_trace_record *call)
{
	__u64 now = bpf_ktime_get_ns(), duration_ns = duration_of(call, now), result;
	const struct upm_trace_probe *probe;
	const struct upm_trace_list *list;
	__u32 number = call->probe;

	probe = bpf_map_lookup_elem(&upm_probes, &number);
	list = probe ? bpf_map_lookup_elem(&upm_lists, &probe->list) : 0;
	if (!list)
		return;
	result = read_result(context, list);
	if ((config.conditions & UPM_CONDITIONS_OUTCOME &&
	     !outcome_passes(list, result, duration_ns)) ||
	    !late_quota_passes(number, now))
		count(UPM_PLANE_FILTERED, number);
	else if (config.texts && call->texts)
		emit_call(call, duration_ns, result, 1);
	else
		emit_call(call, duration_ns, result, 0);
}

static __always_inline void leave(void *context)
{
	struct upm_trace_call key =
		key_of(context, bpf_get_attach_cookie(context), config.registers.popped);
	struct upm_trace_record *first = bpf_map_lookup_elem(&upm_calls, &key), *call = first;

	if (!first || !first->pile.count)
		return;
	first->pile.count--;
	key.number = --first->pile.top % UPM_TRACE_CALLS_MAX;
	if (key.number)
		call = bpf_map_lookup_elem(&upm_calls, &key);
	if (call && call->kind == UPM_TRACE_EVENT_CALL)
		finish(context, call);
	if (key.number)
		bpf_map_delete_elem(&upm_calls, &key);
	key.number = 0;
	if (!first->pile.count)
		bpf_map_delete_elem(&upm_calls, &key);
}

/* In both halves bpf_get_func_ip() is the function's entry: the probe. */
SEC("uprobe")
int trace_session(void *context)
{
	if (read_register(context, config.registers.instruction) == bpf_get_func_ip(context))
		return !enter(context, 0);
	leave(context);
	return 0;
}

SEC("uprobe")
int trace_enter(void *context)
{
	enter(context, 1);
	return 0;
}

SEC("uprobe")
int trace_leave(void *context)
{
	leave(context);
	return 0;
}

char _license[] SEC("license") = "GPL";

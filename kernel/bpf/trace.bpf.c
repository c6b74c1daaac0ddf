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
 * its probe and the place of its return address: recursion has other places, and a function that
 * was left by longjmp() or an exception leaves an element that the next call at that place takes
 * over. A session program is run at the return only if it said so at the entry. Where there are
 * no sessions two programs are linked, and the one at the return is run for every call: so the
 * one at the entry takes out what may lie in the table for a call that it does not record.
 *
 * The same program text serves multi links and perf events; user space chooses at the load.
 */
#include "observe.bpf.h"
#include "upm_trace.h"
#include "usdt_reading.bpf.h"

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

/* Second of the clock (upper half) and events in it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} upm_rate SEC(".maps");

struct call_key {
	__u64 place; /* of the return address, or on aarch64 the stack pointer */
	__u32 thread;
	__u32 probe;
};

/* Calls that run: struct upm_trace_record and what belongs to it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct call_key));
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

/* @return what the counter was before */
static __always_inline __u64 count(enum upm_trace_plane plane, __u32 probe)
{
	__u32 column = plane * config.probes + probe;
	__u32 element = upm_counter_of(&config.counters, column);
	__u64 *counter = bpf_map_lookup_elem(&upm_counters, &element);

	return counter ? __sync_fetch_and_add(counter, 1) : 0;
}

/* ---- what is read */

struct registers {
	__u64 words[UPM_REGISTERS_MAX / sizeof(__u64)];
};

static __always_inline void read_registers(void *context, struct registers *registers)
{
	bpf_probe_read_kernel(registers, config.registers.size, context);
}

/* Also of the second byte of a register (%ah): the stack is read in whole words only. */
static __always_inline __u64 word_at(const struct registers *registers, __u32 offset)
{
	__u32 word = offset / sizeof(__u64);

	if (word >= UPM_REGISTERS_MAX / sizeof(__u64))
		return 0;
	return registers->words[word] >> offset % sizeof(__u64) * 8;
}

static __always_inline int read_value(const struct upm_usdt_read *read,
				      const struct registers *registers, __u64 *value)
{
	__u64 sum = read->value;
	int failure = 0;

	*value = 0;
	if (!(read->flags & UPM_READ_VALID))
		return -1;
	if (read->flags & UPM_READ_BASE)
		sum += word_at(registers, read->base);
	if (read->flags & UPM_READ_INDEX)
		sum += word_at(registers, read->index) << (read->scale & 3);
	if (read->flags & UPM_READ_THREAD)
		sum += upm_usdt_thread_pointer(read);
	if (read->flags & UPM_READ_MEMORY)
		failure = upm_usdt_load(sum, read->unused, &sum);
	if (!failure)
		*value = upm_usdt_cut(read, sum);
	return failure;
}

static __noinline int read_arguments(void *context, const struct upm_trace_list *list,
				     struct hit *hit)
{
	struct registers registers = {};

	read_registers(context, &registers);
	for (__u32 i = 0; i < UPM_TRACE_ARGUMENTS; i++) {
		__u64 value;

		if (i >= config.arguments || i >= list->arguments.count)
			break;
		if (read_value(&list->arguments.arguments[i], &registers, &value))
			hit->unreadable |= 1u << i;
		hit->numbers[i] = value;
	}
	return 0;
}

static __noinline __u64 read_result(void *context, const struct upm_trace_list *list)
{
	struct registers registers = {};
	__u64 value;

	read_registers(context, &registers);
	read_value(&list->result, &registers, &value);
	return value;
}

static __always_inline __u64 read_register(void *context, __u32 offset)
{
	return upm_usdt_kernel_word(context, offset);
}

/* Up to its NUL, and one byte more than is shown, which tells that it goes on. */
static __always_inline long read_string(struct upm_trace_slot *slot, __u64 address)
{
	long length =
		bpf_probe_read_user_str(slot + 1, config.text_bytes + 2, (const void *)address);

	return length > 0 ? length - 1 : -1;
}

static __always_inline long length_of(const struct upm_trace_list *list, const struct hit *hit,
				      const struct upm_trace_text *text)
{
	__u32 argument = text->length_argument;
	__u64 length;

	if (argument == UPM_TEXT_LENGTH_CONSTANT)
		return text->length;
	if (argument >= UPM_TRACE_ARGUMENTS || hit->unreadable & 1u << argument)
		return -1;
	length = hit->numbers[argument];
	if (list->arguments.arguments[argument].flags & UPM_READ_SIGNED && (__s64)length < 0)
		return 0;
	return length > UPM_TRACE_TEXT_MAX ? UPM_TRACE_TEXT_MAX + 1 : length;
}

static __always_inline long read_bytes(struct upm_trace_slot *slot, __u64 address, long length)
{
	__u32 size = length;

	if (length < 0)
		return -1;
	if (size > config.text_bytes)
		size = config.text_bytes;
	return bpf_probe_read_user(slot + 1, size, (const void *)address) ? -1 : length;
}

/* The bytes that arguments point to, into the slots of a record of full size. */
static __noinline int read_texts(struct upm_trace_record *record, const struct upm_trace_list *list,
				 const struct hit *hit)
{
	__u32 slots = 0;

	for (__u32 i = 0; i < UPM_TRACE_ARGUMENTS; i++) {
		const struct upm_trace_text *text = &list->texts[i];
		struct upm_trace_slot *slot;
		long length = -1;

		if (text->source == UPM_TEXT_NONE)
			continue;
		if (slots >= config.texts)
			break;
		slot = (void *)record + config.plain_size + slots++ * config.text_stride;
		if (hit->unreadable & 1u << i)
			length = -1;
		else if (text->source == UPM_TEXT_STRING)
			length = read_string(slot, hit->numbers[i]);
		else
			length = read_bytes(slot, hit->numbers[i], length_of(list, hit, text));
		slot->length = length < 0 ? 0 : length;
		record->texts |= 1u << i;
		if (length < 0)
			record->unreadable |= 1u << i;
		else if (length > config.text_bytes)
			record->truncated |= 1u << i;
	}
	return 0;
}

/* ---- gates */

static __always_inline int thread_passes(void)
{
	__u64 name[UPM_TRACE_COMM / sizeof(__u64)] = {};
	const volatile __u64 *wanted = (const volatile __u64 *)config.comm;
	__u32 thread;

	if (config.selects_threads) {
		thread = upm_current(&config.ids);
		if (!bpf_map_lookup_elem(&upm_threads, &thread))
			return 0;
	}
	if (!config.selects_comm)
		return 1;
	bpf_get_current_comm(name, sizeof(name));
	return name[0] == wanted[0] && name[1] == wanted[1];
}

static __always_inline int number_passes(const struct upm_trace_condition *condition, __u64 number)
{
	__u64 flip = condition->is_signed ? 1ULL << 63 : 0;
	__u64 one = number ^ flip, other = condition->number ^ flip;

	switch (condition->comparison) {
	case UPM_IS_EQUAL:
		return one == other;
	case UPM_IS_NOT_EQUAL:
		return one != other;
	case UPM_IS_LESS:
		return one < other;
	case UPM_IS_LESS_EQUAL:
		return one <= other;
	case UPM_IS_GREATER:
		return one > other;
	case UPM_IS_GREATER_EQUAL:
		return one >= other;
	default:
		return (number & condition->number) != 0;
	}
}

#define PATTERN_WORDS (UPM_TRACE_PATTERN / sizeof(__u64))

/* Which bytes of a word belong to the first `bytes` of a text. */
static __always_inline __u64 mask_of(__s32 bytes)
{
	if (bytes >= 8)
		return ~0ULL;
	return bytes <= 0 ? 0 : (1ULL << (bytes & 7) * 8) - 1;
}

/* Equal texts agree in their NUL too, which patterns have no other of. */
static __noinline int text_passes(const struct upm_trace_condition *condition, __u64 address)
{
	const __u64 *pattern = (const __u64 *)condition->text;
	__u64 words[PATTERN_WORDS + 1] = {}, differs = 0;
	__s32 bytes = condition->length + (condition->comparison != UPM_TEXT_BEGINS);

	if (bpf_probe_read_user_str(words, UPM_TRACE_PATTERN + 1, (const void *)address) < 0)
		return 0;
	for (__u32 i = 0; i < PATTERN_WORDS; i++)
		differs |= (words[i] ^ pattern[i]) & mask_of(bytes - (__s32)(8 * i));
	return condition->comparison == UPM_TEXT_IS_NOT_EQUAL ? differs != 0 : differs == 0;
}

/* What can not be read meets no condition. */
static __noinline int arguments_pass(const struct upm_trace_list *list, const struct hit *hit)
{
	for (__u32 i = 0; i < UPM_TRACE_CONDITIONS; i++) {
		const struct upm_trace_condition *condition = &list->conditions[i];
		__u32 subject = condition->subject;
		int passes;

		if (i >= list->condition_count)
			break;
		if (subject >= UPM_TRACE_ARGUMENTS)
			continue;
		if (hit->unreadable & 1u << (subject & 15))
			return 0;
		if (condition->comparison >= UPM_TEXT_IS_EQUAL)
			passes = text_passes(condition, hit->numbers[subject & 15]);
		else
			passes = number_passes(condition, hit->numbers[subject & 15]);
		if (!passes)
			return 0;
	}
	return 1;
}

static __noinline int outcome_passes(const struct upm_trace_list *list, __u64 result,
				     __u64 duration_ns)
{
	for (__u32 i = 0; i < UPM_TRACE_CONDITIONS; i++) {
		const struct upm_trace_condition *condition = &list->conditions[i];

		if (i >= list->condition_count)
			break;
		if (condition->subject == UPM_SUBJECT_RESULT && !number_passes(condition, result))
			return 0;
		if (condition->subject == UPM_SUBJECT_DURATION &&
		    !number_passes(condition, duration_ns))
			return 0;
	}
	return 1;
}

/* Exact, unless so many CPUs fight for it that one gives up: then fewer, never more. */
static __always_inline int rate_passes(__u64 now)
{
	__u64 second = now / 1000000000 << 32;
	__u32 key = 0;
	__u64 *rate = bpf_map_lookup_elem(&upm_rate, &key);

	if (!rate)
		return 0;
	for (int i = 0; i < 16; i++) {
		__u64 old = *(volatile __u64 *)rate;
		__u64 used = old < second ? second : old; /* another CPU may be ahead */

		if ((__u32)used >= config.rate)
			return 0;
		if (__sync_val_compare_and_swap(rate, old, used + 1) == old)
			return 1;
	}
	return 0;
}

/* The last gates before the ring. */
static __always_inline int quota_passes(__u32 probe, __u64 now)
{
	if (config.sample > 1 && count(UPM_PLANE_PASSED, probe) % config.sample)
		return 0;
	return !config.rate || rate_passes(now);
}

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
	record->duration_ns = 0;
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
	record->reserved = 0;
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
	read_arguments(context, list, hit);
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

static __always_inline struct call_key key_of(void *context, __u32 probe, __u32 popped)
{
	return (struct call_key){
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

/* @return whether the return is of interest */
static __always_inline int enter(void *context, int alone)
{
	struct hit hit = {};
	const struct upm_trace_list *list = begin(context, &hit);
	struct upm_trace_record *call;
	struct call_key key;
	__u32 zero = 0;
	void *blank;

	if (!list)
		return 0;
	count(UPM_PLANE_HITS, hit.probe);
	key = key_of(context, hit.probe, 0);
	if (!entry_passes(context, list, &hit) || !early_quota_passes(&hit)) {
		count(UPM_PLANE_FILTERED, hit.probe);
		if (alone)
			bpf_map_delete_elem(&upm_calls, &key);
		return 0;
	}
	blank = bpf_map_lookup_elem(&upm_blank, &zero);
	if (!blank || bpf_map_update_elem(&upm_calls, &key, blank, BPF_ANY)) {
		count(UPM_PLANE_LOST, hit.probe);
		return 0;
	}
	call = bpf_map_lookup_elem(&upm_calls, &key);
	if (!call)
		return 0;
	record_hit(context, call, list, &hit, config.texts != 0);
	return 1;
}

static __always_inline void emit_call(const struct upm_trace_record *call, __u64 now, __u64 result,
				      int with_texts)
{
	const __u32 size = with_texts ? config.full_size : config.plain_size;
	struct upm_trace_record *record = bpf_ringbuf_reserve(&upm_ring, size, 0);

	if (!record) {
		count(UPM_PLANE_LOST, call->probe);
		return;
	}
	bpf_probe_read_kernel(record, size, call);
	record->duration_ns = now - call->time_ns;
	record->result = result;
	submit(record, size);
}

static __always_inline void finish(void *context, const struct upm_trace_record *call)
{
	__u64 now = bpf_ktime_get_ns(), result;
	const struct upm_trace_probe *probe;
	const struct upm_trace_list *list;
	__u32 number = call->probe;

	probe = bpf_map_lookup_elem(&upm_probes, &number);
	list = probe ? bpf_map_lookup_elem(&upm_lists, &probe->list) : 0;
	if (!list)
		return;
	result = read_result(context, list);
	if ((config.conditions & UPM_CONDITIONS_OUTCOME &&
	     !outcome_passes(list, result, now - call->time_ns)) ||
	    !late_quota_passes(number, now))
		count(UPM_PLANE_FILTERED, number);
	else if (config.texts && call->texts)
		emit_call(call, now, result, 1);
	else
		emit_call(call, now, result, 0);
}

static __always_inline void leave(void *context)
{
	struct call_key key =
		key_of(context, bpf_get_attach_cookie(context), config.registers.popped);
	const struct upm_trace_record *call = bpf_map_lookup_elem(&upm_calls, &key);

	if (!call)
		return;
	finish(context, call);
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

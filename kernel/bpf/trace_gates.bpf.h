/* SPDX-License-Identifier: GPL-2.0-only */
/* Which hits become events: filters, sampling, rate. */
#ifndef UPM_BPF_TRACE_GATES_BPF_H
#define UPM_BPF_TRACE_GATES_BPF_H

#include "trace_maps.bpf.h"

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
	struct upm_trace_shared *all = shared();

	if (!all)
		return 0;
	for (int i = 0; i < 16; i++) {
		__u64 old = *(volatile __u64 *)&all->rate;
		__u64 used = old < second ? second : old; /* another CPU may be ahead */

		if ((__u32)used >= config.rate)
			return 0;
		if (__sync_val_compare_and_swap(&all->rate, old, used + 1) == old)
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

#endif

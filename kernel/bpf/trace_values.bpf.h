/* SPDX-License-Identifier: GPL-2.0-only */
/* What is read of a hit: registers, arguments, the bytes that they point to. */
#ifndef UPM_BPF_TRACE_VALUES_BPF_H
#define UPM_BPF_TRACE_VALUES_BPF_H

#include "trace_maps.bpf.h"
#include "usdt_reading.bpf.h"

/*
 * Kernels before 6.8 count the stack of each function in steps of 32 bytes, and 512 for all that
 * call each other: no more words than this architecture's struct pt_regs has.
 */
#if defined(__TARGET_ARCH_x86)
#define REGISTERS_SIZE 168
#else
#define REGISTERS_SIZE UPM_REGISTERS_MAX
#endif

struct registers {
	__u64 words[REGISTERS_SIZE / sizeof(__u64)];
};

/* A comparison tells verifiers before 6.3 the bounds of the register compared, and of no copy. */
#define in_one_register(value) asm volatile("" : "+r"(value))

static __always_inline void read_registers(void *context, struct registers *registers)
{
	bpf_probe_read_kernel(registers, config.registers.size, context);
}

/* Also of the second byte of a register (%ah): the stack is read in whole words only. */
static __always_inline __u64 word_at(const struct registers *registers, __u32 offset)
{
	__u32 word = offset / sizeof(__u64);

	if (word >= REGISTERS_SIZE / sizeof(__u64))
		return 0;
	return registers->words[word] >> offset % sizeof(__u64) * 8;
}

/*
 * Without a branch whose sides leave different constants behind: verifiers before 6.4 follow each
 * side of each argument to the end of the program. UPM_READ_VALID is bit 0.
 * @return 0, or -1 for what can not be read, which has the value 0
 */
static __always_inline __s64 read_value(const struct upm_usdt_read *read,
					const struct registers *registers, __u64 *value)
{
	__s64 failure = (__s64)(read->flags & UPM_READ_VALID) - 1;
	__u64 sum = read->value;

	if (read->flags & UPM_READ_BASE)
		sum += word_at(registers, read->base);
	if (read->flags & UPM_READ_INDEX)
		sum += word_at(registers, read->index) << (read->scale & 3);
	if (read->flags & UPM_READ_THREAD)
		sum += upm_usdt_thread_pointer(read);
	if (read->flags & UPM_READ_MEMORY)
		failure |= upm_usdt_load(sum, read->unused, &sum);
	failure >>= 63;
	in_one_register(failure);
	*value = upm_usdt_cut(read, sum) & ~failure;
	return failure;
}

/* @return which can not be read */
static __noinline __u32 read_arguments(void *context, const struct upm_trace_list *list,
				       __u64 *numbers)
{
	struct registers registers = {};
	__u32 unreadable = 0;

	read_registers(context, &registers);
	for (__u32 i = 0; i < UPM_TRACE_ARGUMENTS; i++) {
		__u64 value;

		if (i >= config.arguments || i >= list->arguments.count)
			break;
		unreadable |= (__u32)read_value(&list->arguments.arguments[i], &registers, &value) &
			      1u << i;
		numbers[i] = value;
	}
	return unreadable;
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

/*
 * Up to its NUL, and one byte more than is shown, which tells that it goes on. The helper counts
 * the NUL, but says 0 of an empty string on 6.1 and 6.12.
 */
static __always_inline long read_string(struct upm_trace_slot *slot, __u64 address)
{
	long length =
		bpf_probe_read_user_str(slot + 1, config.text_bytes + 2, (const void *)address);

	return length > 0 ? length - 1 : length;
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
	__u64 size = length;

	if (length < 0)
		return -1;
	in_one_register(size);
	if (size > config.text_bytes)
		size = config.text_bytes;
	return bpf_probe_read_user(slot + 1, size, (const void *)address) ? -1 : length;
}

/*
 * The bytes that arguments point to, into the slots of a record of full size. That their number is
 * kept in the record spares the verifier the question which arguments came before.
 */
static __noinline int read_texts(struct upm_trace_record *record, const struct upm_trace_list *list,
				 const struct hit *hit)
{
	for (__u32 i = 0; i < UPM_TRACE_ARGUMENTS; i++) {
		const struct upm_trace_text *text = &list->texts[i];
		__u64 slots = record->slots;
		struct upm_trace_slot *slot;
		long length;

		if (text->source == UPM_TEXT_NONE)
			continue;
		in_one_register(slots);
		if (slots >= config.texts)
			break;
		slot = (void *)record + config.plain_size + slots * config.text_stride;
		record->slots = slots + 1;
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

#endif

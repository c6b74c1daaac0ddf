/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "trace/decode.h"

#include <stddef.h>
#include <string.h>

#define AS_IN_RECORD(field)                                                                        \
	_Static_assert(offsetof(struct upm_event, field) ==                                        \
			       offsetof(struct upm_trace_record, field),                           \
		       "the heads agree: " #field)
AS_IN_RECORD(time_ns);
AS_IN_RECORD(duration_ns);
AS_IN_RECORD(result);
AS_IN_RECORD(pid);
AS_IN_RECORD(tid);
AS_IN_RECORD(cpu);
AS_IN_RECORD(probe);
AS_IN_RECORD(comm);
AS_IN_RECORD(kind);
AS_IN_RECORD(argument_count);
AS_IN_RECORD(unreadable);
AS_IN_RECORD(truncated);
#define COMMON_HEAD offsetof(struct upm_event, stack_offset)

_Static_assert(COMMON_HEAD == offsetof(struct upm_trace_record, stack_bytes), "the heads agree");
_Static_assert(offsetof(struct upm_event, stack_offset) == 64 &&
		       offsetof(struct upm_event, stack_count) == 68 &&
		       offsetof(struct upm_event, arguments) == 72 &&
		       sizeof(struct upm_event) == 168,
	       "as the public header documents it");
_Static_assert(UPM_EVENT_ARGUMENTS == UPM_TRACE_ARGUMENTS, "one number, two headers");
_Static_assert(UPM_EVENT_RETURN == UPM_TRACE_EVENT_RETURN, "one number, two headers");

/* Parts of a record, within its bytes. */
struct parts {
	const struct upm_trace_record *head;
	const uint64_t *caller; /* the stack follows; NULL = none */
	uint32_t frames;
	bool adds_caller;
	const uint64_t *numbers;
	const uint8_t *slots;
};

/*
 * A walk along frame pointers at a function's entry begins with the caller's frame, and so finds
 * the caller's caller: the caller itself is only at the stack pointer. Newer kernels look there
 * where the function begins with a push (6.11, cfa7f3d2c526); then it is there already.
 */
static bool lacks_caller(const uint64_t *caller, uint32_t frames)
{
	return *caller && frames && (frames == 1 || caller[2] != *caller);
}

static void find_stack(const struct upm_trace_config *config, struct parts *parts)
{
	int32_t bytes = parts->head->stack_bytes;

	if (!config->stack_bytes || bytes <= 0 || (uint32_t)bytes > config->stack_bytes)
		return;
	parts->caller = (const uint64_t *)(parts->head + 1);
	parts->frames = (uint32_t)bytes / (uint32_t)sizeof(uint64_t);
	if (!lacks_caller(parts->caller, parts->frames) || config->stack_bytes <= sizeof(uint64_t))
		return;
	parts->adds_caller = true;
	if ((uint32_t)bytes == config->stack_bytes)
		parts->frames--;
}

static bool find_parts(const struct upm_trace_config *config, const void *record, uint32_t size,
		       struct parts *parts)
{
	parts->head = record;
	parts->frames = 0;
	parts->adds_caller = false;
	if (size != config->plain_size && size != config->full_size)
		return false;
	if (parts->head->argument_count > config->arguments ||
	    (parts->head->texts && size != config->full_size))
		return false;
	find_stack(config, parts);
	parts->numbers = (const uint64_t *)((const uint8_t *)record + config->numbers_offset);
	parts->slots = (const uint8_t *)record + config->plain_size;
	return true;
}

static const struct upm_trace_slot *slot_at(const struct upm_trace_config *config,
					    const struct parts *parts, uint32_t index)
{
	return (const void *)(parts->slots + (size_t)index * config->text_stride);
}

/* More was read than is shown: one byte, which tells that a text goes on. */
static uint32_t shown_length(const struct upm_trace_config *config,
			     const struct upm_trace_slot *slot)
{
	return slot->length < config->text_bytes ? slot->length : config->text_bytes;
}

static size_t text_needed(const struct upm_trace_config *config, const struct parts *parts)
{
	size_t needed = parts->frames ? 7 + 8 * ((size_t)parts->frames + 1) : 0;
	uint32_t texts;

	if (!parts->head->texts)
		return needed;
	texts = (uint32_t)__builtin_popcount(parts->head->texts);
	for (uint32_t i = 0; i < texts && i < config->texts; i++)
		needed += shown_length(config, slot_at(config, parts, i)) + 1;
	return needed;
}

static void add_stack(const struct parts *parts, struct upm_event *event, struct upm_batch *batch)
{
	uint32_t count = parts->frames + parts->adds_caller;
	const uint64_t *frames = parts->caller + 1;
	uint64_t *stack;

	event->stack_count = count;
	stack = upm_batch_add_stack(batch, count, &event->stack_offset);
	*stack++ = *frames++;
	if (parts->adds_caller)
		*stack++ = *parts->caller;
	memcpy(stack, frames, (parts->frames - 1) * sizeof(*stack));
}

/* What could not be read stays the pointer that it is. */
static void add_texts(const struct upm_trace_config *config, const struct parts *parts,
		      struct upm_event *event, struct upm_batch *batch)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < event->argument_count && used < config->texts; i++) {
		const struct upm_trace_slot *slot;

		if (!(parts->head->texts & 1u << i))
			continue;
		slot = slot_at(config, parts, used++);
		if (!(event->unreadable & 1u << i))
			event->arguments[i] =
				upm_batch_add_text(batch, slot + 1, shown_length(config, slot));
	}
}

#define MOSTLY 6 /* arguments: the registers that are shown without a signature */

/* The program has written as many as its configuration says, with 0 for those that a probe lacks.
 */
static void copy_numbers(const struct upm_trace_config *config, const struct parts *parts,
			 struct upm_event *event)
{
	size_t used = config->arguments * sizeof(*event->arguments);

	if (config->arguments == MOSTLY) {
		memcpy(event->arguments, parts->numbers, MOSTLY * sizeof(*event->arguments));
		memset(event->arguments + MOSTLY, 0,
		       (UPM_EVENT_ARGUMENTS - MOSTLY) * sizeof(*event->arguments));
		return;
	}
	memcpy(event->arguments, parts->numbers, used);
	memset((uint8_t *)event->arguments + used, 0, sizeof(event->arguments) - used);
}

enum upm_decoded upm_trace_decode(const struct upm_trace_config *config, const void *record,
				  uint32_t size, struct upm_batch *batch)
{
	struct upm_event *event = &batch->events[batch->count];
	struct parts parts;

	if (!find_parts(config, record, size, &parts))
		return UPM_DECODE_DAMAGED;
	if (!upm_batch_has_room(batch, text_needed(config, &parts)))
		return UPM_DECODE_NO_ROOM;
	memcpy(event, parts.head, COMMON_HEAD);
	event->comm[sizeof(event->comm) - 1] = '\0';
	event->stack_offset = 0;
	event->stack_count = 0;
	if (parts.frames)
		add_stack(&parts, event, batch);
	copy_numbers(config, &parts, event);
	if (parts.head->texts)
		add_texts(config, &parts, event, batch);
	batch->count++;
	return UPM_DECODED;
}

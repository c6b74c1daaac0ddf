/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What becomes of the records of a ring, and how many events a batch takes. */
#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace/decode.h"
#include "trace/layout.h"

struct maker {
	struct upm_trace_config config;
	union {
		struct upm_trace_record head;
		uint8_t bytes[65536];
		uint64_t words[8192];
	};
	struct upm_batch *batch;
};

/* Lay out records as upm_trace() would. */
static struct maker *maker_new(uint32_t arguments, uint32_t texts, uint32_t text_bytes,
			       uint32_t frames)
{
	const struct upm_trace_options trace = {.text_bytes = text_bytes,
						.stack_frames = frames,
						.flags = frames ? UPM_TRACE_STACKS : 0};
	struct upm_trace_list list = {.arguments.count = arguments};
	struct upm_trace_lists lists = {
		.lists.items = &list, .lists.count = 1, .most_texts = texts, .probe_count = 1};
	struct maker *maker = calloc(1, sizeof(*maker));

	assert_non_null(maker);
	upm_trace_layout(&trace, &lists, &maker->config);
	maker->head = (struct upm_trace_record){.time_ns = 11,
						.duration_ns = 12,
						.result = 13,
						.pid = 14,
						.tid = 15,
						.cpu = 16,
						.probe = 17,
						.comm = "somebody",
						.kind = UPM_EVENT_CALL,
						.argument_count = (uint16_t)arguments};
	for (uint32_t i = 0; i < arguments; i++)
		maker->words[maker->config.numbers_offset / 8 + i] = 100 + i;
	assert_upm_ok(upm_batch_new(4, 0, &maker->batch));
	return maker;
}

static void maker_free(struct maker *maker)
{
	upm_batch_free(maker->batch);
	free(maker);
}

static void put_text(struct maker *maker, uint32_t slot, uint32_t argument, const char *text)
{
	uint8_t *at = maker->bytes + maker->config.plain_size + slot * maker->config.text_stride;

	size_t length = strlen(text);

	*(struct upm_trace_slot *)at = (struct upm_trace_slot){.length = (uint32_t)length};
	memcpy(at + sizeof(struct upm_trace_slot), text, length + 1);
	maker->head.texts |= (uint16_t)(1u << argument);
}

static void put_stack(struct maker *maker, uint64_t caller, const uint64_t *frames, uint32_t count)
{
	maker->head.stack_bytes = (int32_t)(8 * count);
	maker->words[sizeof(maker->head) / 8] = caller;
	memcpy(&maker->words[sizeof(maker->head) / 8 + 1], frames, 8 * count);
}

static const struct upm_event *decode(struct maker *maker)
{
	uint32_t size = maker->head.texts ? maker->config.full_size : maker->config.plain_size;

	assert_int_equal(upm_trace_decode(&maker->config, maker->bytes, size, maker->batch),
			 UPM_DECODED);
	return &upm_batch_events(maker->batch)[upm_batch_size(maker->batch) - 1];
}

static void plain_records(void **state)
{
	struct maker *maker = maker_new(6, 0, 256, 0);
	const struct upm_event *event = decode(maker);

	(void)state;
	assert_int_equal(event->time_ns, 11);
	assert_int_equal(event->duration_ns, 12);
	assert_int_equal(event->result, 13);
	assert_int_equal(event->pid, 14);
	assert_int_equal(event->tid, 15);
	assert_int_equal(event->cpu, 16);
	assert_int_equal(event->probe, 17);
	assert_string_equal(event->comm, "somebody");
	assert_int_equal(event->kind, UPM_EVENT_CALL);
	assert_int_equal(event->stack_count, 0);
	for (uint32_t i = 0; i < UPM_EVENT_ARGUMENTS; i++)
		assert_int_equal(event->arguments[i], i < 6 ? 100 + i : 0);
	assert_int_equal(upm_batch_text_size(maker->batch), 0);
	maker_free(maker);
}

static const char *text_of(const struct maker *maker, const struct upm_event *event,
			   uint32_t argument)
{
	return upm_batch_text(maker->batch) + (uint32_t)event->arguments[argument];
}

static void texts(void **state)
{
	struct maker *maker = maker_new(4, 2, 8, 0);
	const struct upm_event *event;

	(void)state;
	put_text(maker, 0, 1, "path");
	put_text(maker, 1, 3, "ninebytes");
	maker->head.truncated = 8;
	event = decode(maker);
	assert_int_equal(event->arguments[0], 100);
	assert_string_equal(text_of(maker, event, 1), "path");
	assert_int_equal(event->arguments[1] >> 32, 4);
	assert_int_equal(event->arguments[2], 102);
	assert_string_equal(text_of(maker, event, 3), "ninebyte");
	assert_int_equal(event->arguments[3] >> 32, 8);
	maker->head.unreadable = 2;
	event = decode(maker);
	assert_int_equal(event->arguments[1], 101);
	assert_string_equal(text_of(maker, event, 3), "ninebyte");
	maker_free(maker);
}

static const uint64_t *stack_of(const struct maker *maker, const struct upm_event *event)
{
	assert_int_equal(event->stack_offset % 8, 0);
	return (const uint64_t *)(upm_batch_text(maker->batch) + event->stack_offset);
}

static void stacks(void **state)
{
	static const uint64_t frames[] = {1, 2, 3, 4}, with_caller[] = {1, 9, 2, 3, 4};
	struct maker *maker = maker_new(1, 1, 256, 5);
	const struct upm_event *event;

	(void)state;
	put_text(maker, 0, 0, "x"); /* what follows has to be aligned */
	put_stack(maker, 0, frames, 4);
	event = decode(maker);
	assert_int_equal(event->stack_count, 4);
	assert_memory_equal(stack_of(maker, event), frames, sizeof(frames));
	assert_string_equal(text_of(maker, event, 0), "x");
	put_stack(maker, 2, frames, 4); /* the kernel knows it */
	event = decode(maker);
	assert_int_equal(event->stack_count, 4);
	put_stack(maker, 9, frames, 4);
	event = decode(maker);
	assert_int_equal(event->stack_count, 5);
	assert_memory_equal(stack_of(maker, event), with_caller, sizeof(with_caller));
	put_stack(maker, 9, with_caller, 5); /* full, and known */
	assert_int_equal(decode(maker)->stack_count, 5);
	maker_free(maker);
	maker = maker_new(0, 0, 256, 4);
	put_stack(maker, 9, frames, 4); /* full: the outermost frame gives way */
	event = decode(maker);
	assert_int_equal(event->stack_count, 4);
	assert_memory_equal(stack_of(maker, event), with_caller, 32);
	put_stack(maker, 9, frames, 1);
	assert_int_equal(decode(maker)->stack_count, 2);
	maker->head.stack_bytes = -14;
	assert_int_equal(decode(maker)->stack_count, 0);
	maker_free(maker);
}

static void damaged_records(void **state)
{
	struct maker *maker = maker_new(2, 1, 256, 4);
	const struct upm_trace_config *config = &maker->config;

	(void)state;
	assert_int_equal(
		upm_trace_decode(config, maker->bytes, config->plain_size - 8, maker->batch),
		UPM_DECODE_DAMAGED);
	maker->head.argument_count = 3;
	assert_int_equal(upm_trace_decode(config, maker->bytes, config->plain_size, maker->batch),
			 UPM_DECODE_DAMAGED);
	maker->head.argument_count = 2;
	maker->head.texts = 1;
	assert_int_equal(upm_trace_decode(config, maker->bytes, config->plain_size, maker->batch),
			 UPM_DECODE_DAMAGED);
	maker->head.texts = 0xffff;
	put_text(maker, 0, 0, "x");
	*(uint32_t *)(maker->bytes + config->plain_size) = UINT32_MAX; /* length */
	maker->head.stack_bytes = 4096;
	memset(maker->head.comm, 'c', sizeof(maker->head.comm));
	assert_int_equal(upm_trace_decode(config, maker->bytes, config->full_size, maker->batch),
			 UPM_DECODED);
	assert_int_equal(upm_batch_events(maker->batch)->stack_count, 0);
	assert_int_equal(upm_batch_events(maker->batch)->arguments[0] >> 32, 256);
	assert_int_equal(strlen(upm_batch_events(maker->batch)->comm), 15);
	maker_free(maker);
}

/* ---- room */

static void events_of_a_batch(void **state)
{
	struct maker *maker = maker_new(6, 0, 256, 0);

	(void)state;
	for (int i = 0; i < 4; i++)
		decode(maker);
	assert_int_equal(upm_trace_decode(&maker->config, maker->bytes, maker->config.plain_size,
					  maker->batch),
			 UPM_DECODE_NO_ROOM);
	assert_int_equal(upm_batch_size(maker->batch), 4);
	upm_batch_clear(maker->batch);
	decode(maker);
	maker_free(maker);
}

/* The largest event there is fits the smallest batch, once. */
static void largest_event(void **state)
{
	struct maker *maker = maker_new(12, 12, 4096, 127);
	uint64_t frames[127];
	char text[4097];

	(void)state;
	upm_batch_free(maker->batch);
	assert_upm_ok(upm_batch_new(4, 1, &maker->batch));
	memset(text, 't', 4096);
	text[4096] = '\0';
	for (uint32_t i = 0; i < 127; i++)
		frames[i] = 1000 + i;
	put_stack(maker, 7, frames, 127);
	for (uint32_t i = 0; i < 12; i++)
		put_text(maker, i, i, text);
	assert_true(maker->config.full_size <= sizeof(maker->bytes));
	for (uint32_t i = 0; i < 12; i++) {
		upm_batch_clear(maker->batch);
		assert_string_equal(text_of(maker, decode(maker), i), text);
	}
	assert_int_equal(upm_batch_events(maker->batch)->stack_count, 127);
	assert_int_equal(upm_trace_decode(&maker->config, maker->bytes, maker->config.full_size,
					  maker->batch),
			 UPM_DECODE_NO_ROOM);
	assert_int_equal(upm_batch_size(maker->batch), 1);
	maker_free(maker);
}

static void rings_hold_events(void **state)
{
	struct maker *maker = maker_new(12, 12, 4096, 127);
	struct upm_trace_options trace = {.ring_bytes = 1};
	uint32_t bytes = upm_trace_ring_bytes(&trace, &maker->config);

	(void)state;
	assert_true(bytes >= 2 * maker->config.full_size);
	assert_int_equal(bytes & (bytes - 1), 0);
	trace.ring_bytes = (16 << 20) + 1;
	assert_int_equal(upm_trace_ring_bytes(&trace, &maker->config), 32 << 20);
	maker_free(maker);
	maker = maker_new(1, 0, 256, 0);
	trace.ring_bytes = 1;
	assert_int_equal(upm_trace_ring_bytes(&trace, &maker->config), sysconf(_SC_PAGESIZE));
	maker_free(maker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_records),
		cmocka_unit_test(texts),
		cmocka_unit_test(stacks),
		cmocka_unit_test(damaged_records),
		cmocka_unit_test(events_of_a_batch),
		cmocka_unit_test(largest_event),
		cmocka_unit_test(rings_hold_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

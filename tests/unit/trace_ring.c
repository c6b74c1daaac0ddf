/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The reading end of the ring buffer, and what becomes of its records, in memory of the test's own.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trace/decode.h"
#include "trace/layout.h"
#include "trace/ring.h"

/* ---- a ring that the test writes, with its data mapped twice as the kernel does */

struct fake {
	struct upm_ring ring;
	uint64_t consumer, *producer;
	uint8_t *data;
};

static void fake_open(struct fake *fake)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int file = memfd_create("ring", MFD_CLOEXEC);
	uint8_t *base = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(file >= 0 && base != MAP_FAILED);
	assert_int_equal(ftruncate(file, (off_t)(2 * page)), 0);
	for (size_t i = 0; i < 3; i++)
		assert_true(mmap(base + i * page, page, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_FIXED, file,
				 (off_t)((i ? 1 : 0) * page)) != MAP_FAILED);
	close(file);
	*fake = (struct fake){.producer = (uint64_t *)base, .data = base + page};
	fake->ring = (struct upm_ring){
		.producer = fake->producer, .data = fake->data, .mask = page - 1, .page = page};
}

static void fake_close(struct fake *fake)
{
	munmap(fake->producer, 3 * fake->ring.page);
}

/* A record of so many bytes, each `fill`. @return its header */
static uint32_t *fake_add(struct fake *fake, uint32_t size, uint32_t flags, int fill)
{
	uint8_t *header = fake->data + (*fake->producer & fake->ring.mask);

	*(uint32_t *)header = size | flags;
	memset(header + BPF_RINGBUF_HDR_SZ, fill, size);
	*fake->producer += (size + BPF_RINGBUF_HDR_SZ + 7) / 8 * 8;
	return (uint32_t *)header;
}

/* The next record is this one, and is passed. */
static void expect_record(struct fake *fake, struct upm_ring_cursor *cursor, uint32_t size,
			  int fill)
{
	uint32_t found;
	const uint8_t *record = upm_ring_peek(&fake->ring, cursor, &found);

	assert_non_null(record);
	assert_int_equal(found, size);
	assert_int_equal(record[0], fill);
	assert_int_equal(record[size - 1], fill);
	upm_ring_pass(cursor, found);
}

static void records_in_order(void **state)
{
	struct upm_ring_cursor cursor;
	struct fake fake;
	uint32_t size;

	(void)state;
	fake_open(&fake);
	fake.ring.consumer = &fake.consumer;
	cursor = upm_ring_begin(&fake.ring);
	assert_null(upm_ring_peek(&fake.ring, &cursor, &size));
	fake_add(&fake, 5, 0, 1);
	fake_add(&fake, 24, BPF_RINGBUF_DISCARD_BIT, 2);
	fake_add(&fake, 16, 0, 3);
	cursor = upm_ring_begin(&fake.ring);
	expect_record(&fake, &cursor, 5, 1);
	expect_record(&fake, &cursor, 16, 3);
	assert_null(upm_ring_peek(&fake.ring, &cursor, &size));
	assert_false(cursor.busy);
	assert_int_equal(fake.consumer, 0); /* not before the end */
	upm_ring_end(&fake.ring, &cursor);
	assert_int_equal(fake.consumer, *fake.producer);
	fake_close(&fake);
}

static void busy_records_end_it(void **state)
{
	struct upm_ring_cursor cursor;
	struct fake fake;
	uint32_t size, *busy;
	uint64_t first;

	(void)state;
	fake_open(&fake);
	fake.ring.consumer = &fake.consumer;
	fake_add(&fake, 8, 0, 1);
	first = *fake.producer;
	busy = fake_add(&fake, 8, BPF_RINGBUF_BUSY_BIT, 2);
	fake_add(&fake, 8, 0, 3);
	cursor = upm_ring_begin(&fake.ring);
	expect_record(&fake, &cursor, 8, 1);
	assert_null(upm_ring_peek(&fake.ring, &cursor, &size));
	assert_true(cursor.busy);
	upm_ring_end(&fake.ring, &cursor);
	assert_int_equal(fake.consumer, first);
	*busy &= ~(uint32_t)BPF_RINGBUF_BUSY_BIT;
	cursor = upm_ring_begin(&fake.ring);
	expect_record(&fake, &cursor, 8, 2);
	expect_record(&fake, &cursor, 8, 3);
	fake_close(&fake);
}

/* Records that begin before the end of the data and go on at their start. */
static void around_the_end(void **state)
{
	struct upm_ring_cursor cursor;
	struct fake fake;

	(void)state;
	fake_open(&fake);
	fake.ring.consumer = &fake.consumer;
	for (int i = 1; i < 200; i++) {
		fake_add(&fake, 100, 0, i);
		cursor = upm_ring_begin(&fake.ring);
		expect_record(&fake, &cursor, 100, i);
		upm_ring_end(&fake.ring, &cursor);
	}
	fake_close(&fake);
}

/* ---- records */

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

	*(struct upm_trace_slot *)at = (struct upm_trace_slot){.length = (uint32_t)strlen(text)};
	memcpy(at + sizeof(struct upm_trace_slot), text, strlen(text));
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
		cmocka_unit_test(records_in_order),
		cmocka_unit_test(busy_records_end_it),
		cmocka_unit_test(around_the_end),
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

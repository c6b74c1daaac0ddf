/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The reading end of the ring buffer, in memory of the test's own. */
#include "support.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trace/ring.h"

/* A ring that the test writes, with its data mapped twice as the kernel does. */
struct fake {
	struct upm_ring ring;
	uint64_t consumer, *producer;
	uint8_t *data;
};

static void fake_open(struct fake *fake)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int file = memfd_create("ring", MFD_CLOEXEC);
	uint8_t *base;

	assert_true(file >= 0);
	base = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE, file, 0);
	assert_true(base != MAP_FAILED);
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
	uint32_t found = 0;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_in_order),
		cmocka_unit_test(busy_records_end_it),
		cmocka_unit_test(around_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

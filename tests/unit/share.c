/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The record that is kept with the pins of an observer: written, read, cut off, altered. */
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/link.h"
#include "share/place.h"
#include "share/record.h"

static int store(const struct upm_observer *observer, struct upm_bytes *bytes)
{
	(void)observer;
	upm_bytes_put_text(bytes, "of the kind");
	return UPM_OK;
}

static void close_nothing(struct upm_observer *observer)
{
	(void)observer;
}

static const struct upm_observer_type type = {
	.kind = UPM_OBSERVER_COUNT,
	.close = close_nothing,
	.store = store,
};

/* Functions of the test target as if attached, but the second of them. */
static struct upm_observer *make_observer(void)
{
	char spec[512];
	const char *const specs[] = {spec, "no-such-file:x", "libc.so.6:pthread_spin_lock"};
	struct upm_observer *observer;
	struct upm_probe_set *set;
	struct upm_kernel_handle handle = {.fd = -1, .event_fd = -1, .pid = 7, .probes = 3};

	snprintf(spec, sizeof(spec), "%s:known_000*", test_build_path("target/known"));
	assert_upm_ok(upm_resolve(specs, 3, NULL, &set));
	observer = upm_observer_new(&type, set);
	assert_non_null(observer);
	observer->link = upm_link_new(set->table);
	assert_non_null(observer->link);
	observer->link->cookie_is_index = true;
	observer->link->attach_ns = 12345;
	observer->link->backend = UPM_BACKEND_UPROBE_MULTI;
	assert_int_equal(upm_outcome_refuse(&observer->link->outcome, 1, EIO), UPM_OK);
	assert_int_equal(
		upm_outcome_skip(&observer->link->outcome, 10, UPM_VERDICT_UNREADABLE, NULL),
		UPM_OK);
	assert_int_equal(upm_outcome_finish(&observer->link->outcome, upm_probe_set_size(set)),
			 UPM_OK);
	assert_true(upm_vector_push(&observer->link->handles, handle));
	upm_probe_set_free(set);
	return observer;
}

static void what_is_written_is_read(void **state)
{
	struct upm_observer *observer = make_observer();
	struct upm_probe a = {.size = sizeof(a)}, b = {.size = sizeof(b)};
	struct upm_share_record record;
	struct upm_bytes bytes = {0};
	struct upm_bytes_reader own;

	(void)state;
	assert_int_equal(upm_share_write(observer, &bytes), UPM_OK);
	assert_upm_ok(upm_share_read(bytes.data.items, bytes.data.count, "test", &record));
	assert_int_equal(record.header.size, bytes.data.count);
	assert_int_equal(record.header.kind, UPM_OBSERVER_COUNT);
	assert_int_equal(record.header.creator_pid, getpid());
	assert_string_equal(record.header.library, upm_version());
	assert_string_equal(record.header.creator, "share");
	assert_int_equal(upm_link_attach_ns(record.link), 12345);
	assert_int_equal(upm_link_attached(record.link), upm_link_attached(observer->link));
	assert_int_equal(upm_link_skipped(record.link), 2);
	for (size_t i = 0; i < 2; i++) {
		assert_upm_ok(upm_link_skipped_get(observer->link, i, &a));
		assert_upm_ok(upm_link_skipped_get(record.link, i, &b));
		assert_string_equal(a.symbol, b.symbol);
		assert_string_equal(a.reason, b.reason);
		assert_int_equal(a.verdict, b.verdict);
		assert_int_equal(a.sys_errno, b.sys_errno);
		assert_int_equal(a.address, b.address);
	}
	assert_int_equal(b.verdict, UPM_VERDICT_UNREADABLE);
	assert_int_equal(record.link->handles.items[0].pid, 7);
	own = (struct upm_bytes_reader){record.own, record.own + record.own_size, false};
	assert_string_equal(upm_bytes_take_text(&own), "of the kind");
	upm_link_free(record.link);
	upm_bytes_free(&bytes);
	upm_observer_free(observer);
}

static void whatever_is_cut_off_is_refused(void **state)
{
	struct upm_observer *observer = make_observer();
	struct upm_bytes bytes = {0};

	(void)state;
	assert_int_equal(upm_share_write(observer, &bytes), UPM_OK);
	for (size_t size = 0; size < bytes.data.count; size++) {
		struct upm_share_header *header;
		struct upm_share_record record;
		uint8_t *copy = malloc(size + 1);

		memcpy(copy, bytes.data.items, size);
		header = (void *)copy;
		assert_upm(upm_share_read(copy, size, "test", &record), UPM_ERR_FORMAT);
		if (size >= sizeof(*header)) {
			header->size = size;
			assert_upm(upm_share_read(copy, size, "test", &record), UPM_ERR_FORMAT);
		}
		free(copy);
	}
	upm_bytes_free(&bytes);
	upm_observer_free(observer);
}

/* Whatever a byte becomes, reading ends, within the memory, in a link or an error. */
static void any_byte_may_lie(void **state)
{
	struct upm_observer *observer = make_observer();
	struct upm_bytes bytes = {0};

	(void)state;
	assert_int_equal(upm_share_write(observer, &bytes), UPM_OK);
	for (size_t at = sizeof(struct upm_share_header); at < bytes.data.count; at++) {
		static const uint8_t values[] = {0x00, 0x01, 0x7f, 0xff};

		for (size_t i = 0; i < sizeof(values); i++) {
			uint8_t before = bytes.data.items[at];
			struct upm_share_record record;
			int status;

			bytes.data.items[at] = values[i];
			status =
				upm_share_read(bytes.data.items, bytes.data.count, "test", &record);
			assert_true(status == UPM_OK || status == UPM_ERR_FORMAT);
			if (!status)
				upm_link_free(record.link);
			bytes.data.items[at] = before;
		}
	}
	upm_bytes_free(&bytes);
	upm_observer_free(observer);
}

static void names_and_places(void **state)
{
	struct upm_place_of_pins place;
	char path[PATH_MAX];

	(void)state;
	assert_upm_ok(upm_share_place("test", "night", &place));
	assert_string_equal(place.path, UPM_PIN_DIRECTORY "/night");
	assert_true(place.in_directory);
	assert_upm_ok(upm_share_place("test", "/run/bpf.d/night", &place));
	assert_string_equal(place.parent, "/run/bpf.d");
	assert_string_equal(place.name, "night");
	assert_false(place.in_directory);
	assert_true(upm_share_unfinished(&place, path));
	assert_memory_equal(path, "/run/bpf.d/~", 12);
	assert_upm_ok(upm_share_place("test", "/night", &place));
	assert_string_equal(place.parent, "/");
	assert_string_equal(place.path, "/night");
	assert_upm(upm_share_place("test", "night.shift", &place), UPM_ERR_INVALID);
	assert_upm(upm_share_place("test", "night/", &place), UPM_ERR_INVALID);
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_upm(upm_share_place("test", path, &place), UPM_ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(whatever_is_cut_off_is_refused),
		cmocka_unit_test(any_byte_may_lie),
		cmocka_unit_test(names_and_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

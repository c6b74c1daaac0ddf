/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Nothing is lost in silence: rings that are full, readers that are late, and how events are read.
 */
#include "trace_target.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trace/trace.h"

#define WITH(...)                                                                                  \
	(&(const struct upm_trace_options){.size = sizeof(struct upm_trace_options), __VA_ARGS__})

/* Read all that is there. @return number of events */
static uint64_t read_all(struct traced *traced)
{
	uint64_t events = 0;

	do {
		assert_upm_ok(upm_trace_read(traced->observer, traced->batch, 0));
		events += upm_batch_size(traced->batch);
	} while (upm_batch_size(traced->batch));
	return events;
}

/* Four threads, and nobody reads while the ring runs full, several times. */
static void check_late_reader(const struct upm_trace_options *trace, const struct trace_way *way)
{
	struct upm_trace_count counts;
	struct traced traced;
	uint64_t events = 0;

	traced_begin(&traced, "uprobe:counted", trace, way);
	for (int i = 0; i < 3; i++) {
		traced_command(&traced, "threads 4 5000");
		events += read_all(&traced);
	}
	target_send(&traced.target, "threads 4 5000");
	usleep(1000);
	events += read_all(&traced); /* while they run */
	target_answer(&traced.target);
	assert_upm_ok(upm_observer_stop(traced.observer, NULL));
	events += read_all(&traced);
	counts = traced_counts(&traced);
	assert_int_equal(counts.hits, 80000);
	assert_int_equal(counts.events, events);
	assert_true(counts.lost > 0);
	assert_int_equal(counts.events + counts.lost, counts.hits);
	assert_int_equal(counts.refused, 0);
	traced_finish(&traced);
}

static void late_reader(void **state)
{
	(void)state;
	for (size_t way = 0; way < trace_ways(); way++) {
		check_late_reader(WITH(.ring_bytes = 65536), trace_way(way));
		check_late_reader(WITH(.ring_bytes = 65536, .flags = UPM_TRACE_RETURNS),
				  trace_way(way));
	}
	check_late_reader(
		WITH(.ring_bytes = 1, .arguments = "(char data[16])", .flags = UPM_TRACE_STACKS),
		NULL);
}

/* More calls within each other than the table of running calls holds, or the kernel follows. */
static void too_many_calls(void **state)
{
	(void)state;
	for (size_t way = 0; way < trace_ways(); way++) {
		struct upm_trace_count counts;
		struct traced traced;

		traced_begin(&traced, "uprobe:deep", WITH(.flags = UPM_TRACE_RETURNS),
			     trace_way(way));
		traced_command(&traced, "deep 20000");
		assert_int_equal(traced_stop(&traced), 64);
		counts = traced_counts(&traced);
		assert_int_equal(counts.hits, 20000);
		assert_true(counts.lost > 0);
		assert_int_equal(counts.refused, counts.lost);
		assert_int_equal(counts.events, 64);
		traced_finish(&traced);
	}
}

/* ---- ways to read */

static void batches_in_order(void **state)
{
	struct upm_batch *batch;
	struct traced traced;
	uint64_t next = 0;

	(void)state;
	traced_begin(&traced, "uprobe:counted", NULL, NULL);
	assert_upm_ok(upm_batch_new(7, 1, &batch));
	traced_command(&traced, "count 100");
	do {
		assert_upm_ok(upm_trace_read(traced.observer, batch, 0));
		assert_true(upm_batch_size(batch) <= 7);
		for (size_t i = 0; i < upm_batch_size(batch); i++)
			assert_int_equal(upm_batch_events(batch)[i].arguments[0], next++);
	} while (upm_batch_size(batch));
	assert_int_equal(next, 100);
	upm_batch_free(batch);
	traced_finish(&traced);
}

static void one_by_one(void **state)
{
	struct upm_event event;
	struct traced traced;
	const char *text;

	(void)state;
	traced_begin(&traced, "uprobe:text", WITH(.arguments = "(char *first, char *second)"),
		     NULL);
	assert_upm(upm_trace_next(traced.observer, &event, &text, 0), UPM_ERR_NOT_FOUND);
	traced_command(&traced, "text");
	assert_upm_ok(upm_trace_next(traced.observer, &event, &text, -1));
	assert_string_equal(text + (uint32_t)event.arguments[0], "short");
	assert_upm_ok(upm_trace_next(traced.observer, &event, &text, -1));
	assert_upm_ok(upm_trace_next(traced.observer, &event, &text, -1));
	assert_string_equal(text + (uint32_t)event.arguments[1], "/etc/passwd");
	assert_upm(upm_trace_next(traced.observer, &event, &text, 20), UPM_ERR_NOT_FOUND);
	assert_upm_ok(upm_observer_stop(traced.observer, NULL));
	assert_upm(upm_trace_next(traced.observer, &event, &text, -1), UPM_ERR_NOT_FOUND);
	traced_finish(&traced);
}

static int32_t take_some(const struct upm_event *event, const char *text, void *context)
{
	uint64_t *taken = context;

	assert_non_null(text);
	assert_int_equal(event->arguments[0], *taken);
	return ++*taken == 30 ? 77 : 0;
}

static void by_function(void **state)
{
	struct traced traced;
	uint64_t taken = 0;

	(void)state;
	traced_begin(&traced, "uprobe:counted", NULL, NULL);
	assert_upm_ok(upm_trace_run(traced.observer, take_some, &taken, 0));
	traced_command(&traced, "count 100");
	assert_int_equal(upm_trace_run(traced.observer, take_some, &taken, -1), 77);
	assert_int_equal(taken, 30);
	assert_upm_ok(upm_trace_run(traced.observer, take_some, &taken, 0));
	assert_int_equal(taken, 100);
	assert_upm_ok(upm_trace_run(traced.observer, take_some, &taken, 15));
	assert_upm_ok(upm_observer_stop(traced.observer, NULL));
	assert_upm_ok(upm_trace_run(traced.observer, take_some, &taken, -1));
	traced_finish(&traced);
}

/* Texts and stacks move with the events that had been taken for upm_trace_next(). */
static void one_and_then_batches(void **state)
{
	struct upm_batch *batch;
	struct upm_event event;
	struct traced traced;
	const char *text;

	(void)state;
	traced_begin(&traced, "uprobe:text",
		     WITH(.arguments = "(char *first, char *second)", .flags = UPM_TRACE_STACKS),
		     NULL);
	assert_upm_ok(upm_batch_new(1, 1, &batch));
	traced_command(&traced, "text");
	assert_upm_ok(upm_trace_next(traced.observer, &event, &text, 0));
	for (unsigned i = 1; i < 3; i++) {
		uint64_t stack, first;

		assert_upm_ok(upm_trace_read(traced.observer, batch, 0));
		assert_int_equal(upm_batch_size(batch), 1);
		assert_true(upm_batch_events(batch)->stack_count > 0);
		memcpy(&stack, upm_batch_text(batch) + upm_batch_events(batch)->stack_offset, 8);
		memcpy(&first, text + event.stack_offset, 8);
		assert_int_equal(stack, first);
		assert_int_equal(upm_batch_events(batch)->unreadable, i == 1 ? 3 : 0);
	}
	assert_string_equal(upm_batch_text(batch) + (uint32_t)upm_batch_events(batch)->arguments[1],
			    "/etc/passwd");
	assert_upm_ok(upm_trace_read(traced.observer, batch, 0));
	assert_int_equal(upm_batch_size(batch), 0);
	upm_batch_free(batch);
	traced_finish(&traced);
}

static void function_and_then_batches(void **state)
{
	struct traced traced;
	uint64_t taken = 0;

	(void)state;
	traced_begin(&traced, "uprobe:counted", NULL, NULL);
	traced_command(&traced, "count 100");
	assert_int_equal(upm_trace_run(traced.observer, take_some, &taken, -1), 77);
	traced_command(&traced, "count 5");
	assert_upm_ok(upm_trace_read(traced.observer, traced.batch, 0));
	assert_int_equal(upm_batch_size(traced.batch), 75);
	assert_int_equal(upm_batch_events(traced.batch)->arguments[0], 30);
	assert_int_equal(upm_batch_events(traced.batch)[74].arguments[0], 4);
	assert_int_equal(read_all(&traced), 0);
	traced_finish(&traced);
}

static void wrong_arguments(void **state)
{
	struct upm_trace_count count;
	struct upm_observer *counting;
	struct upm_event event;
	struct traced traced;
	const char *text;

	(void)state;
	traced_begin(&traced, "uprobe:counted", NULL, NULL);
	assert_upm_ok(upm_count(traced.set, NULL, &counting));
	assert_upm(upm_trace_read(NULL, traced.batch, 0), UPM_ERR_INVALID);
	assert_upm(upm_trace_read(counting, traced.batch, 0), UPM_ERR_INVALID);
	assert_upm(upm_trace_read(traced.observer, NULL, 0), UPM_ERR_INVALID);
	assert_upm(upm_trace_next(traced.observer, NULL, &text, 0), UPM_ERR_INVALID);
	assert_upm(upm_trace_next(traced.observer, &event, NULL, 0), UPM_ERR_INVALID);
	assert_upm(upm_trace_run(traced.observer, NULL, NULL, 0), UPM_ERR_INVALID);
	assert_upm(upm_trace_counts(traced.observer, &count, 2), UPM_ERR_INVALID);
	assert_upm(upm_trace_counts(counting, &count, 1), UPM_ERR_INVALID);
	assert_upm(upm_trace_fd(counting), UPM_ERR_INVALID);
	assert_upm(upm_batch_new(0, 0, NULL), UPM_ERR_INVALID);
	upm_batch_free(NULL);
	upm_observer_free(counting);
	traced_finish(&traced);
}

/* ---- other processes */

/* Run in a child, whose exit status tells. @return what it returned */
static int in_child(int (*function)(struct traced *traced), struct traced *traced)
{
	int status = 0;
	pid_t child = fork();

	if (!child)
		_exit(function(traced));
	assert_true(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int32_t take_none(const struct upm_event *event, const char *text, void *context)
{
	(void)event;
	(void)text;
	(void)context;
	return 1;
}

/* @return 0 when this process can not read in any way, and is told who does */
static int is_kept_out(struct traced *traced)
{
	struct upm_event event;
	char reader[32];
	const char *text;

	snprintf(reader, sizeof(reader), "process %d ", getppid());
	return upm_trace_read(traced->observer, traced->batch, 0) != UPM_ERR_STATE ||
	       !strstr(upm_error_last()->message, reader) || !*upm_error_last()->hint ||
	       upm_trace_next(traced->observer, &event, &text, 0) != UPM_ERR_STATE ||
	       upm_trace_run(traced->observer, take_none, NULL, 0) != UPM_ERR_STATE;
}

static int can_read(struct traced *traced)
{
	return upm_trace_read(traced->observer, traced->batch, 0) ||
	       upm_batch_size(traced->batch) != 10;
}

/* Parent and child have the ring in common: what is read has been read by one of them. */
static void after_a_fork(void **state)
{
	struct upm_event event;
	struct traced traced;
	const char *text;

	(void)state;
	traced_begin(&traced, "uprobe:counted", NULL, NULL);
	traced_command(&traced, "count 10");
	assert_int_equal(in_child(can_read, &traced), 0); /* and keeps it until its end */
	traced_command(&traced, "count 20");
	assert_upm_ok(upm_trace_next(traced.observer, &event, &text, 0));
	assert_int_equal(event.arguments[0], 0);
	assert_int_equal(in_child(is_kept_out, &traced), 0);
	assert_upm_ok(upm_trace_next(traced.observer, &event, &text, 0));
	assert_int_equal(event.arguments[0], 1);
	traced_command(&traced, "count 30");
	assert_int_equal(in_child(is_kept_out, &traced), 0);
	assert_int_equal(read_all(&traced), 18 + 30); /* first what next() has taken */
	traced_finish(&traced);
}

/* ---- a ring that something else has written to */

/* Change the size that the ring has for a record: of a copy, since the kernel's can not be written.
 */
static void damage_record(struct upm_ring *ring, size_t number)
{
	size_t size = ring->mask + 1;
	uint8_t *copy = malloc(2 * size);
	uint32_t *header;

	assert_non_null(copy);
	memcpy(copy, ring->data, size);
	header = (uint32_t *)(copy + (*ring->consumer & ring->mask));
	while (number--)
		header += (*header + BPF_RINGBUF_HDR_SZ + 7) / 8 * 2;
	*header -= 1; /* takes as much room */
	memcpy(copy + size, copy, size);
	ring->data = copy;
}

static void a_damaged_record(void **state)
{
	struct upm_trace *trace;
	const uint8_t *data;
	struct traced traced;

	(void)state;
	traced_begin(&traced, "uprobe:counted", NULL, NULL);
	traced_command(&traced, "count 5");
	trace = traced.observer->state;
	data = trace->ring.data;
	damage_record(&trace->ring, 2);
	assert_upm_ok(upm_trace_read(traced.observer, traced.batch, 0));
	assert_int_equal(upm_batch_size(traced.batch), 2);
	assert_int_equal(traced_event(&traced, 1)->arguments[0], 1);
	assert_upm(upm_trace_read(traced.observer, traced.batch, 0), UPM_ERR_FORMAT);
	assert_int_equal(upm_batch_size(traced.batch), 0);
	free((void *)trace->ring.data);
	trace->ring.data = data;
	assert_upm_ok(upm_trace_read(traced.observer, traced.batch, 0));
	assert_int_equal(upm_batch_size(traced.batch), 2);
	assert_int_equal(traced_event(&traced, 0)->arguments[0], 3);
	traced_finish(&traced);
}

/* ---- waiting */

static void woken_by_a_quarter(void **state)
{
	struct pollfd ring = {.events = POLLIN};
	struct traced traced;

	(void)state;
	traced_begin(&traced, "uprobe:counted", WITH(.ring_bytes = 65536), NULL);
	ring.fd = upm_trace_fd(traced.observer);
	assert_int_equal(poll(&ring, 1, 0), 0);
	target_send(&traced.target, "count 1000");
	assert_int_equal(poll(&ring, 1, 60000), 1);
	target_answer(&traced.target);
	assert_true(read_all(&traced) > 100);
	assert_int_equal(poll(&ring, 1, 0), 0);
	traced_finish(&traced);
}

static void ignore(int signal)
{
	(void)signal;
}

static void *interrupt(void *context)
{
	usleep(50000);
	pthread_kill(*(pthread_t *)context, SIGUSR1);
	return NULL;
}

static void signals_end_the_wait(void **state)
{
	struct sigaction action = {.sa_handler = ignore, .sa_flags = SA_RESTART}, before;
	pthread_t self = pthread_self(), other;
	struct traced traced;

	(void)state;
	traced_begin(&traced, "uprobe:counted", NULL, NULL);
	assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
	assert_int_equal(pthread_create(&other, NULL, interrupt, &self), 0);
	assert_upm(upm_trace_read(traced.observer, traced.batch, -1), UPM_ERR_CANCELLED);
	assert_int_equal(upm_error_last()->sys_errno, EINTR);
	pthread_join(other, NULL);
	sigaction(SIGUSR1, &before, NULL);
	traced_command(&traced, "count 3");
	assert_upm_ok(upm_trace_read(traced.observer, traced.batch, -1));
	assert_int_equal(upm_batch_size(traced.batch), 3);
	traced_finish(&traced);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(late_reader),		cmocka_unit_test(too_many_calls),
		cmocka_unit_test(batches_in_order),	cmocka_unit_test(one_by_one),
		cmocka_unit_test(by_function),		cmocka_unit_test(wrong_arguments),
		cmocka_unit_test(one_and_then_batches), cmocka_unit_test(function_and_then_batches),
		cmocka_unit_test(after_a_fork),		cmocka_unit_test(a_damaged_record),
		cmocka_unit_test(woken_by_a_quarter),	cmocka_unit_test(signals_end_the_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Calls from entry to return, and stacks, by each way of recording. */
#include "trace_target.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include "trace/layout.h"
#include "trace/trace.h"

#define WITH(...)                                                                                  \
	(&(const struct upm_trace_options){.size = sizeof(struct upm_trace_options), __VA_ARGS__})
#define CALLS .flags = UPM_TRACE_RETURNS

static void durations(void **state)
{
	(void)state;
	for (size_t way = 0; way < trace_ways(); way++) {
		struct traced traced;

		traced_begin(&traced, "uprobe:nap", WITH(CALLS), trace_way(way));
		traced_command(&traced, "nap 3000");
		traced_command(&traced, "nap 20000");
		assert_int_equal(traced_stop(&traced), 2);
		assert_true(traced_event(&traced, 0)->duration_ns >= 3000000);
		assert_true(traced_event(&traced, 1)->duration_ns >= 20000000);
		assert_true(traced_event(&traced, 1)->time_ns >=
			    traced_event(&traced, 0)->time_ns +
				    traced_event(&traced, 0)->duration_ns);
		assert_int_equal(traced_event(&traced, 0)->arguments[0], 3000);
		assert_int_equal(traced_event(&traced, 0)->kind, UPM_EVENT_CALL);
		traced_finish(&traced);
	}
}

/* The element of the one call that runs. */
static struct upm_trace_record *running_call(const struct traced *traced,
					     struct upm_trace_call *key)
{
	const struct upm_trace *state = traced->observer->state;
	struct upm_trace_record *call = malloc(upm_trace_record_size(&state->config));
	int calls = upm_observer_map(traced->observer, "upm_calls");

	assert_non_null(call);
	for (int i = 0; bpf_map_get_next_key(calls, NULL, key) ||
			bpf_map_lookup_elem(calls, key, call) || !call->time_ns;
	     i++) {
		assert_true(i < 6000);
		usleep(10000);
	}
	return call;
}

/* As on a CPU whose clock is behind that of the one where the call began. */
static void check_clock_behind(const char *filter, uint64_t events, const struct trace_way *way)
{
	struct upm_trace_record *call;
	struct upm_trace_call key;
	struct traced traced;

	traced_begin(&traced, "uprobe:held", WITH(CALLS, .filter = filter), way);
	target_send(&traced.target, "hold");
	call = running_call(&traced, &key);
	call->time_ns += 1000000000000;
	assert_int_equal(bpf_map_update_elem(upm_observer_map(traced.observer, "upm_calls"), &key,
					     call, BPF_EXIST),
			 0);
	free(call);
	traced_command(&traced, "hold");
	assert_int_equal(traced_stop(&traced), events);
	if (events)
		assert_int_equal(traced_event(&traced, 0)->duration_ns, 0);
	assert_int_equal(traced_counts(&traced).filtered, 1 - events);
	traced_finish(&traced);
}

static void clock_behind(void **state)
{
	(void)state;
	for (size_t way = 0; way < trace_ways(); way++) {
		check_clock_behind(NULL, 1, trace_way(way));
		check_clock_behind("duration_ns >= 1", 0, trace_way(way));
	}
}

/* Innermost first, each with the arguments of its own entry. */
static void recursion(void **state)
{
	(void)state;
	for (size_t way = 0; way < trace_ways(); way++) {
		struct traced traced;

		traced_begin(&traced, "uprobe:deep", WITH(CALLS, .arguments = "long deep(long)"),
			     trace_way(way));
		traced_command(&traced, "deep 20");
		assert_int_equal(traced_stop(&traced), 20);
		for (uint64_t depth = 1; depth <= 20; depth++) {
			const struct upm_event *event = traced_event(&traced, depth - 1);

			assert_int_equal(event->arguments[0], depth);
			assert_int_equal(event->result, depth);
			if (depth > 1)
				assert_true(event->time_ns < event[-1].time_ns &&
					    event->duration_ns > event[-1].duration_ns);
		}
		assert_int_equal(traced_counts(&traced).unreturned, 0);
		traced_finish(&traced);
	}
}

/* Calls that become others share the place of their return address, and return innermost first. */
static void tail_calls(void **state)
{
	const char *const specs[] = {"uprobe:even", "uprobe:odd"};

	(void)state;
	for (size_t way = 0; way < trace_ways(); way++) {
		struct traced traced;

		traced_start(&traced, "target/traced", specs, 2);
		traced_observe(&traced, WITH(CALLS, .arguments = "long parity(long)"),
			       trace_way(way), NULL);
		for (int again = 0; again < 3; again++)
			traced_command(&traced, "tail 12");
		assert_int_equal(traced_stop(&traced), 3 * 13);
		for (uint64_t i = 0; i < 3 * 13; i++) {
			const struct upm_event *event = traced_event(&traced, i);

			assert_int_equal(event->arguments[0], i % 13);
			assert_int_equal(event->probe, i % 13 % 2);
			assert_int_equal(event->result, 1);
			if (i % 13)
				assert_true(event->time_ns <= event[-1].time_ns &&
					    event->duration_ns >= event[-1].duration_ns);
		}
		assert_int_equal(traced_counts(&traced).unreturned, 0);
		traced_finish(&traced);
	}
}

/* Of each function the innermost eight are kept, and the others told. */
static void too_many_tail_calls(void **state)
{
	const char *const specs[] = {"uprobe:even", "uprobe:odd"};

	(void)state;
	for (size_t way = 0; way < trace_ways(); way++) {
		struct traced traced;

		traced_start(&traced, "target/traced", specs, 2);
		traced_observe(&traced, WITH(CALLS), trace_way(way), NULL);
		traced_command(&traced, "tail 40");
		traced_command(&traced, "tail 1");
		assert_int_equal(traced_stop(&traced), 16 + 2);
		for (size_t i = 0; i < 16; i++)
			assert_int_equal(traced_event(&traced, i)->arguments[0], i);
		assert_int_equal(traced_event(&traced, 16)->arguments[0], 0);
		assert_int_equal(traced_event(&traced, 17)->arguments[0], 1);
		assert_int_equal(traced_counts(&traced).refused, 41 - 16);
		assert_int_equal(traced_counts(&traced).unreturned, 0);
		traced_finish(&traced);
	}
}

/* Those that a filter keeps out, between others of the same place. */
static void filtered_tail_calls(void **state)
{
	const uint64_t passing[] = {4, 6, 12, 14, 4, 6};
	const char *const spec = "uprobe:even";

	(void)state;
	for (size_t way = 0; way < trace_ways(); way++) {
		struct traced traced;

		traced_start(&traced, "target/traced", &spec, 1);
		traced_observe(&traced, WITH(CALLS, .filter = "arg0 & 4"), trace_way(way), NULL);
		traced_command(&traced, "tail 14");
		traced_command(&traced, "tail 10");
		assert_int_equal(traced_stop(&traced), 6);
		for (size_t i = 0; i < 6; i++)
			assert_int_equal(traced_event(&traced, i)->arguments[0], passing[i]);
		assert_int_equal(traced_counts(&traced).unreturned, 0);
		traced_finish(&traced);
	}
}

/* Calls of a thread that there is not take all places of the table but one. */
static void leave_one_place(const struct traced *traced)
{
	int calls = upm_observer_map(traced->observer, "upm_calls");
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);
	struct upm_trace_call key = {.thread = UINT32_MAX};
	void *nothing;

	assert_int_equal(bpf_obj_get_info_by_fd(calls, &info, &size), 0);
	nothing = calloc(1, info.value_size);
	assert_non_null(nothing);
	while (bpf_map_update_elem(calls, &key, nothing, BPF_NOEXIST) == 0)
		key.place++;
	free(nothing);
	assert_int_equal(key.place, info.max_entries);
	key.place--;
	assert_int_equal(bpf_map_delete_elem(calls, &key), 0);
}

/* Those for which there is no room take nothing from the one below them. */
static void tail_calls_without_room(void **state)
{
	const char *const spec = "uprobe:even";

	(void)state;
	for (size_t way = 0; way < trace_ways(); way++) {
		struct traced traced;

		traced_start(&traced, "target/traced", &spec, 1);
		traced_observe(&traced, WITH(CALLS), trace_way(way), NULL);
		leave_one_place(&traced);
		for (int again = 0; again < 3; again++)
			traced_command(&traced, "tail 12");
		assert_int_equal(traced_stop(&traced), 3);
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(traced_event(&traced, i)->arguments[0], 12);
		assert_int_equal(traced_counts(&traced).refused, 3 * 6);
		assert_int_equal(traced_counts(&traced).unreturned, 0);
		traced_finish(&traced);
	}
}

static void left_by_longjmp(void **state)
{
	(void)state;
	for (size_t way = 0; way < trace_ways(); way++) {
		struct upm_trace_count counts;
		struct traced traced;

		traced_begin(&traced, "uprobe:jumper", WITH(CALLS), trace_way(way));
		traced_command(&traced, "jump 100");
		assert_int_equal(traced_stop(&traced), 0);
		counts = traced_counts(&traced);
		assert_int_equal(counts.hits, 100);
		assert_int_equal(counts.unreturned, 100);
		traced_finish(&traced);
	}
}

/* A call that a filter keeps out must not be taken for one that was recorded and left. */
static void filtered_after_longjmp(void **state)
{
	const char *const specs[] = {"uprobe:jumper", "uprobe:counted"};

	(void)state;
	for (size_t way = 0; way < trace_ways(); way++) {
		struct upm_trace_count counts;
		struct traced traced;

		traced_start(&traced, "target/traced", specs, 2);
		traced_observe(&traced, WITH(CALLS, .filter = "arg0 >= 5"), trace_way(way), NULL);
		traced_command(&traced, "jump 10");
		traced_command(&traced, "count 8");
		assert_int_equal(traced_stop(&traced), 3);
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(traced_event(&traced, i)->arguments[0], 5 + i);
		counts = traced_counts(&traced);
		assert_int_equal(counts.hits, 18);
		assert_int_equal(counts.filtered, 10);
		assert_int_equal(counts.unreturned, 5);
		traced_finish(&traced);
	}
}

#define SMALL_TABLE                                                                                \
	.text_bytes = 4096,                                                                        \
	.arguments = "(char *a, char *b, char *c, char *d, char *e, char *f, char *g, char *h, "   \
		     "char *i, char *j, char *k, char *l)"

/* Calls of threads that are no more fill the table, which is as small as texts can make it. */
static void of_threads_that_ended(void **state)
{
	const char *const specs[] = {"uprobe:ender", "uprobe:counted"};
	const struct upm_trace_options *trace = WITH(CALLS, SMALL_TABLE);

	(void)state;
	for (size_t way = 0; way < trace_ways(); way++) {
		struct upm_trace_count counts;
		struct traced traced;

		traced_start(&traced, "target/traced", specs, 2);
		traced_observe(&traced, trace, trace_way(way), NULL);
		traced_command(&traced, "end 2000");
		traced_command(&traced, "count 10");
		counts = traced_counts(&traced);
		assert_int_equal(counts.events, 0);
		assert_true(counts.lost > 10 && counts.lost < 1000);
		assert_int_equal(counts.refused, counts.lost);
		assert_upm_ok(upm_trace_read(traced.observer, traced.batch, 0));
		traced_command(&traced, "count 10");
		assert_int_equal(traced_stop(&traced), 10);
		assert_int_equal(traced_counts(&traced).unreturned, 2000 + 10 - counts.lost);
		traced_finish(&traced);
	}
}

static size_t table_size(const struct traced *traced)
{
	int calls = upm_observer_map(traced->observer, "upm_calls");
	struct upm_trace_call key, next;
	size_t size = 0;

	while (bpf_map_get_next_key(calls, size ? &key : NULL, &next) == 0) {
		key = next;
		size++;
	}
	return size;
}

/*
 * Calls that are deeper than the kernel follows fill the table, but for the room of the 64 that
 * returned, and their thread lives on. One more that is left takes some of that.
 */
static void of_a_thread_that_left_them(void **state)
{
	const char *const specs[] = {"uprobe:deep", "uprobe:jumper"};

	(void)state;
#ifndef __x86_64__
	skip_because("return addresses are not on the stack here, which would tell");
#endif
	for (size_t way = 0; way < trace_ways(); way++) {
		uint64_t before = 64, events = 64;
		struct traced traced;

		traced_start(&traced, "target/traced", specs, 2);
		traced_observe(&traced, WITH(CALLS, SMALL_TABLE), trace_way(way), NULL);
		traced_command(&traced, "deep 2000");
		sleep(2); /* younger ones are left alone */
		traced_command(&traced, "jump 1");
		assert_int_equal(traced_counts(&traced).events, events);
		assert_true(traced_counts(&traced).refused > 100 && table_size(&traced) > 500);
		for (int i = 0; events < before + 64; i++) {
			assert_true(i < 600);
			before = events;
			traced_command(&traced, "deep 64");
			events = traced_counts(&traced).events;
			assert_true(i || events < before + 64);
			assert_upm_ok(upm_trace_read(traced.observer, traced.batch, 0));
			usleep(100000);
		}
		assert_true(table_size(&traced) < 10);
		traced_finish(&traced);
	}
}

static void await_hits(const struct traced *traced, uint64_t least)
{
	for (int i = 0; i < 6000; i++) {
		if (total_hits(traced->observer, 1) >= least)
			return;
		usleep(10000);
	}
	fail_msg("fewer than %lu hits", (unsigned long)least);
}

/* What is seen to begin is seen to end, whatever the program does meanwhile: but for the one call
 * that its one thread is in. */
static void of_a_busy_thread(void **state)
{
	const char *const spec = "uprobe:counted";

	(void)state;
	for (size_t way = 0; way < trace_ways(); way++) {
		struct traced traced;

		traced_start(&traced, "target/traced", &spec, 1);
		target_send(&traced.target, "busy");
		traced_observe(&traced, WITH(CALLS), trace_way(way), NULL);
		await_hits(&traced, 1000);
		assert_upm_ok(upm_observer_stop(traced.observer, NULL));
		assert_true(traced_counts(&traced).unreturned <= 1);
		target_send(&traced.target, "enough");
		assert_string_equal(target_answer(&traced.target), "busy done");
		traced_finish(&traced);
	}
}

static void mixed_kinds(void **state)
{
	const char *const specs[] = {"uprobe:counted", "uretprobe:nap", "uretprobe:counted"};

	(void)state;
	for (size_t way = 0; way < trace_ways(); way++) {
		size_t calls = 0, returns = 0, count;
		struct traced traced;

		traced_start(&traced, "target/traced", specs, 3);
		traced_observe(&traced, WITH(CALLS), trace_way(way), NULL);
		traced_command(&traced, "count 10");
		traced_command(&traced, "nap 1");
		count = traced_stop(&traced);
		assert_int_equal(count, 21);
		for (size_t i = 0; i < count; i++) {
			const struct upm_event *event = traced_event(&traced, i);

			calls += event->kind == UPM_EVENT_CALL;
			returns += event->kind == UPM_EVENT_RETURN;
			assert_int_equal(event->probe == 0, event->kind == UPM_EVENT_CALL);
			assert_int_equal(event->argument_count,
					 event->kind == UPM_EVENT_CALL ? 6 : 0);
		}
		assert_int_equal(calls, 10);
		assert_int_equal(returns, 11);
		assert_int_equal(traced_counts(&traced).events, 21);
		traced_finish(&traced);
	}
}

static void of_four_threads(void **state)
{
	(void)state;
	for (size_t way = 0; way < trace_ways(); way++) {
		struct traced traced;
		size_t count;

		traced_begin(&traced, "uprobe:counted", WITH(CALLS), trace_way(way));
		traced_command(&traced, "threads 4 5000");
		count = traced_stop(&traced);
		assert_int_equal(count, 20000);
		for (size_t i = 0; i < count; i++)
			assert_int_equal(traced_event(&traced, i)->result,
					 traced_event(&traced, i)->arguments[0] / 2);
		traced_finish(&traced);
	}
}

/* ---- stacks */

/* chain_third() has no frame and does not begin with a push; chain_second() does. */
static void check_chain(const char *spec, uint32_t flags, const struct trace_way *way,
			const char *const *functions, size_t count)
{
	const struct upm_event *event;
	struct traced traced;
	const uint64_t *stack;

	traced_begin(&traced, spec, WITH(.flags = flags | UPM_TRACE_STACKS), way);
	traced_command(&traced, "chain");
	assert_int_equal(traced_stop(&traced), 1);
	event = traced_event(&traced, 0);
	assert_true(event->stack_count >= count);
	assert_int_equal(event->stack_offset % 8, 0);
	stack = (const uint64_t *)(upm_batch_text(traced.batch) + event->stack_offset);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(traced_function(&traced, stack[i] - (i > 0)), functions[i]);
	traced_finish(&traced);
}

static void stacks(void **state)
{
	static const char *const functions[] = {"chain_third", "chain_second", "chain_first",
						"main"};

	(void)state;
	check_chain("uprobe:chain_third", 0, trace_way(0), functions, 4);
	check_chain("uprobe:chain_second", 0, trace_way(0), functions + 1, 3);
	check_chain("uretprobe:chain_third", 0, trace_way(0), functions + 1, 3);
	for (size_t way = 0; way < trace_ways(); way++)
		check_chain("uprobe:chain_third", UPM_TRACE_RETURNS, trace_way(way), functions, 4);
}

static void few_frames(void **state)
{
	struct traced traced;

	(void)state;
	traced_begin(&traced, "uprobe:chain_second",
		     WITH(.flags = UPM_TRACE_STACKS, .stack_frames = 2), NULL);
	traced_command(&traced, "chain");
	assert_int_equal(traced_stop(&traced), 1);
	assert_int_equal(traced_event(&traced, 0)->stack_count, 2);
	traced_finish(&traced);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),
		cmocka_unit_test(clock_behind),
		cmocka_unit_test(recursion),
		cmocka_unit_test(tail_calls),
		cmocka_unit_test(too_many_tail_calls),
		cmocka_unit_test(filtered_tail_calls),
		cmocka_unit_test(tail_calls_without_room),
		cmocka_unit_test(left_by_longjmp),
		cmocka_unit_test(filtered_after_longjmp),
		cmocka_unit_test(of_threads_that_ended),
		cmocka_unit_test(of_a_thread_that_left_them),
		cmocka_unit_test(of_a_busy_thread),
		cmocka_unit_test(mixed_kinds),
		cmocka_unit_test(of_four_threads),
		cmocka_unit_test(stacks),
		cmocka_unit_test(few_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What events say: arguments of every width, strings, buffers, results, who and when. */
#include "trace_target.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "target/traced.h"
#include "target/usdt_forms.h"

#define WITH(...)                                                                                  \
	(&(const struct upm_trace_options){.size = sizeof(struct upm_trace_options), __VA_ARGS__})

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void who_and_when(void **state)
{
	uint64_t begin = now_ns(), last = begin;
	struct traced traced;

	(void)state;
	traced_begin(&traced, "uprobe:counted", NULL, NULL);
	traced_command(&traced, "count 5");
	assert_int_equal(traced_stop(&traced), 5);
	for (size_t i = 0; i < 5; i++) {
		const struct upm_event *event = traced_event(&traced, i);

		assert_true(event->time_ns >= last && event->time_ns <= now_ns());
		last = event->time_ns;
		assert_int_equal(event->pid, traced.target.pid);
		assert_int_equal(event->tid, traced.target.pid);
		assert_true(event->cpu < sysconf(_SC_NPROCESSORS_CONF));
		assert_int_equal(event->probe, 0);
		assert_string_equal(event->comm, "traced");
		assert_int_equal(event->kind, UPM_EVENT_ENTRY);
		assert_int_equal(event->duration_ns, 0);
		assert_int_equal(event->result, 0);
		assert_int_equal(event->stack_count, 0);
		assert_int_equal(event->argument_count, 6);
		assert_int_equal(event->arguments[0], i);
	}
	traced_finish(&traced);
}

static void registers_by_default(void **state)
{
	const int64_t values[] = {1, -2, 3, -4, 5, -6};
	struct upm_event_argument argument = {.size = sizeof(argument)};
	struct traced traced;

	(void)state;
	traced_begin(&traced, "uprobe:many", NULL, NULL);
	traced_command(&traced, "many");
	assert_int_equal(traced_stop(&traced), 1);
	assert_int_equal(traced_event(&traced, 0)->argument_count, 6);
	assert_memory_equal(traced_event(&traced, 0)->arguments, values, sizeof(values));
	assert_upm_ok(upm_trace_argument(traced.observer, 0, 5, &argument));
	assert_string_equal(argument.name, "arg5");
	assert_upm(upm_trace_argument(traced.observer, 0, 6, &argument), UPM_ERR_INVALID);
	assert_upm(upm_trace_argument(traced.observer, 1, 0, &argument), UPM_ERR_INVALID);
	traced_finish(&traced);
}

static void all_widths(void **state)
{
	const struct {
		int8_t s1;
		uint8_t u1;
		int16_t s2;
		uint16_t u2;
		int32_t s4;
		uint32_t u4;
		int64_t s8;
		uint64_t u8;
	} wanted = {INTEGERS};
	const uint64_t values[] = {
		(uint64_t)wanted.s1, wanted.u1, (uint64_t)wanted.s2, wanted.u2,
		(uint64_t)wanted.s4, wanted.u4, (uint64_t)wanted.s8, wanted.u8,
	};
	struct upm_event_argument argument = {.size = sizeof(argument)};
	struct traced traced;

	(void)state;
	traced_begin(&traced, "uprobe:integers",
		     WITH(.arguments =
				  "void integers(int8_t s1, uint8_t u1, short s2, unsigned short "
				  "u2, int s4, unsigned u4, long s8, uint64_t u8)"),
		     NULL);
	traced_command(&traced, "integers");
	assert_int_equal(traced_stop(&traced), 1);
	assert_int_equal(traced_event(&traced, 0)->argument_count, 8);
	assert_memory_equal(traced_event(&traced, 0)->arguments, values, sizeof(values));
	assert_upm_ok(upm_trace_argument(traced.observer, 0, 0, &argument));
	assert_string_equal(argument.name, "s1");
	assert_string_equal(argument.type, "int8_t");
	assert_int_equal(argument.form, UPM_FORM_SIGNED);
	assert_int_equal(argument.width, 1);
	traced_finish(&traced);
}

static void twelve_arguments(void **state)
{
	const int64_t values[] = {1, -2, 3, -4, 5, -6, 7, -8, 9, -10, 11, -12};
	struct traced traced;

	(void)state;
	traced_begin(&traced, "uprobe:many",
		     WITH(.arguments = "(long a, long b, long c, long d, long e, long f, long g, "
				       "long h, long i, long j, long k, long l)"),
		     NULL);
	traced_command(&traced, "many");
	assert_int_equal(traced_stop(&traced), 1);
	assert_int_equal(traced_event(&traced, 0)->argument_count, 12);
	assert_memory_equal(traced_event(&traced, 0)->arguments, values, sizeof(values));
	traced_finish(&traced);
}

/* ---- strings and buffers */

static void check_strings(const struct trace_way *way, uint32_t flags, uint32_t text_bytes)
{
	const struct upm_event *event;
	struct traced traced;
	char *much = malloc(MUCH_TEXT + 1);
	uint32_t length, shown = text_bytes ? text_bytes : 256;

	assert_non_null(much);
	memset(much, 'x', MUCH_TEXT);
	much[shown] = '\0';
	traced_begin(&traced, "uprobe:text",
		     WITH(.flags = flags, .arguments = "(char *first, const char *second)",
			  .text_bytes = text_bytes),
		     way);
	traced_command(&traced, "text");
	assert_int_equal(traced_stop(&traced), 3);
	event = traced_event(&traced, 0);
	assert_argument_text(&traced, event, 0, "short");
	assert_argument_text(&traced, event, 1, much);
	traced_text(&traced, event, 1, &length);
	assert_int_equal(length, shown);
	assert_int_equal(event->truncated, 2);
	assert_int_equal(event->unreadable, 0);
	event = traced_event(&traced, 1);
	assert_int_equal(event->unreadable, 3);
	assert_int_equal(event->arguments[0], 0);
	assert_int_equal(event->arguments[1], WRONG_POINTER);
	event = traced_event(&traced, 2);
	assert_int_equal(event->unreadable | event->truncated, 0);
	assert_argument_text(&traced, event, 0, "");
	assert_argument_text(&traced, event, 1, "/etc/passwd");
	traced_finish(&traced);
	free(much);
}

static void strings(void **state)
{
	(void)state;
	check_strings(NULL, 0, 0);
	check_strings(NULL, 0, 4096);
	check_strings(NULL, 0, 11); /* "/etc/passwd" is not cut */
	for (size_t i = 0; i < trace_ways(); i++)
		check_strings(trace_way(i), UPM_TRACE_RETURNS, 0);
}

static void buffers(void **state)
{
	const struct upm_event *event;
	struct traced traced;
	uint32_t length;
	const char *text;

	(void)state;
	traced_begin(&traced, "uprobe:bytes",
		     WITH(.arguments = "(void data[size], long size)", .text_bytes = 256), NULL);
	traced_command(&traced, "bytes");
	assert_int_equal(traced_stop(&traced), 4);
	for (size_t i = 0; i < 4; i++) {
		const uint32_t lengths[] = {0, 4, 256, 0};

		event = traced_event(&traced, i);
		text = traced_text(&traced, event, 0, &length);
		assert_int_equal(length, lengths[i]);
		for (uint32_t at = 0; at < length; at++)
			assert_int_equal((uint8_t)text[at], at);
		assert_int_equal(event->truncated, i == 2);
		assert_int_equal(event->unreadable, 0);
	}
	assert_int_equal((int64_t)event->arguments[1], -1);
	traced_finish(&traced);
}

static void end_of_a_page(void **state)
{
	const char *const specs[] = {"uprobe:text", "uprobe:bytes"};
	const char *const signatures[] = {"(char *first, char *second)", "(char data[n], long n)"};
	const struct upm_event *event;
	struct traced traced;
	uint32_t length;
	uint64_t end;

	(void)state;
	traced_start(&traced, "target/traced", specs, 2);
	traced_observe(&traced, WITH(.probe_arguments = signatures, .probe_argument_count = 2),
		       NULL, NULL);
	end = strtoull(traced_command(&traced, "page"), NULL, 10);
	assert_int_equal(traced_stop(&traced), 4);
	event = traced_event(&traced, 0);
	assert_argument_text(&traced, event, 0, "no end");
	assert_int_equal(event->unreadable, 2);
	assert_int_equal(event->arguments[1], end - 3);
	event = traced_event(&traced, 1);
	assert_int_equal(event->unreadable, 0);
	assert_memory_equal(traced_text(&traced, event, 0, &length), "yyyyyyyy", 8);
	assert_int_equal(length, 8);
	assert_int_equal(traced_event(&traced, 2)->unreadable, 1);
	event = traced_event(&traced, 3);
	assert_int_equal(event->unreadable, 0);
	assert_argument_text(&traced, event, 1, "yyyy");
	traced_finish(&traced);
}

/* ---- results */

static void check_results(const char *spec, const struct trace_way *way, uint16_t kind)
{
	static const char *const names[] = {"result_s1", "result_u1", "result_s4", "result_u8",
					    "result_pointer"};
	static const char *const types[] = {"int8_t f()", "unsigned char f()", "int f()",
					    "uint64_t f()", "void *f()"};
	const uint64_t values[] = {(uint64_t)RESULT_S1, RESULT_U1, (uint64_t)RESULT_S4, RESULT_U8,
				   0};
	const char *signatures[5];
	struct traced traced;

	traced_start(&traced, "target/traced", &spec, 1);
	assert_int_equal(upm_probe_set_size(traced.set), 5);
	for (size_t i = 0; i < 25; i++) {
		struct upm_probe probe = {.size = sizeof(probe)};

		assert_upm_ok(upm_probe_set_get(traced.set, i / 5, &probe));
		if (strcmp(probe.symbol, names[i % 5]) == 0)
			signatures[i / 5] = types[i % 5];
	}
	traced_observe(&traced,
		       WITH(.flags = kind == UPM_EVENT_CALL ? UPM_TRACE_RETURNS : 0,
			    .probe_arguments = signatures, .probe_argument_count = 5),
		       way, NULL);
	traced_command(&traced, "results");
	assert_int_equal(traced_stop(&traced), 5);
	for (size_t i = 0; i < 5; i++) { /* in the order of the calls */
		assert_int_equal(traced_event(&traced, i)->result, values[i]);
		assert_int_equal(traced_event(&traced, i)->kind, kind);
		assert_int_equal(traced_event(&traced, i)->argument_count, 0);
	}
	traced_finish(&traced);
}

static void results(void **state)
{
	(void)state;
	check_results("uretprobe:result_*", trace_way(0), UPM_EVENT_RETURN);
	check_results("uretprobe:result_*", trace_way(trace_ways() - 1), UPM_EVENT_RETURN);
	for (size_t i = 0; i < trace_ways(); i++)
		check_results("uprobe:result_*", trace_way(i), UPM_EVENT_CALL);
}

/* ---- USDT */

static void usdt_many(void **state)
{
	const char *const specs[] = {"usdt:forms:many"};
	struct traced traced;

	(void)state;
	traced_start(&traced, "target/usdt-gcc-O2", specs, 1);
	traced_observe(&traced, NULL, NULL, NULL);
	target_expect(&traced.target, "fire", "fired 1");
	target_expect(&traced.target, "fire", "fired 2");
	assert_int_equal(traced_stop(&traced), 2);
	for (uint64_t round = 1; round <= 2; round++) {
		const struct upm_event *event = traced_event(&traced, round - 1);

		assert_int_equal(event->kind, UPM_EVENT_USDT);
		assert_int_equal(event->argument_count, USDT_ROUND_COUNT);
		for (uint64_t i = 0; i < USDT_ROUND_COUNT; i++)
			assert_int_equal(event->arguments[i], i * round);
	}
	traced_finish(&traced);
}

/* The value that the name of a probe such as "global_s2" stands for. */
static uint64_t form_value(const char *symbol)
{
	const char *type = strrchr(symbol, '_') + 1;

#define VALUE(name, type_name, value)                                                              \
	if (strcmp(type, #name) == 0)                                                              \
		return (uint64_t)(type_name)(value);
	USDT_TYPES(VALUE)
	fail_msg("%s is of no known type", symbol);
	return 0;
}

static void check_forms(const char *program)
{
	const char *const specs[] = {"usdt:forms_*:*"};
	struct traced traced;
	size_t count;

	traced_start(&traced, program, specs, 1);
	traced_observe(&traced, NULL, NULL, NULL);
	target_expect(&traced.target, "fire", "fired 1");
	count = traced_stop(&traced);
	assert_true(count > 100);
	for (size_t i = 0; i < count; i++) {
		const struct upm_event *event = traced_event(&traced, i);
		struct upm_probe probe = {.size = sizeof(probe)};

		assert_upm_ok(upm_probe_set_get(traced.set, event->probe, &probe));
		assert_int_equal(event->argument_count, 2);
		assert_int_equal(event->unreadable, 0);
		assert_int_equal(event->arguments[0], form_value(probe.symbol));
		assert_int_equal(event->arguments[1], 1);
	}
	traced_finish(&traced);
}

static void usdt_forms(void **state)
{
	(void)state;
	check_forms("target/usdt-gcc-O2");
	check_forms("target/usdt-clang-O0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_and_when),	 cmocka_unit_test(registers_by_default),
		cmocka_unit_test(all_widths),	 cmocka_unit_test(twelve_arguments),
		cmocka_unit_test(strings),	 cmocka_unit_test(buffers),
		cmocka_unit_test(end_of_a_page), cmocka_unit_test(results),
		cmocka_unit_test(usdt_many),	 cmocka_unit_test(usdt_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

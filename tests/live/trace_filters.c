/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What is kept out of the events, and that it is counted. */
#include "trace_target.h"

#include <unistd.h>

#define WITH(...)                                                                                  \
	(&(const struct upm_trace_options){.size = sizeof(struct upm_trace_options), __VA_ARGS__})
#define BILLION 1000000000u

/* Have a command done, and check how many of the hits became events. */
static void check_trace(const char *spec, const struct upm_trace_options *trace,
			const struct trace_way *way, const char *command, uint64_t hits,
			uint64_t events)
{
	struct upm_trace_count counts;
	struct traced traced;

	traced_begin(&traced, spec, trace, way);
	traced_command(&traced, command);
	assert_int_equal(traced_stop(&traced), events);
	counts = traced_counts(&traced);
	assert_int_equal(counts.hits, hits);
	assert_int_equal(counts.events, events);
	assert_int_equal(counts.filtered, hits - events);
	traced_finish(&traced);
}

static void check_filter(const char *arguments, const char *filter, uint64_t events)
{
	for (size_t way = 0; way < trace_ways(); way++)
		check_trace("uprobe:counted",
			    WITH(.flags = trace_way(way)->pairs ? UPM_TRACE_RETURNS : 0,
				 .arguments = arguments, .filter = filter),
			    trace_way(way), "count 20", 20, events);
}

static void numbers(void **state)
{
	(void)state;
	check_filter("(long n)", "n == 7", 1);
	check_filter("(long n)", "n != 7", 19);
	check_filter("(long n)", "n < 7", 7);
	check_filter("(long n)", "n <= 7", 8);
	check_filter("(long n)", "n > 7", 12);
	check_filter("(long n)", "n >= 7 && n < 10", 3);
	check_filter("(long n)", "n & 3", 15);
	check_filter("(long n)", "n > -1", 20);
	check_filter("(unsigned char n)", "n < 200", 20);
	check_filter(NULL, "arg0 == 0x13", 1);
}

static void signed_and_unsigned(void **state)
{
	static const struct {
		const char *filter;
		uint64_t events;
	} cases[] = {
		{"s1 < 0 && s2 < 0 && s4 < 0 && s8 < 0", 1},
		{"s1 == -101 && s4 <= -1234567890", 1},
		{"s1 > 0", 0},
		{"u1 > 0xf0 && u4 > 4000000000", 1},
		{"u8 > 0x7fffffffffffffff", 1},
		{"u8 <= 0x7fffffffffffffff", 0},
		{"s1 < 0 && u1 == 1", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_trace("uprobe:integers",
			    WITH(.arguments =
					 "(int8_t s1, uint8_t u1, short s2, unsigned short u2, "
					 "int s4, unsigned u4, long s8, unsigned long u8)",
				 .filter = cases[i].filter),
			    NULL, "integers", 1, cases[i].events);
}

/* text() is called with ("short", long), (NULL, wrong) and ("", "/etc/passwd"). */
static void strings(void **state)
{
	static const struct {
		const char *filter;
		uint64_t events;
	} cases[] = {
		{"second == \"/etc/passwd\"", 1},
		{"second == \"/etc/passw\"", 0},
		{"second == \"/etc/passwd2\"", 0},
		{"second ^= \"/etc/\"", 1},
		{"second ^= \"\"", 2},
		{"second ^= \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"",
		 1},
		{"second == \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"",
		 0},
		{"second != \"/etc/passwd\"", 1}, /* what can not be read meets no condition */
		{"first == \"\"", 1},
		{"first != \"\"", 1},
		{"first == \"short\" && second ^= \"x\"", 1},
		{"first == \"short\" && second ^= \"/\"", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_trace("uprobe:text",
			    WITH(.flags = i % 2 ? UPM_TRACE_RETURNS : 0,
				 .arguments = "(char *first, char *second)",
				 .filter = cases[i].filter, .text_bytes = 8),
			    trace_way(i % trace_ways()), "text", 3, cases[i].events);
}

/* counted(n) returns n / 2; deep() calls itself, so that outer calls take longer. */
static void outcomes(void **state)
{
	(void)state;
	for (size_t way = 0; way < trace_ways(); way++) {
		check_trace("uprobe:counted",
			    WITH(.flags = UPM_TRACE_RETURNS, .arguments = "long f(long n)",
				 .filter = "n > 3 && result == 2"),
			    trace_way(way), "count 20", 20, 2);
		check_trace("uprobe:nap",
			    WITH(.flags = UPM_TRACE_RETURNS, .filter = "duration_ns > 1000000"),
			    trace_way(way), "nap 2000", 1, 1);
		check_trace("uprobe:nap",
			    WITH(.flags = UPM_TRACE_RETURNS, .filter = "duration_ns < 2000000"),
			    trace_way(way), "nap 2000", 1, 0);
	}
	check_trace("uretprobe:counted",
		    WITH(.arguments = "long f(long n)", .filter = "result >= 8"), NULL, "count 20",
		    20, 4);
}

static void refused(void **state)
{
	const char *const spec = "uprobe:counted";
	struct upm_observer *observer;
	struct traced traced;

	(void)state;
	traced_start(&traced, "target/traced", &spec, 1);
	assert_upm(upm_trace(traced.set, WITH(.filter = "nothing == 1"), NULL, &observer),
		   UPM_ERR_SPEC);
	assert_upm(upm_trace(traced.set, WITH(.arguments = "(int"), NULL, &observer), UPM_ERR_SPEC);
	assert_upm(upm_trace(traced.set, WITH(.flags = 64), NULL, &observer), UPM_ERR_INVALID);
	assert_upm(upm_trace(traced.set, WITH(.text_bytes = 4097), NULL, &observer),
		   UPM_ERR_INVALID);
	assert_upm(upm_trace(traced.set, WITH(.stack_frames = 128), NULL, &observer),
		   UPM_ERR_INVALID);
	assert_upm(upm_trace(traced.set, WITH(.tid_count = 1), NULL, &observer), UPM_ERR_INVALID);
	assert_upm(upm_trace(traced.set, WITH(.ring_bytes = UINT32_MAX), NULL, &observer),
		   UPM_ERR_INVALID);
	traced_finish(&traced);
}

/* ---- threads and processes */

static void names(void **state)
{
	(void)state;
	check_trace("uprobe:counted", WITH(.comm = "worker-2"), NULL, "threads 4 50", 200, 50);
	check_trace("uprobe:counted", WITH(.comm = "worker-"), NULL, "threads 4 50", 200, 0);
	check_trace("uprobe:counted", WITH(.comm = "worker-1", .flags = UPM_TRACE_RETURNS),
		    trace_way(trace_ways() - 1), "threads 4 50", 200, 50);
}

static void threads(void **state)
{
	const char *const spec = "uprobe:counted";
	struct traced traced;
	size_t count;
	int32_t tids[2];

	(void)state;
	traced_start(&traced, "target/traced", &spec, 1);
	tids[0] = traced.target.pid;
	tids[1] = 0x3fffffff;
	traced_observe(&traced, WITH(.tids = tids, .tid_count = 2), NULL, NULL);
	traced_command(&traced, "threads 3 40");
	traced_command(&traced, "count 30");
	count = traced_stop(&traced);
	assert_int_equal(count, 30);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(traced_event(&traced, i)->tid, tids[0]);
	assert_int_equal(traced_counts(&traced).filtered, 120);
	traced_finish(&traced);
}

static void other_processes(void **state)
{
	(void)state;
	for (size_t way = 0; way < trace_ways(); way++) {
		struct traced traced, other;

		traced_begin(&traced, "uprobe:counted", NULL, trace_way(way));
		traced_begin(&other, "uprobe:counted", NULL, trace_way(way));
		traced_command(&traced, "count 10");
		traced_command(&other, "count 20");
		assert_int_equal(traced_stop(&traced), 10);
		assert_int_equal(traced_counts(&traced).hits, 10);
		assert_int_equal(traced_stop(&other), 20);
		traced_finish(&other);
		traced_finish(&traced);
	}
}

static void children(void **state)
{
	const char *const spec = "uprobe:counted";
	unsigned long pids[2];

	(void)state;
	for (size_t way = 0; way < trace_ways(); way++) {
		struct upm_attach_options options;
		struct traced traced;

		traced_start(&traced, "target/traced", &spec, 1);
		options = options_for(&traced.target.pid);
		options.flags = UPM_ATTACH_CHILDREN;
		traced_observe(&traced, WITH(.flags = UPM_TRACE_RETURNS), trace_way(way), &options);
		assert_int_equal(sscanf(traced_command(&traced, "children 2 10"), "%lu %lu",
					&pids[0], &pids[1]),
				 2);
		assert_int_equal(traced_stop(&traced), 20);
		for (size_t i = 0; i < 20; i++) {
			assert_int_equal(traced_event(&traced, i)->pid, pids[i / 10]);
			assert_int_equal(traced_event(&traced, i)->result, i % 10 / 2);
		}
		traced_finish(&traced);
	}
}

/* ---- quotas */

static void sampling(void **state)
{
	(void)state;
	for (size_t way = 0; way < trace_ways(); way++) {
		struct upm_trace_count counts;
		struct traced traced;

		traced_begin(&traced, "uprobe:counted",
			     WITH(.flags = trace_way(way)->pairs ? UPM_TRACE_RETURNS : 0,
				  .sample = 10, .filter = "arg0 >= 100"),
			     trace_way(way));
		traced_command(&traced, "count 1100");
		traced_stop(&traced);
		counts = traced_counts(&traced);
		assert_int_equal(counts.hits, 1100);
		assert_int_equal(counts.lost + counts.unreturned, 0);
		/* Of each CPU that it ran on the first, and then every tenth. */
		assert_in_range(counts.events, 100, 100 + (uint64_t)sysconf(_SC_NPROCESSORS_CONF));
		assert_int_equal(traced_event(&traced, 0)->arguments[0], 100);
		traced_finish(&traced);
	}
}

/* In every second of the clock so many, and there are hits enough for all of them. */
static void rate(void **state)
{
	(void)state;
	for (size_t way = 0; way < trace_ways(); way++) {
		uint64_t first = UINT64_MAX, last = 0;
		struct traced traced;
		size_t count;

		traced_begin(&traced, "uprobe:counted", WITH(.rate = 10), trace_way(way));
		traced_command(&traced, "threads 4 500");
		count = traced_stop(&traced);
		for (size_t i = 0; i < count; i++) {
			uint64_t second = traced_event(&traced, i)->time_ns / BILLION;

			first = second < first ? second : first;
			last = second > last ? second : last;
		}
		assert_in_range(count, 10, 10 * (last - first + 1));
		assert_int_equal(traced_counts(&traced).filtered, 2000 - count);
		traced_finish(&traced);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),  cmocka_unit_test(signed_and_unsigned),
		cmocka_unit_test(strings),  cmocka_unit_test(outcomes),
		cmocka_unit_test(refused),  cmocka_unit_test(names),
		cmocka_unit_test(threads),  cmocka_unit_test(other_processes),
		cmocka_unit_test(children), cmocka_unit_test(sampling),
		cmocka_unit_test(rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Both placements see the same: calls, arguments, stacks, results; and leave the code as it was. */
#include "share_target.h"
#include "trace_target.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "attach/sys.h"

#define PROGRAM "target/placed"
#define MOST 64	 /* functions */
#define ROUNDS 7 /* calls of work_once() in the target */
#define WORK "work 7"

/* What one placement saw. */
struct seen {
	struct upm_probe probes[MOST];
	uint64_t hits[MOST];
	size_t count, moved;
};

static struct upm_attach_options placed_options(const struct traced *traced, uint32_t placement)
{
	struct upm_attach_options options = options_for(&traced->target.pid);

	options.placement = placement;
	return options;
}

static void start(struct traced *traced, const char *pattern)
{
	traced_start(traced, PROGRAM, &pattern, 1);
}

/* All executable bytes of the program in memory are those of the file. */
static bool code_is_clean(const struct traced *traced)
{
	char path[64], line[4096];
	unsigned long from, end, offset;
	bool clean = true;
	int memory, file = open(test_build_path(PROGRAM), O_RDONLY | O_CLOEXEC);
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/mem", traced->target.pid);
	memory = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/maps", traced->target.pid);
	maps = fopen(path, "re");
	assert_true(file >= 0 && memory >= 0 && maps);
	while (fgets(line, sizeof(line), maps)) {
		uint8_t wanted[8192] = {0}, found[8192] = {0};

		if (!strstr(line, "/" PROGRAM) ||
		    sscanf(line, "%lx-%lx r-xp %lx", &from, &end, &offset) != 3)
			continue;
		assert_true(end - from <= sizeof(wanted));
		assert_true(pread(file, wanted, end - from, (off_t)offset) > 0);
		assert_true(pread(memory, found, end - from, (off_t)from) > 0);
		clean = clean && memcmp(wanted, found, end - from) == 0;
	}
	fclose(maps);
	close(memory);
	close(file);
	return clean;
}

static void note(const struct upm_observer *observer, struct seen *seen)
{
	const struct upm_probe_set *set = upm_observer_probes(observer);

	seen->count = upm_probe_set_size(set);
	seen->moved = 0;
	assert_in_range(seen->count, 1, MOST);
	assert_upm_ok(upm_observer_hits(observer, seen->hits, seen->count));
	for (size_t i = 0; i < seen->count; i++) {
		seen->probes[i].size = sizeof(seen->probes[i]);
		assert_upm_ok(upm_probe_set_get(set, i, &seen->probes[i]));
		seen->moved += seen->probes[i].site_offset != seen->probes[i].offset;
	}
}

static void count_at(uint32_t placement, const char *spec, uint32_t backend, struct seen *seen)
{
	struct upm_observer *observer;
	struct upm_attach_options options;
	struct traced traced;

	start(&traced, spec);
	options = placed_options(&traced, placement);
	options.backend = backend;
	assert_upm_ok(upm_count(traced.set, &options, &observer));
	assert_int_equal(upm_link_skipped(upm_observer_link(observer)), 0);
	assert_false(code_is_clean(&traced));
	traced_command(&traced, WORK);
	assert_upm_ok(upm_observer_stop(observer, NULL));
	note(observer, seen);
	upm_observer_free(observer);
	for (int tries = 0; tries < 1500 && !code_is_clean(&traced); tries++)
		usleep(20000);
	assert_true(code_is_clean(&traced));
	traced_finish(&traced);
}

static void compare_counts(const char *spec, uint32_t backend, size_t least_moved)
{
	struct seen exact, cheap;

	count_at(UPM_PLACEMENT_EXACT, spec, backend, &exact);
	count_at(UPM_PLACEMENT_DEFAULT, spec, backend, &cheap);
	assert_int_equal(exact.moved, 0);
	assert_true(cheap.moved >= least_moved);
	assert_int_equal(exact.count, cheap.count);
	for (size_t i = 0; i < exact.count; i++) {
		if (exact.hits[i] != cheap.hits[i])
			fail_msg("%s: %llu at the entry, %llu at +%llu", cheap.probes[i].symbol,
				 (unsigned long long)exact.hits[i],
				 (unsigned long long)cheap.hits[i],
				 (unsigned long long)(cheap.probes[i].site_offset -
						      cheap.probes[i].offset));
		assert_true(exact.hits[i] % ROUNDS == 0 ||
			    strstr(exact.probes[i].symbol, "indirect"));
		assert_int_equal(cheap.probes[i].offset, exact.probes[i].offset);
	}
}

static void counts(void **state)
{
	(void)state;
	if (!has_multi())
		skip_because("this kernel has no uprobe multi link");
	compare_counts("uprobe:placed_*", UPM_BACKEND_UPROBE_MULTI, 10);
}

static void counts_by_perf_events(void **state)
{
	(void)state;
	compare_counts("uprobe:placed_*", UPM_BACKEND_PERF_EVENT, 10);
}

/* Return probes: behind endbr64 and what leaves the stack pointer alone. */
static void returns(void **state)
{
	(void)state;
	if (!has_multi())
		skip_because("this kernel has no uprobe multi link");
	compare_counts("uretprobe:placed_[abcgilmors]*", UPM_BACKEND_UPROBE_MULTI, 8);
}

/* ---- events */

struct events {
	struct upm_event items[512];
	uint64_t frames[512][8];
	char texts[512][32];
	size_t count, moved;
	uint64_t distances[MOST]; /* of the probes, from entry to site */
};

static void keep_event(const struct traced *traced, size_t index, bool text, struct events *events)
{
	const struct upm_event *event = traced_event(traced, index);
	size_t at = events->count++;
	uint32_t length;

	assert_true(at < 512);
	events->items[at] = *event;
	memset(events->frames[at], 0, sizeof(events->frames[at]));
	memcpy(events->frames[at], upm_batch_text(traced->batch) + event->stack_offset,
	       event->stack_count < 2 ? event->stack_count * 8 : 16);
	events->texts[at][0] = '\0';
	if (text)
		snprintf(events->texts[at], sizeof(events->texts[at]), "%s",
			 traced_text(traced, event, 0, &length));
}

static void trace_at(uint32_t placement, const char *spec, const struct upm_trace_options *trace,
		     const struct trace_way *way, struct events *events)
{
	struct upm_attach_options options;
	struct traced traced;
	struct seen seen;
	size_t count;

	events->count = 0;
	start(&traced, spec);
	options = placed_options(&traced, placement);
	traced_observe(&traced, trace, way, &options);
	traced_command(&traced, WORK);
	count = traced_stop(&traced);
	for (size_t i = 0; i < count; i++)
		keep_event(&traced, i, strstr(trace->arguments, "char"), events);
	note(traced.observer, &seen);
	events->moved = seen.moved;
	for (size_t i = 0; i < seen.count; i++)
		events->distances[i] = seen.probes[i].site_offset - seen.probes[i].offset;
	traced_finish(&traced);
}

/* Pointers into the stack and the program differ from run to run; their low bits do not. */
static bool same_value(uint64_t one, uint64_t other)
{
	bool pointers = one >> 32 && other >> 32;

	return pointers ? (one ^ other) % 16 == 0 : one == other;
}

static bool same_frames(const struct events *exact, const struct events *cheap, size_t event)
{
	const uint64_t *one = exact->frames[event], *other = cheap->frames[event];
	uint32_t probe = exact->items[event].probe;

	if (one[0] % 4096 == other[0] % 4096 && one[1] % 4096 == other[1] % 4096)
		return true;
	print_error("event %zu, probe %u: %u frames, %#" PRIx64 " and %#" PRIx64
		    "; placed at +%llu %u frames, %#" PRIx64 " and %#" PRIx64 "\n",
		    event, probe, exact->items[event].stack_count, one[0], one[1],
		    (unsigned long long)cheap->distances[probe], cheap->items[event].stack_count,
		    other[0], other[1]);
	return false;
}

static void compare_events(const struct events *exact, const struct events *cheap,
			   uint32_t arguments)
{
	size_t differ = 0;

	assert_int_equal(exact->count, cheap->count);
	assert_true(exact->count >= ROUNDS);
	for (size_t i = 0; i < exact->count; i++) {
		const struct upm_event *one = &exact->items[i], *other = &cheap->items[i];

		assert_int_equal(one->probe, other->probe);
		assert_int_equal(one->kind, other->kind);
		assert_int_equal(one->stack_count > 0, other->stack_count > 0);
		for (uint32_t at = 0; at < arguments; at++)
			assert_true(same_value(one->arguments[at], other->arguments[at]));
		differ += !same_frames(exact, cheap, i);
		assert_string_equal(exact->texts[i], cheap->texts[i]);
	}
	assert_int_equal(differ, 0);
}

static struct events exact_events, cheap_events;

static void compare_traces(const char *spec, const struct upm_trace_options *trace,
			   uint32_t arguments, size_t least_moved)
{
	for (size_t way = 0; way < trace_ways(); way++) {
		trace_at(UPM_PLACEMENT_EXACT, spec, trace, trace_way(way), &exact_events);
		trace_at(UPM_PLACEMENT_CHEAPEST, spec, trace, trace_way(way), &cheap_events);
		assert_int_equal(exact_events.moved, 0);
		assert_true(cheap_events.moved >= least_moved);
		compare_events(&exact_events, &cheap_events, arguments);
	}
}

static const struct upm_trace_options *with(uint32_t flags, const char *arguments)
{
	static struct upm_trace_options options;

	options = (struct upm_trace_options){
		.size = sizeof(options), .flags = flags, .arguments = arguments};
	return &options;
}

/* What none of these functions takes is whatever the caller left there. */
static void arguments(void **state)
{
	(void)state;
	compare_traces("uprobe:placed_[bcgmors]*", with(0, "(long a)"), 1, 5);
	compare_traces("uprobe:placed_many", with(0, "(long, long, long, long, long, long)"), 6, 0);
}

/* On the stack, below the return address. */
static void stacked_arguments(void **state)
{
	const char *signature = "(long, long, long, long, long, long, long g, long h)";

	(void)state;
	compare_traces("uprobe:placed_many", with(0, signature), 8, 0);
	for (size_t i = 0; i < cheap_events.count; i++)
		for (uint64_t at = 0; at < 8; at++)
			assert_int_equal(cheap_events.items[i].arguments[at], at + 1);
}

/* A text that the function changes in its first block. */
static void texts(void **state)
{
	(void)state;
	compare_traces("uprobe:placed_clears", with(0, "(char *text)"), 0, 0);
	assert_string_equal(cheap_events.texts[0], "+some \3\3\3t, and more");
	compare_traces("uprobe:placed_loop", with(0, "(char *text)"), 0, 1);
}

static void results(void **state)
{
	(void)state;
	compare_traces("uprobe:placed_[bgors]*", with(UPM_TRACE_RETURNS, "long (long a)"), 1, 4);
	for (size_t i = 0; i < exact_events.count; i++) {
		assert_int_equal(exact_events.items[i].result, cheap_events.items[i].result);
		assert_int_equal(cheap_events.items[i].kind, UPM_EVENT_CALL);
	}
}

/* Another observer's return probes at the entries: the kernel has then changed the return address
 * before anything behind an entry is hit. Stacks stay at the entries. */
static void stacks(void **state)
{
	struct upm_attach_options options = {.size = sizeof(options),
					     .placement = UPM_PLACEMENT_EXACT};
	char spec[PATH_MAX + 32];
	const char *const specs[] = {spec};
	struct upm_observer *other;
	struct upm_probe_set *set;

	(void)state;
	snprintf(spec, sizeof(spec), "uretprobe:%s:placed_[bgors]*", test_build_path(PROGRAM));
	assert_upm_ok(upm_resolve(specs, 1, NULL, &set));
	assert_upm_ok(upm_count(set, &options, &other));
	compare_traces("uprobe:placed_[bgors]*", with(UPM_TRACE_STACKS, "(long a)"), 1, 0);
	assert_int_equal(cheap_events.moved, 0);
	compare_traces("uprobe:placed_[bgors]*",
		       with(UPM_TRACE_RETURNS | UPM_TRACE_STACKS, "long (long a)"), 1, 0);
	upm_observer_free(other);
	upm_probe_set_free(set);
}

/* ---- times */

static void measure_at(uint32_t placement, struct seen *seen, uint64_t calls[MOST])
{
	struct upm_latency_snapshot *snapshot;
	struct upm_attach_options options;
	struct upm_observer *observer;
	struct traced traced;

	start(&traced, "uprobe:placed_[abcgilmors]*");
	options = placed_options(&traced, placement);
	assert_upm_ok(upm_latency(traced.set, NULL, &options, &observer));
	traced_command(&traced, WORK);
	assert_upm_ok(upm_observer_stop(observer, NULL));
	note(observer, seen);
	assert_upm_ok(upm_latency_read(observer, &snapshot));
	for (size_t i = 0; i < upm_latency_snapshot_size(snapshot); i++) {
		struct upm_latency_row row = {.size = sizeof(row)};

		assert_upm_ok(upm_latency_snapshot_get(snapshot, i, &row));
		calls[row.probe] = row.calls;
	}
	upm_latency_snapshot_free(snapshot);
	upm_observer_free(observer);
	traced_finish(&traced);
}

static void latencies(void **state)
{
	uint64_t exact_calls[MOST] = {0}, cheap_calls[MOST] = {0};
	struct seen exact, cheap;

	(void)state;
	measure_at(UPM_PLACEMENT_EXACT, &exact, exact_calls);
	measure_at(UPM_PLACEMENT_DEFAULT, &cheap, cheap_calls);
	assert_true(cheap.moved >= 8 && exact.moved == 0);
	assert_memory_equal(exact_calls, cheap_calls, sizeof(exact_calls));
	for (size_t i = 0; i < cheap.count; i++)
		assert_int_equal(exact.hits[i], cheap.hits[i]);
}

/* ---- who is placed, and who tells */

static void programs_of_ones_own(void **state)
{
	static const uint32_t placements[] = {UPM_PLACEMENT_DEFAULT, UPM_PLACEMENT_EXACT,
					      UPM_PLACEMENT_CHEAPEST};
	int program = load_nop(UPM_BPF_TRACE_UPROBE_MULTI);
	struct upm_attach_options options;
	struct upm_link *link;
	struct traced traced;

	(void)state;
	start(&traced, "uprobe:placed_*");
	for (size_t i = 0; i < 3; i++) {
		struct upm_probe probe = {.size = sizeof(probe)};
		size_t moved = 0;

		options = placed_options(&traced, placements[i]);
		assert_upm_ok(upm_attach(program, traced.set, &options, &link));
		for (size_t at = 0; at < upm_link_attached(link); at++) {
			assert_upm_ok(upm_link_attached_get(link, at, &probe));
			moved += probe.site_offset != probe.offset;
		}
		assert_true(placements[i] == UPM_PLACEMENT_CHEAPEST ? moved > 0 : moved == 0);
		upm_link_free(link);
	}
	options.placement = 3;
	assert_upm(upm_attach(program, traced.set, &options, &link), UPM_ERR_INVALID);
	close(program);
	traced_finish(&traced);
}

/* A pinned observer knows its sites. */
static void pins(void **state)
{
	const char *name = "placed";
	struct upm_observer *observer, *opened;
	struct upm_attach_options options;
	struct seen seen, again;
	struct traced traced;

	(void)state;
	start(&traced, "uprobe:placed_*");
	options = placed_options(&traced, UPM_PLACEMENT_DEFAULT);
	assert_upm_ok(upm_count(traced.set, &options, &observer));
	assert_upm_ok(upm_observer_pin(observer, name));
	assert_upm_ok(upm_observer_open(name, &opened));
	traced_command(&traced, WORK);
	note(observer, &seen);
	note(opened, &again);
	assert_int_equal(again.moved, seen.moved);
	for (size_t i = 0; i < seen.count; i++) {
		assert_int_equal(again.probes[i].site_offset, seen.probes[i].site_offset);
		assert_int_equal(again.probes[i].site_cost, seen.probes[i].site_cost);
		assert_int_equal(again.hits[i], seen.hits[i]);
	}
	upm_observer_free(opened);
	assert_upm_ok(upm_observer_unpin(name));
	upm_observer_free(observer);
	traced_finish(&traced);
}

/* ---- a site that the kernel refuses */

/* The kernel takes no two probes of one place with different reference counters. */
static int occupy(const struct upm_probe *probe, int program)
{
	const uint64_t counter = 2;
	const struct upm_multi_link request = {
		.program_fd = program,
		.attach_type = UPM_BPF_TRACE_UPROBE_MULTI,
		.path = probe->path,
		.offsets = &probe->site_offset,
		.ref_ctr_offsets = &counter,
		.count = 1,
		.pid = getpid(),
	};
	int link = upm_sys_link_multi(&request);

	assert_true(link >= 0);
	return link;
}

static void find_branch(const struct upm_probe_set *set, struct upm_probe *probe)
{
	*probe = (struct upm_probe){.size = sizeof(*probe)};
	for (size_t i = 0; i < upm_probe_set_size(set); i++) {
		assert_upm_ok(upm_probe_set_get(set, i, probe));
		if (strcmp(probe->symbol, "placed_branch") == 0)
			return;
	}
	fail_msg("placed_branch is not among the probes");
}

static void go_back_to_the_entry(uint32_t backend)
{
	int program = load_nop(UPM_BPF_TRACE_UPROBE_MULTI), link;
	struct upm_attach_options options;
	struct upm_observer *observer;
	struct upm_probe probe;
	struct traced traced;
	struct seen seen;

	start(&traced, "uprobe:placed_[bcms]*");
	options = placed_options(&traced, UPM_PLACEMENT_DEFAULT);
	options.backend = backend;
	options.flags = UPM_ATTACH_STRICT;
	assert_upm_ok(upm_probe_set_place(traced.set, UPM_OBSERVER_COUNT));
	find_branch(traced.set, &probe);
	assert_int_not_equal(probe.site_offset, probe.offset);
	link = occupy(&probe, program);
	assert_upm_ok(upm_count(traced.set, &options, &observer));
	assert_int_equal(upm_link_skipped(upm_observer_link(observer)), 0);
	find_branch(upm_observer_probes(observer), &probe);
	assert_int_equal(probe.site_offset, probe.offset);
	assert_int_equal(probe.site_cost, UPM_COST_STEPPED);
	traced_command(&traced, WORK);
	note(observer, &seen);
	assert_true(seen.moved > 0);
	for (size_t i = 0; i < seen.count; i++)
		assert_true(seen.hits[i] > 0);
	upm_observer_free(observer);
	find_branch(traced.set, &probe); /* the caller's set is as it was */
	assert_int_not_equal(probe.site_offset, probe.offset);
	close(link);
	close(program);
	traced_finish(&traced);
}

static void refused_sites(void **state)
{
	(void)state;
	if (!has_multi())
		skip_because("only multi links have reference counters that can be set apart");
	go_back_to_the_entry(UPM_BACKEND_UPROBE_MULTI);
	go_back_to_the_entry(UPM_BACKEND_PERF_EVENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts),
		cmocka_unit_test(counts_by_perf_events),
		cmocka_unit_test(returns),
		cmocka_unit_test(arguments),
		cmocka_unit_test(stacked_arguments),
		cmocka_unit_test(texts),
		cmocka_unit_test(results),
		cmocka_unit_test(stacks),
		cmocka_unit_test(latencies),
		cmocka_unit_test(programs_of_ones_own),
		cmocka_unit_test(pins),
		cmocka_unit_test(refused_sites),
	};

	return cmocka_run_group_tests(tests, share_mount_bpffs, NULL);
}

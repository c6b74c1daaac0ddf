// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "faults/cycles.h"

#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "attach/features.h"
#include "base/error.h"
#include "faults/faults.h"
#include "live_target.h"

#define PIN "faults"
#define LINK_PIN "/sys/fs/bpf/upm-faults"
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static struct target known;
static const char *step = "";
static char known_path[PATH_MAX], usdt_path[PATH_MAX], object_path[PATH_MAX];

/* Remember the call, and return what it gives. */
#define TRY(call) (step = #call, (call))

const char *cycles_step(void)
{
	return step;
}

void cycles_die(const char *format, ...)
{
	size_t used = strlen(faults->said);
	va_list arguments;

	faults_disarm();
	va_start(arguments, format);
	vsnprintf(faults->said + used, sizeof(faults->said) - used, format, arguments);
	va_end(arguments);
	_exit(3);
}

void cycles_begin(void)
{
	snprintf(known_path, sizeof(known_path), "%s", test_build_path("target/known"));
	snprintf(usdt_path, sizeof(usdt_path), "%s", test_build_path("target/usdt-gcc-O2"));
	snprintf(object_path, sizeof(object_path), "%s",
		 test_build_path("tests/bpf/sections.bpf.o"));
	target_start(&known);
}

int cycles_target_is_clean(void)
{
	return text_becomes_clean(known.pid);
}

void cycles_end(void)
{
	target_stop(&known);
}

/* Have the target call its first functions once; the library has no part in it. */
static void call_functions(void)
{
	static const char command[] = "call times=1 functions=20\n", wanted[] = "call total=20\n";
	char answer[64];
	size_t got = 0;
	bool armed = faults->armed;

	faults_disarm();
	if (write(fileno(known.commands), command, sizeof(command) - 1) < 0)
		cycles_die("the target does not listen");
	while (got < sizeof(wanted) - 1) {
		ssize_t bytes = read(fileno(known.answers), answer + got, sizeof(wanted) - 1 - got);

		if (bytes <= 0)
			cycles_die("the target has ended");
		got += (size_t)bytes;
	}
	if (memcmp(answer, wanted, got) != 0)
		cycles_die("the target answers otherwise");
	if (armed)
		faults_arm();
}

/* ---- what must hold of results */

static void check_skipped(const struct upm_link *link)
{
	for (size_t i = 0; i < upm_link_skipped(link); i++) {
		struct upm_probe probe = {.size = sizeof(probe)};

		if (upm_link_skipped_get(link, i, &probe) || probe.verdict == UPM_VERDICT_OK ||
		    !*probe.reason)
			cycles_die("skipped probe %zu of %s has no reason", i, probe.spec);
	}
}

/* Of so many probes asked for, each is attached or skipped with its reason. */
static void check_complete(const struct upm_probe_set *set, const struct upm_link *link,
			   size_t wanted)
{
	size_t attached = upm_link_attached(link), skipped = upm_link_skipped(link);

	if (attached + skipped != upm_probe_set_size(set))
		cycles_die("%zu attached and %zu skipped of %zu", attached, skipped,
			   upm_probe_set_size(set));
	if (attached > wanted || (attached < wanted && !skipped))
		cycles_die("%zu attached of %zu, %zu skipped", attached, wanted, skipped);
	check_skipped(link);
}

/* Each attached probe was hit once. */
static void check_hits(const struct upm_observer *observer)
{
	const struct upm_probe_set *set = upm_observer_probes(observer);
	uint64_t hits[64] = {0}, total = 0;
	size_t count = upm_probe_set_size(set);

	if (count > COUNT_OF(hits) || upm_observer_hits(observer, hits, count))
		cycles_die("hits can not be read: %s", upm_error_last()->message);
	for (size_t i = 0; i < count; i++)
		total += hits[i];
	if (total != upm_link_attached(upm_observer_link(observer)))
		cycles_die("%llu hits in %zu attached probes", (unsigned long long)total,
			   upm_link_attached(upm_observer_link(observer)));
}

/* ---- the cycles */

/* The specs that a cycle observes: the same functions, in as many ways as it has specs. */
static int32_t resolve(const char *const *patterns, size_t count, struct upm_probe_set **set)
{
	const struct upm_resolve_options options = {
		.size = sizeof(options), .pids = &known.pid, .pid_count = 1};
	char specs[4][PATH_MAX + 64];
	const char *list[4];

	for (size_t i = 0; i < count; i++) {
		snprintf(specs[i], sizeof(specs[i]), patterns[i], known_path);
		list[i] = specs[i];
	}
	return TRY(upm_resolve(list, count, &options, set));
}

static const char *const counted[] = {"uprobe:%s:known_000?", "uretprobe:%s:known_001?",
				      "libknown.so:/^shared_000[0-9]$/"};
#define COUNTED 30

static int32_t count_with(const struct upm_attach_options *options)
{
	struct upm_probe_set *set = NULL;
	struct upm_observer *observer = NULL;
	int32_t status = resolve(counted, COUNT_OF(counted), &set);

	if (!status)
		status = TRY(upm_count(set, options, &observer));
	if (!status) {
		check_complete(set, upm_observer_link(observer), COUNTED);
		call_functions();
		check_hits(observer);
		status = TRY(upm_observer_stop(observer, NULL));
	}
	if (!status)
		check_hits(observer);
	upm_observer_free(observer);
	upm_probe_set_free(set);
	return status;
}

static int32_t cycle_count(void)
{
	const struct upm_attach_options options = options_for(&known.pid);

	return count_with(&options);
}

static int32_t cycle_children(void)
{
	struct upm_attach_options options = options_for(&known.pid);

	options.flags = UPM_ATTACH_CHILDREN;
	return count_with(&options);
}

static const char *const entries[] = {"uprobe:%s:known_000?", "%s:no_such_function"};
#define ENTRIES 10

static int32_t cycle_perf(void)
{
	static const char *const few[] = {"uprobe:%s:known_000[0-2]"};
	struct upm_attach_options options = options_for(&known.pid);
	struct upm_probe_set *set = NULL;
	struct upm_observer *observer = NULL;
	int32_t status = resolve(few, 1, &set);

	options.backend = UPM_BACKEND_PERF_EVENT;
	if (!status)
		status = TRY(upm_count(set, &options, &observer));
	if (!status) {
		check_complete(set, upm_observer_link(observer), 3);
		call_functions();
		check_hits(observer);
	}
	upm_observer_free(observer);
	upm_probe_set_free(set);
	return status;
}

static void check_rows(const struct upm_latency_snapshot *snapshot, size_t rows)
{
	if (upm_latency_snapshot_size(snapshot) != rows)
		cycles_die("%zu rows of %zu", upm_latency_snapshot_size(snapshot), rows);
	for (size_t i = 0; i < rows; i++) {
		struct upm_latency_row row = {.size = sizeof(row)};

		if (upm_latency_snapshot_get(snapshot, i, &row) || row.calls != 1 ||
		    row.entries != 1)
			cycles_die("row %zu has %llu calls", i, (unsigned long long)row.calls);
	}
}

static int32_t read_latency(const struct upm_observer *observer)
{
	struct upm_latency_snapshot *before = NULL, *after = NULL, *between = NULL;
	size_t rows = upm_link_attached(upm_observer_link(observer));
	int32_t status = TRY(upm_latency_read(observer, &before));

	if (!status) {
		call_functions();
		status = TRY(upm_latency_read(observer, &after));
	}
	if (!status)
		status = TRY(upm_latency_snapshot_diff(after, before, &between));
	if (!status)
		check_rows(between, rows);
	upm_latency_snapshot_free(before);
	upm_latency_snapshot_free(after);
	upm_latency_snapshot_free(between);
	return status;
}

static int32_t cycle_latency(void)
{
	const struct upm_attach_options options = options_for(&known.pid);
	const struct upm_latency_options latency = {.size = sizeof(latency),
						    .split = UPM_SPLIT_THREAD};
	struct upm_probe_set *set = NULL;
	struct upm_observer *observer = NULL;
	int32_t status = resolve(entries, COUNT_OF(entries), &set);

	if (!status)
		status = TRY(upm_latency(set, &latency, &options, &observer));
	if (!status) {
		check_complete(set, upm_observer_link(observer), ENTRIES);
		status = read_latency(observer);
	}
	upm_observer_free(observer);
	upm_probe_set_free(set);
	return status;
}

/* What is at the top of a stack is the function itself, or not known. */
static int32_t name_top(struct upm_symbolizer *symbolizer, const struct upm_batch *batch,
			const struct upm_event *event)
{
	struct upm_place place = {.size = sizeof(place)};
	uint64_t address;
	int32_t status;

	if (!event->stack_count)
		return UPM_OK;
	memcpy(&address, upm_batch_text(batch) + event->stack_offset, sizeof(address));
	status = TRY(upm_symbolizer_find(symbolizer, (int32_t)event->pid, address, 0, &place));
	if (!status && *place.symbol && strncmp(place.symbol, "known_000", 9) != 0)
		cycles_die("the top of a stack is %s", place.symbol);
	return status;
}

static int32_t read_events(struct upm_observer *observer, struct upm_symbolizer *symbolizer)
{
	size_t attached = upm_link_attached(upm_observer_link(observer));
	struct upm_batch *batch = NULL;
	int32_t status = TRY(upm_batch_new(0, 0, &batch));

	if (!status) {
		call_functions();
		status = TRY(upm_observer_stop(observer, NULL));
	}
	if (!status)
		status = TRY(upm_trace_read(observer, batch, 0));
	if (!status && upm_batch_size(batch) != attached)
		cycles_die("%zu events of %zu", upm_batch_size(batch), attached);
	for (size_t i = 0; !status && i < attached; i++)
		status = name_top(symbolizer, batch, &upm_batch_events(batch)[i]);
	upm_batch_free(batch);
	return status;
}

static int32_t cycle_trace(void)
{
	const struct upm_attach_options options = options_for(&known.pid);
	const struct upm_trace_options trace = {
		.size = sizeof(trace),
		.flags = UPM_TRACE_RETURNS | UPM_TRACE_STACKS,
		.ring_bytes = 1 << 20,
		.arguments = "int (char *path, int n, char data[n])",
		.filter = "duration_ns >= 0",
	};
	struct upm_probe_set *set = NULL;
	struct upm_observer *observer = NULL;
	struct upm_symbolizer *symbolizer = NULL;
	int32_t status = resolve(entries, COUNT_OF(entries), &set);

	if (!status)
		status = TRY(upm_symbolizer_new(&symbolizer));
	if (!status)
		status = TRY(upm_trace(set, &trace, &options, &observer));
	if (!status) {
		check_complete(set, upm_observer_link(observer), ENTRIES);
		status = read_events(observer, symbolizer);
	}
	upm_symbolizer_free(symbolizer);
	upm_observer_free(observer);
	upm_probe_set_free(set);
	return status;
}

/* Every call site of a program that nobody runs. */
static int32_t cycle_usdt(void)
{
	char spec[PATH_MAX + 64];
	const char *const specs[] = {spec};
	struct upm_probe_set *set = NULL;
	struct upm_observer *observer = NULL;
	int32_t status;

	snprintf(spec, sizeof(spec), "usdt:%s:forms:*", usdt_path);
	status = TRY(upm_resolve(specs, 1, NULL, &set));
	if (!status)
		status = TRY(upm_trace(set, NULL, NULL, &observer));
	if (!status)
		check_complete(set, upm_observer_link(observer), upm_probe_set_size(set));
	upm_observer_free(observer);
	upm_probe_set_free(set);
	return status;
}

/* Perf events do not tell what they are at. */
static bool is_whole(const struct upm_link *opened, const struct upm_link *link)
{
	return upm_kernel_features()->uprobe_multi != UPM_YES ||
	       upm_link_attached(opened) == upm_link_attached(link);
}

static int32_t pin_and_open(struct upm_link *link)
{
	struct upm_link *again = NULL;
	struct upm_error_copy error;
	int32_t status = TRY(upm_link_pin(link, LINK_PIN));

	if (status)
		return status;
	status = TRY(upm_link_open(LINK_PIN, &again));
	if (!status && !is_whole(again, link))
		cycles_die("%zu probes are pinned of %zu", upm_link_attached(again),
			   upm_link_attached(link));
	upm_link_free(again);
	if (!status)
		status = TRY(upm_link_unpin(LINK_PIN));
	if (!status)
		return UPM_OK;
	faults_disarm();
	upm_error_take(&error);
	if (access(LINK_PIN, F_OK) == 0 && upm_link_unpin(LINK_PIN))
		cycles_die("the link can not be unpinned: %s", upm_error_last()->message);
	upm_error_put_back(&error);
	return status;
}

static int32_t cycle_object(void)
{
	const struct upm_attach_options options = options_for(&known.pid);
	char spec[PATH_MAX + 64];
	const char *const specs[] = {spec};
	struct upm_object *object = NULL;
	struct upm_link *link = NULL;
	int32_t status = TRY(upm_object_open(object_path, &object));

	snprintf(spec, sizeof(spec), "%s:known_000?", known_path);
	if (!status)
		status = TRY(upm_object_attach(object, "entry", specs, 1, &options, &link));
	if (!status) {
		check_skipped(link);
		call_functions();
		status = pin_and_open(link);
	}
	upm_link_free(link);
	upm_object_free(object);
	return status;
}

static int32_t open_and_list(void)
{
	struct upm_observer *again = NULL;
	struct upm_pinned_list *list = NULL;
	int32_t status = TRY(upm_observer_open(PIN, &again));

	if (!status) {
		check_hits(again);
		status = TRY(upm_pinned_list(NULL, &list));
	}
	if (!status && upm_pinned_list_size(list) != 1)
		cycles_die("%zu observers are listed", upm_pinned_list_size(list));
	upm_pinned_list_free(list);
	upm_observer_free(again);
	return status;
}

/* As a user would: by the names that are listed, unfinished ones too. */
static void unpin_all(void)
{
	struct upm_pinned pinned = {.size = sizeof(pinned)};
	struct upm_pinned_list *list;

	if (access(UPM_PIN_DIRECTORY, F_OK))
		return;
	if (upm_pinned_list(NULL, &list))
		cycles_die("pins can not be listed: %s", upm_error_last()->message);
	for (size_t i = 0; upm_pinned_list_get(list, i, &pinned) == UPM_OK; i++)
		if (upm_observer_unpin(pinned.name))
			cycles_die("%s can not be unpinned: %s", pinned.name,
				   upm_error_last()->message);
	upm_pinned_list_free(list);
}

/* What is pinned stays until it is unpinned: without faults, if need be. */
static int32_t unpin(int32_t status)
{
	struct upm_error_copy error;

	if (!status)
		status = TRY(upm_observer_unpin(PIN));
	if (!status)
		return UPM_OK;
	faults_disarm();
	upm_error_take(&error);
	unpin_all();
	upm_error_put_back(&error);
	return status;
}

static int32_t cycle_pinned(void)
{
	const struct upm_attach_options options = options_for(&known.pid);
	struct upm_probe_set *set = NULL;
	struct upm_observer *observer = NULL;
	int32_t status = resolve(entries, COUNT_OF(entries), &set);

	if (!status)
		status = TRY(upm_count(set, &options, &observer));
	if (!status)
		status = TRY(upm_observer_pin(observer, PIN));
	if (!status) {
		call_functions();
		status = unpin(open_and_list());
	}
	upm_observer_free(observer);
	upm_probe_set_free(set);
	return status;
}

const struct cycle fault_cycles[] = {
	{"count", cycle_count},	      {"latency", cycle_latency}, {"trace", cycle_trace},
	{"usdt", cycle_usdt},	      {"object", cycle_object},	  {"pinned", cycle_pinned},
	{"children", cycle_children}, {"perf", cycle_perf},
};
const size_t fault_cycle_count = COUNT_OF(fault_cycles);

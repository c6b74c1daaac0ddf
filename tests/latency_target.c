/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "latency_target.h"

#include <limits.h>
#include <string.h>

static const struct way ways[] = {
	{UPM_LATENCY_SESSION, UPM_BACKEND_UPROBE_MULTI},
	{UPM_LATENCY_PAIR, UPM_BACKEND_UPROBE_MULTI},
	{UPM_LATENCY_PAIR, UPM_BACKEND_PERF_EVENT},
};

/* The first ones are those that need most of the kernel. */
static size_t beyond_kernel(void)
{
	return has_sessions() ? 0 : has_multi() ? 1 : 2;
}

size_t latency_ways(void)
{
	return sizeof(ways) / sizeof(ways[0]) - beyond_kernel();
}

const struct way *latency_way(size_t index)
{
	assert_true(index < latency_ways());
	return &ways[beyond_kernel() + index];
}

struct upm_probe_set *resolve_timed(const char *kind, const char *pattern)
{
	struct upm_probe_set *set;
	char spec[PATH_MAX + 64];
	const char *specs[] = {spec};

	/* The program catches exceptions, and no measured function but the catcher sees one. */
	const struct upm_resolve_options options = {.size = sizeof(options),
						    .flags = UPM_RESOLVE_ACCEPT_UNWINDING};

	snprintf(spec, sizeof(spec), "%s:%s:%s", kind, test_build_path("target/timed"), pattern);
	assert_upm_ok(upm_resolve(specs, 1, &options, &set));
	return set;
}

void run_begin(struct run *run, const struct way *way, const char *pattern,
	       const struct upm_latency_options *latency, uint32_t flags)
{
	struct upm_attach_options options;

	memset(run, 0, sizeof(*run));
	target_start_program(&run->target, test_build_path("target/timed"));
	run->set = resolve_timed("uprobe", pattern);
	options = options_for(&run->target.pid);
	options.backend = way->backend;
	options.flags = flags;
	assert_upm_ok(upm_latency_measure(way->form, run->set, latency, &options, &run->observer));
	assert_int_equal(upm_link_skipped(upm_observer_link(run->observer)), 0);
}

const char *run_command(struct run *run, const char *command)
{
	size_t length = strcspn(command, " ");

	target_send(&run->target, command);
	assert_memory_equal(target_answer(&run->target), command, length);
	return run->target.answer + length;
}

void run_read(struct run *run)
{
	upm_latency_snapshot_free(run->snapshot);
	run->snapshot = NULL;
	assert_upm_ok(upm_latency_read(run->observer, &run->snapshot));
}

void run_finish(struct run *run)
{
	upm_latency_snapshot_free(run->snapshot);
	upm_observer_free(run->observer);
	upm_probe_set_free(run->set);
	target_stop(&run->target);
}

struct upm_latency_row row_at(const struct upm_latency_snapshot *snapshot, size_t index)
{
	struct upm_latency_row row = {.size = sizeof(row)};

	assert_upm_ok(upm_latency_snapshot_get(snapshot, index, &row));
	return row;
}

struct upm_latency_row only_row(const struct upm_latency_snapshot *snapshot)
{
	assert_int_equal(upm_latency_snapshot_size(snapshot), 1);
	assert_int_equal(upm_latency_snapshot_lost(snapshot), 0);
	return row_at(snapshot, 0);
}

void assert_row(const struct upm_latency_row *row, uint64_t entries, uint64_t calls)
{
	assert_int_equal(row->entries, entries);
	assert_int_equal(row->calls, calls);
	assert_int_equal(row->unreturned, entries - calls);
	if (calls)
		assert_true(row->min_ns <= row->max_ns && row->sum_ns >= row->max_ns);
	else
		assert_true(row->min_ns == 0 && row->max_ns == 0 && row->sum_ns == 0);
}

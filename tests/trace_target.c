/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "trace_target.h"

#include <limits.h>
#include <string.h>

#include "trace/trace.h"

static const struct trace_way ways[] = {
	{UPM_BACKEND_UPROBE_MULTI, false},
	{UPM_BACKEND_UPROBE_MULTI, true},
	{UPM_BACKEND_PERF_EVENT, true},
};

static size_t beyond_kernel(void)
{
	return has_multi() ? 0 : 2;
}

size_t trace_ways(void)
{
	return sizeof(ways) / sizeof(ways[0]) - beyond_kernel();
}

const struct trace_way *trace_way(size_t index)
{
	assert_true(index < trace_ways());
	return &ways[beyond_kernel() + index];
}

/* "KIND:REST" becomes "KIND:PROGRAM:REST". */
static char *full_spec(const char *program, const char *spec)
{
	size_t kind = strcspn(spec, ":") + 1, size = strlen(spec) + PATH_MAX;
	char *full = malloc(size);

	assert_non_null(full);
	snprintf(full, size, "%.*s%s:%s", (int)kind, spec, test_build_path(program), spec + kind);
	return full;
}

void traced_start(struct traced *traced, const char *program, const char *const *specs,
		  size_t count)
{
	char *full[4];

	assert_true(count <= 4);
	memset(traced, 0, sizeof(*traced));
	target_start_program(&traced->target, test_build_path(program));
	for (size_t i = 0; i < count; i++)
		full[i] = full_spec(program, specs[i]);
	assert_upm_ok(upm_resolve((const char *const *)full, count, NULL, &traced->set));
	for (size_t i = 0; i < count; i++)
		free(full[i]);
	assert_upm_ok(upm_batch_new(1 << 17, 8 << 20, &traced->batch));
}

void traced_observe(struct traced *traced, const struct upm_trace_options *trace,
		    const struct trace_way *way, const struct upm_attach_options *options)
{
	struct upm_attach_options ours = options ? *options : options_for(&traced->target.pid);

	if (!way)
		way = trace_way(0);
	ours.backend = way->backend;
	assert_upm_ok(upm_trace_as(traced->set, trace, &ours, way->pairs, &traced->observer));
	assert_int_equal(upm_link_attached(upm_observer_link(traced->observer)),
			 upm_probe_set_size(traced->set));
}

void traced_begin(struct traced *traced, const char *spec, const struct upm_trace_options *trace,
		  const struct trace_way *way)
{
	traced_start(traced, "target/traced", &spec, 1);
	traced_observe(traced, trace, way, NULL);
}

const char *traced_command(struct traced *traced, const char *command)
{
	size_t length = strcspn(command, " ");
	const char *answer;

	target_send(&traced->target, command);
	answer = target_answer(&traced->target);
	assert_memory_equal(answer, command, length);
	assert_memory_equal(answer + length, " done", 5);
	return answer + length + 5;
}

size_t traced_stop(struct traced *traced)
{
	assert_upm_ok(upm_observer_stop(traced->observer, NULL));
	assert_upm_ok(upm_trace_read(traced->observer, traced->batch, -1));
	return upm_batch_size(traced->batch);
}

const struct upm_event *traced_event(const struct traced *traced, size_t index)
{
	assert_true(index < upm_batch_size(traced->batch));
	return &upm_batch_events(traced->batch)[index];
}

const char *traced_text(const struct traced *traced, const struct upm_event *event,
			uint32_t argument, uint32_t *length)
{
	uint64_t place = event->arguments[argument];

	assert_true(argument < event->argument_count);
	*length = place >> 32;
	assert_true((uint32_t)place + *length < upm_batch_text_size(traced->batch));
	return upm_batch_text(traced->batch) + (uint32_t)place;
}

void assert_argument_text(const struct traced *traced, const struct upm_event *event,
			  uint32_t argument, const char *text)
{
	uint32_t length;

	assert_string_equal(traced_text(traced, event, argument, &length), text);
	assert_int_equal(length, strlen(text));
}

/* File offset of an address in the executable; 0 = not in it. */
static uint64_t executable_offset(const struct traced *traced, uint64_t address)
{
	char path[64], line[PATH_MAX + 128];
	unsigned long start, end, from;
	uint64_t found = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", traced->target.pid);
	maps = fopen(path, "re");
	assert_non_null(maps);
	while (!found && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx r-xp %lx", &start, &end, &from) == 3 &&
		    strstr(line, "/target/traced") && address >= start && address < end)
			found = address - start + from;
	fclose(maps);
	return found;
}

const char *traced_function(const struct traced *traced, uint64_t address)
{
	uint64_t offset = executable_offset(traced, address);
	const char *program = test_build_path("target/traced");
	struct upm_probe probe = {.size = sizeof(probe)};
	static char name[64];
	struct upm_probe_set *set;

	*name = '\0';
	if (!offset)
		return name;
	assert_upm_ok(upm_probe_set_new(&set));
	assert_upm_ok(upm_probe_set_add(set, UPM_KIND_UPROBE, &program, &offset, NULL, NULL, 1));
	assert_upm_ok(upm_probe_set_get(set, 0, &probe));
	snprintf(name, sizeof(name), "%s", probe.symbol);
	upm_probe_set_free(set);
	return name;
}

struct upm_trace_count traced_counts(const struct traced *traced)
{
	size_t probes = upm_probe_set_size(traced->set);
	struct upm_trace_count *counts = calloc(probes, sizeof(*counts)), sum = {0};

	assert_non_null(counts);
	assert_upm_ok(upm_trace_counts(traced->observer, counts, probes));
	for (size_t i = 0; i < probes; i++) {
		assert_int_equal(counts[i].hits, counts[i].events + counts[i].filtered +
							 counts[i].lost + counts[i].unreturned);
		sum.hits += counts[i].hits;
		sum.events += counts[i].events;
		sum.filtered += counts[i].filtered;
		sum.lost += counts[i].lost;
		sum.unreturned += counts[i].unreturned;
		sum.refused += counts[i].refused;
		assert_true(counts[i].refused <= counts[i].lost);
	}
	free(counts);
	assert_int_equal(total_hits(traced->observer, probes), sum.hits);
	return sum;
}

void traced_finish(struct traced *traced)
{
	upm_batch_free(traced->batch);
	upm_observer_free(traced->observer);
	upm_probe_set_free(traced->set);
	target_stop(&traced->target);
}

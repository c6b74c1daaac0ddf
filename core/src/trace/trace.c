/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The tracing observer: kernel/bpf/trace.bpf.c, its maps, and what becomes of hits. */
#include "trace/trace.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attach/features.h"
#include "base/clock.h"
#include "base/error.h"
#include "observe/map_form.h"
#include "observe/shipped.h"
#include "resolve/probe_name.h"
#include "share/events.h"
#include "trace/layout.h"
#include "trace/needs.h"

static const char operation[] = "trace probes";
static const char counters_map[] = "upm_counters", ring_map[] = "upm_ring";
static const char calls_map[] = "upm_calls", shared_map[] = "upm_shared";

static const struct upm_trace_options *options_of(const struct upm_observation *observation)
{
	const struct upm_trace_request *request = observation->request;

	return &request->options;
}

/* ---- before the load */

static bool has_kind(const struct upm_probe_set *set, uint8_t kinds)
{
	for (size_t i = 0; i < set->table->probes.count; i++)
		if (kinds & 1u << set->table->probes.items[i].kind)
			return true;
	return false;
}

static int add_program(struct upm_observation *observation, struct upm_observer *observer,
		       const char *name, enum upm_bpf_attach_type type,
		       struct upm_attach_program program)
{
	size_t at = observation->program_count++;

	observation->program_names[at] = name;
	observation->programs[at] = program;
	return upm_shipped_choose(operation, observer->object, name, type);
}

/* Of a pair the return comes first, and goes last (link.c detaches in the reverse order): what is
 * seen to begin is then seen to end. observe/latency.c says more. */
static int add_call_programs(struct upm_observation *observation, struct upm_observer *observer,
			     enum upm_bpf_attach_type type)
{
	struct upm_attach_program program = {.kinds = 1 << UPM_KIND_UPROBE};
	const struct upm_trace_request *request = observation->request;
	int status;

	if (type == UPM_BPF_TRACE_UPROBE_MULTI && !request->pairs &&
	    upm_kernel_features()->session == UPM_YES)
		return add_program(observation, observer, "trace_session",
				   UPM_BPF_TRACE_UPROBE_SESSION, program);
	program.moment = UPM_MOMENT_RETURN;
	status = add_program(observation, observer, "trace_leave", type, program);
	program.moment = UPM_MOMENT_ENTRY;
	return status ? status : add_program(observation, observer, "trace_enter", type, program);
}

/* Entry and return of functions, where both are wanted; everything else by one program. */
static int choose_programs(struct upm_observation *observation, struct upm_observer *observer,
			   bool returns)
{
	enum upm_bpf_attach_type type = observation->backend == UPM_BACKEND_UPROBE_MULTI
						? UPM_BPF_TRACE_UPROBE_MULTI
						: UPM_BPF_ATTACH_PLAIN;
	const uint8_t calls = returns ? 1 << UPM_KIND_UPROBE : 0;
	const struct upm_attach_program program = {.kinds = UPM_ALL_KINDS & ~calls};
	int status = UPM_OK;

	if (!calls || has_kind(observation->set, program.kinds))
		status = add_program(observation, observer, "trace_hit", type, program);
	if (!status && calls)
		status = add_call_programs(observation, observer, type);
	return status;
}

/* Of an element of upm_calls. */
static uint32_t call_size(const struct upm_trace_config *config)
{
	return config->returns ? upm_trace_record_size(config)
			       : (uint32_t)sizeof(struct upm_trace_record);
}

static void size_maps(struct bpf_object *object, const struct upm_trace_options *trace,
		      const struct upm_trace *state)
{
	const struct upm_trace_config *config = &state->config;
	uint32_t element = call_size(config);

	upm_shipped_size_map(object, ring_map, upm_trace_ring_bytes(trace, config), false);
	upm_shipped_size_map(object, counters_map, upm_counters_elements(&config->counters), true);
	upm_shipped_size_map(object, "upm_probes", config->probes ? config->probes : 1, false);
	upm_shipped_size_map(object, "upm_lists",
			     state->lists.lists.count ? (uint32_t)state->lists.lists.count : 1,
			     false);
	upm_shipped_size_map(object, "upm_threads",
			     trace->tid_count ? (uint32_t)trace->tid_count : 1, false);
	upm_shipped_size_map(object, calls_map, upm_trace_calls(config), false);
	bpf_map__set_value_size(bpf_object__find_map_by_name(object, calls_map), element);
	bpf_map__set_value_size(bpf_object__find_map_by_name(object, "upm_blank"), element);
}

static int configure(const struct upm_observation *observation, struct upm_trace *state)
{
	const struct upm_trace_options *trace = options_of(observation);
	struct upm_trace_config *config = &state->config;
	struct upm_pid_namespace space;
	int status = upm_trace_lists_open(&state->lists, observation->set->table, trace);

	if (!status)
		status = upm_process_filter_configure(observation->filter, &observation->scope,
						      &config->filter);
	if (!status)
		status = upm_pid_namespace_of_self(&space);
	if (status)
		return status;
	config->ids = (struct upm_filter_config){
		.namespaced = !space.initial,
		.namespace_device = space.device,
		.namespace_inode = space.inode,
	};
	upm_trace_layout(trace, &state->lists, config);
	config->wake_bytes = upm_trace_ring_bytes(trace, config) / 4;
	return upm_counters_shape(&config->counters, (size_t)config->probes * UPM_TRACE_PLANES);
}

static int prepare(struct upm_observation *observation, struct upm_observer *observer)
{
	struct upm_trace *state = calloc(1, sizeof(*state));
	int status;

	if (!state)
		return upm_fail_memory(operation);
	observer->state = state;
	if (upm_kernel_features()->ringbuf == UPM_NO)
		return upm_fail(UPM_ERR_UNSUPPORTED, 0, operation, NULL, "use a kernel from 5.8 on",
				"this kernel has no BPF ring buffers");
	status = configure(observation, state);
	if (!status)
		status = upm_shipped_open(operation, upm_embedded_trace(), &observer->object);
	if (!status)
		status = choose_programs(observation, observer, state->config.returns);
	if (!status)
		status = upm_shipped_constants(operation, observer->object, &state->config,
					       sizeof(state->config));
	if (!status)
		size_maps(observer->object, options_of(observation), state);
	return status;
}

/* ---- between load and attach */

static int fail_filling(const char *map)
{
	return upm_fail(upm_status_of_errno(errno), errno, operation, map, NULL,
			"can not write the map");
}

static int fill_array(struct upm_observer *observer, const char *map, const void *values,
		      size_t count)
{
	uint32_t *keys = malloc((count + 1) * sizeof(*keys)), done = (uint32_t)count;
	int status = UPM_OK;

	if (!keys)
		return upm_fail_memory(operation);
	for (uint32_t i = 0; i < count; i++)
		keys[i] = i;
	if (count && bpf_map_update_batch(bpf_object__find_map_fd_by_name(observer->object, map),
					  keys, values, &done, NULL))
		status = fail_filling(map);
	free(keys);
	return status;
}

static int fill_threads(struct upm_observer *observer, const struct upm_trace_options *trace)
{
	static const char map[] = "upm_threads";
	int fd = bpf_object__find_map_fd_by_name(observer->object, map);
	const uint8_t present = 1;

	for (size_t i = 0; i < trace->tid_count; i++)
		if (bpf_map_update_elem(fd, &trace->tids[i], &present, BPF_ANY))
			return fail_filling(map);
	return UPM_OK;
}

/* At a function's entry the return address is at the stack pointer. */
static void mark_entries(const struct upm_probe_table *table, struct upm_trace_probe *probes)
{
	for (size_t i = 0; i < table->probes.count; i++) {
		const struct upm_probe_entry *probe = &table->probes.items[i];

		probes[i].at_entry = probe->kind == UPM_KIND_UPROBE &&
				     probe->name != UPM_NAME_NONE &&
				     !upm_probe_detail(table, probe)->symbol_offset;
	}
}

static int fill(const struct upm_observation *observation, struct upm_observer *observer)
{
	struct upm_trace *state = observer->state;
	int status;

	mark_entries(observation->set->table, state->lists.probes);
	status = fill_array(observer, "upm_probes", state->lists.probes, state->lists.probe_count);
	if (!status)
		status = fill_array(observer, "upm_lists", state->lists.lists.items,
				    state->lists.lists.count);
	if (!status)
		status = fill_threads(observer, options_of(observation));
	return status;
}

/* ---- reading; all of it from the maps of type->maps */

/* The largest event has to lie in the ring in one piece. */
static int check_maps(const struct upm_observer *observer, const struct upm_trace_config *config)
{
	const struct upm_map_form ring = {
		.type = BPF_MAP_TYPE_RINGBUF,
		.entries = (uint64_t)upm_trace_record_size(config) + BPF_RINGBUF_HDR_SZ,
	};
	const struct upm_map_form calls = {
		.type = BPF_MAP_TYPE_HASH,
		.key_size = sizeof(struct upm_trace_call),
		.value_size = call_size(config),
		.entries = 1,
	};
	int status = upm_map_require(ring_map, upm_observer_map(observer, ring_map), ring);

	if (!status)
		status = upm_map_require(calls_map, upm_observer_map(observer, calls_map), calls);
	if (!status)
		status = upm_map_require(shared_map, upm_observer_map(observer, shared_map),
					 upm_map_form_of_array(sizeof(struct upm_trace_shared), 1));
	return status;
}

static int open_trace(struct upm_observer *observer)
{
	struct upm_trace *state = observer->state;
	int status;

	if (!state)
		observer->state = state = calloc(1, sizeof(*state));
	if (!state)
		return upm_fail_memory(operation);
	state->clock_offset_ns = upm_clock_offset_ns();
	status = upm_observer_constants(observer, &state->config, sizeof(state->config));
	if (!status && !upm_trace_layout_is_sound(&state->config))
		status = upm_fail(UPM_ERR_FORMAT, 0, operation, NULL,
				  "open it with the library that made it",
				  "its events are not laid out as this library does");
	if (!status)
		status = check_maps(observer, &state->config);
	if (!status)
		status = upm_counters_open(&state->counters, &state->config.counters,
					   (size_t)state->config.probes * UPM_TRACE_PLANES,
					   counters_map, upm_observer_map(observer, counters_map));
	if (!status)
		status = upm_ring_open(&state->ring, upm_observer_map(observer, ring_map));
	if (!status)
		status = upm_share_events_open(observer);
	return status;
}

static void close_trace(struct upm_observer *observer)
{
	struct upm_trace *state = observer->state;

	if (!state)
		return;
	upm_ring_close(&state->ring);
	upm_counters_close(&state->counters);
	upm_trace_lists_close(&state->lists);
	upm_batch_free(state->pulled);
	free(state);
}

static int store(const struct upm_observer *observer, struct upm_bytes *bytes)
{
	const struct upm_trace *state = observer->state;

	upm_trace_lists_store(&state->lists, bytes);
	return bytes->failed ? upm_fail_memory(operation) : UPM_OK;
}

static int restore(struct upm_observer *observer, const void *bytes, size_t size)
{
	struct upm_bytes_reader reader = {.at = bytes, .end = (const uint8_t *)bytes + size};
	struct upm_trace *state = observer->state;
	int status = upm_trace_lists_restore(&state->lists, &reader);

	if (status || (state->lists.probe_count == state->config.probes &&
		       state->config.probes == upm_probe_set_size(observer->set)))
		return status;
	return upm_fail(UPM_ERR_FORMAT, 0, operation, NULL, "open it with the library that made it",
			"its maps are of %u probes, what is kept of them tells of %zu",
			state->config.probes, state->lists.probe_count);
}

/* ---- what became of hits */

/* A plane after the other, each with a number for each probe. @return NULL in error */
static uint64_t *read_planes(const struct upm_trace *state, int *status)
{
	uint64_t *planes =
		calloc((size_t)state->config.probes * UPM_TRACE_PLANES + 1, sizeof(*planes));

	*status = planes ? upm_counters_read(&state->counters, planes)
			 : upm_fail_memory("read counters");
	if (!*status)
		return planes;
	free(planes);
	return NULL;
}

static int read_hits(const struct upm_observer *observer, uint64_t *hits)
{
	const struct upm_trace *state = observer->state;
	int status;
	uint64_t *planes = read_planes(state, &status);

	if (planes)
		memcpy(hits, planes + (size_t)UPM_PLANE_HITS * state->config.probes,
		       state->config.probes * sizeof(*hits));
	free(planes);
	return status;
}

/* While probes are hit the planes are of slightly different moments. */
static uint64_t left(uint64_t of, uint64_t taken)
{
	return of > taken ? of - taken : 0;
}

static struct upm_trace_count count_of(const struct upm_trace *state, const uint64_t *planes,
				       size_t probe)
{
	size_t probes = state->config.probes;
	struct upm_trace_count count = {
		.hits = planes[UPM_PLANE_HITS * probes + probe],
		.filtered = planes[UPM_PLANE_FILTERED * probes + probe],
		.lost = planes[UPM_PLANE_LOST * probes + probe],
		.events = planes[UPM_PLANE_EVENTS * probes + probe],
		.refused = planes[UPM_PLANE_REFUSED * probes + probe],
	};
	uint64_t rest = left(count.hits, count.filtered + count.lost);

	if (state->config.returns)
		count.unreturned = left(rest, count.events);
	else
		count.events = rest;
	return count;
}

int32_t upm_trace_counts(const struct upm_observer *observer, struct upm_trace_count *counts,
			 size_t count)
{
	const struct upm_trace *state;
	uint64_t *planes;
	int status = upm_observer_require(observer, &upm_trace_type, "read what became of hits");

	if (status)
		return status;
	state = observer->state;
	if (!counts || count != state->config.probes)
		return upm_fail(UPM_ERR_INVALID, 0, "read what became of hits", NULL,
				"give an array with one element for each probe of the set",
				"%zu elements, but the set has %u probes", counts ? count : 0,
				state->config.probes);
	planes = read_planes(state, &status);
	for (size_t i = 0; planes && i < count; i++)
		counts[i] = count_of(state, planes, i);
	free(planes);
	return status;
}

const struct upm_observer_type upm_trace_type = {
	.kind = UPM_OBSERVER_TRACE,
	.maps = {".rodata", counters_map, ring_map, calls_map, shared_map},
	.prepare = prepare,
	.needs = upm_trace_needs,
	.fill = fill,
	.open = open_trace,
	.close = close_trace,
	.hits = read_hits,
	.store = store,
	.restore = restore,
};

int upm_trace_as(const struct upm_probe_set *set, const struct upm_trace_options *trace,
		 const struct upm_attach_options *options, bool pairs, struct upm_observer **out)
{
	struct upm_trace_request request = {.pairs = pairs};
	struct upm_observation observation = {
		.operation = operation, .set = set, .request = &request};
	int status = upm_trace_options_read(&request.options, trace);

	return status ? status : upm_observe(&upm_trace_type, &observation, options, out);
}

int32_t upm_trace(const struct upm_probe_set *set, const struct upm_trace_options *trace,
		  const struct upm_attach_options *options, struct upm_observer **out)
{
	return upm_trace_as(set, trace, options, false, out);
}

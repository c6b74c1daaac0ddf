/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The counting observer: kernel/bpf/count.bpf.c and its counters. */
#include <bpf/libbpf.h>
#include <stdlib.h>

#include "attach/features.h"
#include "base/error.h"
#include "observe/counters.h"
#include "observe/observer.h"
#include "observe/shipped.h"
#include "upm_observe.h"

static const char operation[] = "count hits";
static const char counters_map[] = "upm_counters";

static int prepare(struct upm_observation *observation, struct upm_observer *observer)
{
	bool multi = observation->backend == UPM_BACKEND_UPROBE_MULTI;
	const char *program = multi ? "count_multi" : "count_plain";
	struct upm_count_config config = {0};
	int status = upm_counters_shape(&config.counters, upm_probe_set_size(observation->set));

	if (!status)
		status = upm_process_filter_configure(observation->filter, &observation->scope,
						      &config.filter);
	if (!status)
		status = upm_shipped_open(operation, upm_embedded_count(), &observer->object);
	if (!status)
		status = upm_shipped_choose(operation, observer->object, program,
					    multi ? UPM_BPF_TRACE_UPROBE_MULTI
						  : UPM_BPF_ATTACH_PLAIN);
	if (!status)
		status =
			upm_shipped_constants(operation, observer->object, &config, sizeof(config));
	if (status)
		return status;
	upm_shipped_size_map(observer->object, counters_map,
			     upm_counters_elements(&config.counters), true);
	observation->program_names[0] = program;
	observation->programs[0].kinds = UPM_ALL_KINDS;
	observation->program_count = 1;
	return UPM_OK;
}

static int open_counters(struct upm_observer *observer)
{
	struct upm_counters *counters = calloc(1, sizeof(*counters));
	struct upm_count_config config;
	int status;

	if (!counters)
		return upm_fail_memory(operation);
	observer->state = counters;
	status = upm_observer_constants(observer, &config, sizeof(config));
	if (!status)
		status = upm_counters_open(counters, &config.counters,
					   upm_probe_set_size(observer->set), counters_map,
					   upm_observer_map(observer, counters_map));
	return status;
}

static void close_counters(struct upm_observer *observer)
{
	if (observer->state)
		upm_counters_close(observer->state);
	free(observer->state);
}

static int read_hits(const struct upm_observer *observer, uint64_t *hits)
{
	return upm_counters_read(observer->state, hits);
}

const struct upm_observer_type upm_count_type = {
	.kind = UPM_OBSERVER_COUNT,
	.maps = {".rodata", counters_map},
	.prepare = prepare,
	.needs = upm_needs_of_count,
	.open = open_counters,
	.close = close_counters,
	.hits = read_hits,
};

int32_t upm_count(const struct upm_probe_set *set, const struct upm_attach_options *options,
		  struct upm_observer **out)
{
	struct upm_observation observation = {.operation = operation, .set = set};

	return upm_observe(&upm_count_type, &observation, options, out);
}

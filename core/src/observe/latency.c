/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The measuring observer: from options to programs.
 *
 * Three forms of programs do the same; the first that the kernel takes is used. A session needs one
 * link and looks nothing up. The kernel's functions that it calls differ between
 * versions and are found by BTF, so that a session can fail to load where a plain pair of
 * programs, one at the entry and one at the return, still does.
 *
 * Of a pair the return comes first, and goes last (link.c detaches in the reverse order): a call
 * that is seen to begin is then seen to end. The other way round, those that begin while the return
 * is not yet there, or no more, would be taken for ones that never returned.
 */
#include "observe/latency.h"

#include <bpf/libbpf.h>
#include <string.h>

#include "attach/features.h"
#include "base/error.h"
#include "base/options.h"
#include "observe/shipped.h"

#define BUDGET_BYTES (64ULL << 20) /* of kernel memory that is never paged out, for copies */
#define MOST_BYTES (4ULL << 30)	   /* of a BPF array, before 5.11 */
#define USUAL_ROWS 16384
#define SPARE_SLOTS 1024 /* as many CPUs can meet one new owner at once */

static const char operation[] = "measure latencies";

/* What is asked of a kind, as upm_observation.request. */
struct request {
	struct upm_latency_options options;
	enum upm_latency_form form;
};

/* ---- rows */

static int choose_rows(struct upm_latency_config *config, const struct upm_latency_options *options,
		       size_t probes)
{
	const uint64_t most = MOST_BYTES / sizeof(struct upm_latency_cell) - 1;
	uint64_t rows = options->most_rows ? options->most_rows : USUAL_ROWS;
	uint64_t copies;
	int cpus = libbpf_num_possible_cpus();

	config->direct = options->split == UPM_SPLIT_NONE && probes <= rows;
	if (config->direct)
		rows = probes ? probes : 1;
	if (rows > most)
		return upm_fail(UPM_ERR_LIMIT, 0, operation, NULL, "ask for fewer rows",
				"%llu rows are more than the %llu that a BPF map can hold",
				(unsigned long long)rows, (unsigned long long)most);
	copies = BUDGET_BYTES / (rows * sizeof(struct upm_latency_cell));
	if (cpus > 0 && copies > (uint32_t)cpus)
		copies = (uint32_t)cpus;
	config->slots = (uint32_t)rows;
	config->copies = copies ? (uint32_t)copies : 1;
	config->by_process = options->split != UPM_SPLIT_NONE;
	config->by_thread = options->split == UPM_SPLIT_THREAD;
	return UPM_OK;
}

/* Rows are told apart by the ids that the caller knows, whatever the filter compares. */
static int choose_identity(struct upm_latency_config *config)
{
	struct upm_pid_namespace space = {.initial = true};
	int status = config->by_process ? upm_pid_namespace_of_self(&space) : UPM_OK;

	config->identity = (struct upm_filter_config){
		.namespaced = !space.initial,
		.namespace_device = space.device,
		.namespace_inode = space.inode,
	};
	return status;
}

static int configure(const struct upm_observation *observation, struct upm_latency_config *config)
{
	const struct request *request = observation->request;
	size_t probes = upm_probe_set_size(observation->set);
	int status = choose_rows(config, &request->options, probes);

	if (!status)
		status = choose_identity(config);
	if (!status)
		status = upm_counters_shape(&config->lost, probes);
	if (!status)
		status = upm_process_filter_configure(observation->filter, &observation->scope,
						      &config->filter);
	return status;
}

static void size_maps(struct bpf_object *object, const struct upm_latency_config *config)
{
	uint32_t handed_out = config->direct ? 1 : config->slots;

	upm_shipped_size_map(object, UPM_LATENCY_CELLS, config->slots * config->copies, true);
	upm_shipped_size_map(object, UPM_LATENCY_LOST, upm_counters_elements(&config->lost), true);
	upm_shipped_size_map(object, UPM_LATENCY_OWNERS, handed_out, false);
	upm_shipped_size_map(object, "upm_slots", handed_out, false);
	upm_shipped_size_map(object, "upm_spare", config->direct ? 1 : SPARE_SLOTS, false);
}

/* ---- programs */

static int choose_program(struct upm_observation *observation, struct bpf_object *object,
			  const char *program, enum upm_bpf_attach_type type,
			  enum upm_moment moment)
{
	size_t at = observation->program_count++;

	observation->program_names[at] = program;
	observation->programs[at] = (struct upm_attach_program){
		.kinds = 1 << UPM_KIND_UPROBE | 1 << UPM_KIND_URETPROBE,
		.moment = moment,
	};
	return upm_shipped_choose(operation, object, program, type);
}

static int choose_programs(struct upm_observation *observation, struct bpf_object *object)
{
	const struct request *request = observation->request;
	bool multi = observation->backend == UPM_BACKEND_UPROBE_MULTI;
	enum upm_bpf_attach_type type = multi ? UPM_BPF_TRACE_UPROBE_MULTI : UPM_BPF_ATTACH_PLAIN;
	int status;

	if (request->form != UPM_LATENCY_PAIR)
		return choose_program(observation, object, "session", UPM_BPF_TRACE_UPROBE_SESSION,
				      UPM_MOMENT_ENTRY);
	status = choose_program(observation, object, multi ? "leave_multi" : "leave_plain", type,
				UPM_MOMENT_RETURN);
	if (!status)
		status = choose_program(observation, object, multi ? "enter_multi" : "enter_plain",
					type, UPM_MOMENT_ENTRY);
	return status;
}

static struct upm_embedded image_of(enum upm_latency_form form)
{
	switch (form) {
	case UPM_LATENCY_SESSION:
		return upm_embedded_latency_session();
	case UPM_LATENCY_SESSION_CONTEXT:
		return upm_embedded_latency_context();
	default:
		return upm_embedded_latency();
	}
}

/* What is not possible here, told as a failure to load, goes on to the next form. */
static int check_form(const struct upm_observation *observation, enum upm_latency_form form)
{
	if (form == UPM_LATENCY_PAIR || (observation->backend == UPM_BACKEND_UPROBE_MULTI &&
					 upm_kernel_features()->session == UPM_YES))
		return UPM_OK;
	return upm_fail(UPM_ERR_PROGRAM, 0, operation, NULL, "use a kernel from 6.13 on",
			"there are no sessions here");
}

static int prepare(struct upm_observation *observation, struct upm_observer *observer)
{
	const struct request *request = observation->request;
	struct upm_latency_config config = {0};
	int status = check_form(observation, request->form);

	if (!status)
		status = configure(observation, &config);
	if (!status)
		status = upm_shipped_open(operation, image_of(request->form), &observer->object);
	if (!status)
		status = choose_programs(observation, observer->object);
	if (!status)
		status =
			upm_shipped_constants(operation, observer->object, &config, sizeof(config));
	if (!status)
		size_maps(observer->object, &config);
	return status;
}

const struct upm_observer_type upm_latency_type = {
	.kind = UPM_OBSERVER_LATENCY,
	.maps = {".rodata", UPM_LATENCY_CELLS, UPM_LATENCY_OWNERS, UPM_LATENCY_LOST},
	.prepare = prepare,
	.needs = upm_needs_of_return,
	.open = upm_latency_open_rows,
	.close = upm_latency_close_rows,
	.hits = upm_latency_hits,
};

static int read_options(struct upm_latency_options *ours, const struct upm_latency_options *theirs)
{
	int status = upm_options_read(ours, sizeof(*ours), theirs, "struct upm_latency_options");

	if (status || ours->split <= UPM_SPLIT_THREAD)
		return status;
	return upm_fail(UPM_ERR_INVALID, 0, operation, NULL, "use a value of enum upm_split",
			"%u is no split", ours->split);
}

int upm_latency_measure(enum upm_latency_form form, const struct upm_probe_set *set,
			const struct upm_latency_options *latency,
			const struct upm_attach_options *options, struct upm_observer **out)
{
	struct request request = {.form = form};
	struct upm_observation observation = {
		.operation = operation, .set = set, .request = &request};
	int status = read_options(&request.options, latency);

	return status ? status : upm_observe(&upm_latency_type, &observation, options, out);
}

/* A form that did not load leaves no record when another one does. */
int32_t upm_latency(const struct upm_probe_set *set, const struct upm_latency_options *latency,
		    const struct upm_attach_options *options, struct upm_observer **out)
{
	struct upm_error_copy before;
	int status = UPM_ERR_PROGRAM;

	upm_error_take(&before);
	for (int form = 0; form < UPM_LATENCY_FORMS && status == UPM_ERR_PROGRAM; form++)
		status = upm_latency_measure((enum upm_latency_form)form, set, latency, options,
					     out);
	if (!status)
		upm_error_put_back(&before);
	return status;
}

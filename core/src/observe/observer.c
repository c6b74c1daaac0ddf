/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The counting observer.
 *
 * Its program is loaded anew for each observer, with the shape of the counters and the
 * filter as constants. The kernel's own process filter is used where it is right, since it
 * keeps breakpoints out of other processes; else the probes are armed everywhere and the
 * program selects (process_filter.h).
 *
 * Counts are final once upm_observer_stop() returns: ending a link waits for
 * every program that runs from it.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

#include "attach/features.h"
#include "attach/job.h"
#include "base/error.h"
#include "observe/counters.h"
#include "observe/embedded.h"
#include "observe/libbpf_log.h"
#include "observe/process_filter.h"
#include "upm_count.h"

struct upm_observer {
	struct bpf_object *object;
	struct upm_counters counters;
	struct upm_process_filter filter;
	struct upm_link *link;
};

/* What one upm_count() has found out so far. */
struct setup {
	const struct upm_probe_set *set;
	struct upm_attach_options options;
	struct upm_scope scope;
	enum upm_backend backend;
	bool filter; /* in the program */
};

static const char operation[] = "count hits";

static const char *program_name(enum upm_backend backend)
{
	return backend == UPM_BACKEND_UPROBE_MULTI ? "count_multi" : "count_plain";
}

static int choose_backend(struct setup *setup)
{
	const struct upm_features *features = upm_kernel_features();
	uint32_t wanted = setup->options.backend;

	if (wanted > UPM_BACKEND_PERF_EVENT)
		return upm_fail(UPM_ERR_INVALID, 0, operation, NULL,
				"use a value of enum upm_backend", "%u is no backend", wanted);
	setup->backend = wanted ? wanted : features->backend;
	if (setup->backend == UPM_BACKEND_UPROBE_MULTI && features->uprobe_multi == UPM_NO)
		return upm_fail(UPM_ERR_UNSUPPORTED, 0, operation, NULL,
				"let the backend be chosen, or use a kernel from 6.6 on",
				"this kernel has no uprobe multi links");
	if (setup->backend == UPM_BACKEND_PERF_EVENT && features->perf_cookie == UPM_NO)
		return upm_fail(UPM_ERR_UNSUPPORTED, 0, operation, NULL,
				"use a kernel from 5.15 on",
				"this kernel's perf events carry no cookies, which tell the probes "
				"apart");
	if (setup->backend)
		return UPM_OK;
	if (features->uprobe_multi == UPM_UNKNOWN || features->perf_event == UPM_UNKNOWN)
		return upm_fail(UPM_ERR_PERMISSION, EPERM, operation, NULL,
				"run as root, or with CAP_BPF and CAP_PERFMON",
				"this user may not load BPF programs");
	return upm_fail(UPM_ERR_UNSUPPORTED, 0, operation, NULL,
			"use a kernel with CONFIG_UPROBES and CONFIG_BPF_EVENTS",
			"this kernel has neither uprobe multi links nor perf uprobes");
}

static int fill_config(const struct setup *setup, const struct upm_counters *counters,
		       struct upm_count_config *config)
{
	struct upm_pid_namespace space = {.initial = true};
	int status = setup->filter ? upm_pid_namespace_of_self(&space) : UPM_OK;

	*config = (struct upm_count_config){
		.rows = counters->rows,
		.stride = counters->stride,
		.filter = setup->filter,
		.namespaced = upm_process_filter_namespaced(&setup->scope, &space),
		.namespace_device = space.device,
		.namespace_inode = space.inode,
	};
	return status;
}

static int configure(const struct setup *setup, struct upm_observer *observer)
{
	struct upm_count_config config;
	struct bpf_map *counters = bpf_object__find_map_by_name(observer->object, "upm_counters");
	struct bpf_map *set = bpf_object__find_map_by_name(observer->object, "upm_scope");
	struct bpf_map *constants = bpf_object__find_map_by_name(observer->object, ".rodata");
	struct bpf_program *program;
	int status = fill_config(setup, &observer->counters, &config);

	if (status)
		return status;
	bpf_object__for_each_program(program, observer->object)
		bpf_program__set_autoload(program, false);
	program = bpf_object__find_program_by_name(observer->object, program_name(setup->backend));
	bpf_program__set_type(program, BPF_PROG_TYPE_KPROBE);
	bpf_program__set_expected_attach_type(program, setup->backend == UPM_BACKEND_UPROBE_MULTI
							       ? (int)UPM_BPF_TRACE_UPROBE_MULTI
							       : 0);
	bpf_program__set_autoload(program, true);
	bpf_map__set_max_entries(counters, upm_counters_elements(&observer->counters));
	if (upm_kernel_features()->mmapable_array == UPM_YES)
		bpf_map__set_map_flags(counters, UPM_BPF_F_MMAPABLE);
	if (setup->filter)
		bpf_map__set_max_entries(set, UPM_SCOPE_MAX);
	if (bpf_map__set_initial_value(constants, &config, sizeof(config)))
		return upm_fail(UPM_ERR_SYSTEM, errno, operation, "the shipped program", NULL,
				"can not set its constants");
	return UPM_OK;
}

static int load(struct upm_observer *observer)
{
	struct upm_libbpf_log log;
	int failure = 0;

	upm_libbpf_log_begin(&log);
	if (bpf_object__load(observer->object))
		failure = errno;
	upm_libbpf_log_end();
	if (!failure)
		return UPM_OK;
	if (failure == EPERM || failure == ENOMEM)
		return upm_fail(upm_status_of_errno(failure), failure, operation,
				"the shipped program",
				"run as root, or with CAP_BPF and CAP_PERFMON",
				"the kernel did not load it");
	return upm_fail(UPM_ERR_PROGRAM, failure, operation, "the shipped program", NULL,
			"the kernel did not load it (%s)", upm_libbpf_log_verdict(&log));
}

static int open_program(const struct setup *setup, struct upm_observer *observer)
{
	struct upm_embedded image = upm_embedded_count();
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = image.name);
	int cpus = libbpf_num_possible_cpus();
	int status = upm_counters_plan(&observer->counters, upm_probe_set_size(setup->set),
				       cpus > 0 ? (uint32_t)cpus : 1);

	if (status)
		return status;
	observer->object = bpf_object__open_mem(image.bytes, image.size, &options);
	if (!observer->object)
		return errno == ENOMEM
			       ? upm_fail_memory(operation)
			       : upm_fail(UPM_ERR_FORMAT, errno, operation, "the shipped program",
					  NULL, "libbpf does not understand it");
	status = configure(setup, observer);
	if (!status)
		status = load(observer);
	return status;
}

static int map_fd(const struct upm_observer *observer, const char *name)
{
	return bpf_object__find_map_fd_by_name(observer->object, name);
}

static int attach(struct setup *setup, struct upm_observer *observer)
{
	const struct bpf_program *program =
		bpf_object__find_program_by_name(observer->object, program_name(setup->backend));
	struct upm_scope everything = {0};

	return upm_attach_in_scope(bpf_program__fd(program), setup->set, &setup->options,
				   setup->filter ? &everything : &setup->scope, &observer->link);
}

static int start(struct setup *setup, struct upm_observer *observer)
{
	int status = open_program(setup, observer);

	if (!status)
		status = upm_counters_open(&observer->counters, map_fd(observer, "upm_counters"),
					   upm_kernel_features()->mmapable_array == UPM_YES);
	if (!status && setup->filter)
		status = upm_process_filter_open(&observer->filter, &setup->scope,
						 map_fd(observer, "upm_scope"));
	if (!status)
		status = attach(setup, observer);
	return status;
}

static int count(struct setup *setup, struct upm_observer **out)
{
	struct upm_observer *observer = calloc(1, sizeof(*observer));
	struct upm_error_copy error;
	int status;

	if (!observer)
		return upm_fail_memory(operation);
	observer->filter.fork_fd = observer->filter.exit_fd = -1;
	status = start(setup, observer);
	if (!status) {
		*out = observer;
		return UPM_OK;
	}
	upm_error_take(&error);
	upm_observer_free(observer);
	upm_error_put_back(&error);
	return status;
}

int32_t upm_count(const struct upm_probe_set *set, const struct upm_attach_options *options,
		  struct upm_observer **out)
{
	struct setup setup = {.set = set};
	int status;

	if (!set || !out)
		return upm_fail(UPM_ERR_INVALID, 0, operation, NULL, NULL, "%s is NULL",
				set ? "out" : "set");
	status = upm_attach_options_read(&setup.options, options);
	if (!status)
		status = choose_backend(&setup);
	if (!status)
		status = upm_scope_open(&setup.scope, &setup.options);
	if (status)
		return status;
	setup.options.flags |= UPM_ATTACH_COOKIE_IS_INDEX;
	setup.filter = upm_scope_needs_program(&setup.scope, setup.backend);
	status = count(&setup, out);
	upm_scope_close(&setup.scope);
	return status;
}

const struct upm_link *upm_observer_link(const struct upm_observer *observer)
{
	return observer ? observer->link : NULL;
}

int32_t upm_observer_hits(const struct upm_observer *observer, uint64_t *hits, size_t count)
{
	if (!observer || !hits || count != observer->counters.probes)
		return upm_fail(UPM_ERR_INVALID, 0, operation, NULL,
				"give an array with one element for each probe of the set",
				"%zu elements, but the set has %u probes", count,
				observer ? observer->counters.probes : 0);
	return upm_counters_read(&observer->counters, hits);
}

uint64_t upm_observer_lost(const struct upm_observer *observer)
{
	return observer ? upm_process_filter_lost(&observer->filter) : 0;
}

int32_t upm_observer_stop(struct upm_observer *observer, uint64_t *elapsed_ns)
{
	if (!observer)
		return upm_fail(UPM_ERR_INVALID, 0, operation, NULL, NULL, "observer is NULL");
	return upm_link_detach(observer->link, elapsed_ns);
}

void upm_observer_free(struct upm_observer *observer)
{
	if (!observer)
		return;
	upm_link_free(observer->link);
	upm_process_filter_close(&observer->filter);
	upm_counters_close(&observer->counters);
	bpf_object__close(observer->object);
	free(observer);
}

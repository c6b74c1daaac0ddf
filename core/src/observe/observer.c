/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * How observers are made.
 *
 * A program is loaded anew for each observer, with the shape of its maps and its filter as
 * constants. The kernel's own process filter is used where it is right, since it keeps
 * breakpoints out of other processes; else the probes are armed everywhere and the program
 * selects (process_filter.h).
 *
 * Results are final once upm_observer_stop() returns: ending a link waits for every
 * program that runs from it.
 */
#include "observe/observer.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/features.h"
#include "attach/privilege.h"
#include "base/clock.h"
#include "base/error.h"
#include "observe/map_form.h"
#include "observe/shipped.h"

struct upm_observer *upm_observer_new(const struct upm_observer_type *type,
				      const struct upm_probe_set *set)
{
	struct upm_observer *observer = calloc(1, sizeof(*observer));

	if (!observer)
		return NULL;
	observer->type = type;
	observer->filter.fork_fd = observer->filter.exit_fd = observer->filter.lost_fd = -1;
	observer->pin_fd = observer->reader_fd = -1;
	for (size_t i = 0; i < UPM_OBSERVER_MAPS; i++)
		observer->map_fds[i] = -1;
	if (upm_probe_set_wrap(set->table, &observer->set) == UPM_OK)
		return observer;
	free(observer);
	return NULL;
}

/* ---- the steps */

static int choose_backend(struct upm_observation *observation)
{
	const struct upm_features *features = upm_kernel_features();
	const char *operation = observation->operation;
	uint32_t wanted = observation->options.backend;
	int doubt = upm_kernel_doubt();

	if (wanted > UPM_BACKEND_PERF_EVENT)
		return upm_fail(UPM_ERR_INVALID, 0, operation, NULL,
				"use a value of enum upm_backend", "%u is no backend", wanted);
	observation->backend = wanted ? wanted : features->backend;
	if (observation->backend == UPM_BACKEND_UPROBE_MULTI && features->uprobe_multi == UPM_NO)
		return upm_fail(UPM_ERR_UNSUPPORTED, 0, operation, NULL,
				"let the backend be chosen, or use a kernel from 6.6 on "
				"(docs/kernel-support.md)",
				"this kernel has no uprobe multi links");
	if (observation->backend == UPM_BACKEND_PERF_EVENT && features->perf_cookie == UPM_NO)
		return upm_fail(UPM_ERR_UNSUPPORTED, 0, operation, NULL,
				"use a kernel from 5.15 on",
				"this kernel's perf events carry no cookies, which tell the probes "
				"apart");
	if (observation->backend)
		return UPM_OK;
	if (doubt)
		return upm_fail(upm_status_of_errno(doubt), doubt, operation, NULL, NULL,
				"the kernel can not be asked what it offers");
	if (features->uprobe_multi == UPM_UNKNOWN || features->perf_event == UPM_UNKNOWN)
		return upm_fail(UPM_ERR_PERMISSION, EPERM, operation, NULL, upm_privilege_hint(),
				"this user may not load BPF programs");
	return upm_fail(UPM_ERR_UNSUPPORTED, 0, operation, NULL,
			"use a kernel with CONFIG_UPROBES and CONFIG_BPF_EVENTS",
			"this kernel has neither uprobe multi links nor perf uprobes");
}

/* The maps outlive the object in the observer of a reader, so each has a descriptor of its own. */
static int keep_maps(struct upm_observer *observer)
{
	for (size_t i = 0; i < UPM_OBSERVER_MAPS && observer->type->maps[i]; i++)
		observer->map_fds[i] =
			bpf_object__find_map_fd_by_name(observer->object, observer->type->maps[i]);
	return UPM_OK;
}

static int place(const struct upm_observation *observation, struct upm_observer *observer,
		 uint64_t *elapsed_ns)
{
	uint64_t start = upm_now_ns();
	int status = UPM_OK;

	if (observation->options.placement != UPM_PLACEMENT_EXACT)
		status = upm_place(observer->set->table, observer->type->needs, observer,
				   observation->options.progress,
				   observation->options.progress_context, &observer->set->sites);
	*elapsed_ns = upm_now_ns() - start;
	return status;
}

static int attach(struct upm_observation *observation, struct upm_observer *observer)
{
	uint64_t placing_ns;
	int status = place(observation, observer, &placing_ns);

	struct upm_scope everything = {0};

	if (status)
		return status;
	for (size_t i = 0; i < observation->program_count; i++)
		observation->programs[i].fd = bpf_program__fd(bpf_object__find_program_by_name(
			observer->object, observation->program_names[i]));
	status = upm_attach_programs(observation->programs, observation->program_count,
				     observer->set, observer->set->sites, &observation->options,
				     observation->filter ? &everything : &observation->scope,
				     &observer->link);
	if (!status)
		observer->link->attach_ns += placing_ns;
	return status;
}

static int start(struct upm_observation *observation, struct upm_observer *observer)
{
	const struct upm_observer_type *type = observer->type;
	int status = type->prepare(observation, observer);

	if (!status && observation->filter)
		upm_shipped_size_map(observer->object, "upm_scope", UPM_SCOPE_MAX, false);
	if (!status)
		status = upm_shipped_load(observation->operation, observer->object);
	if (!status)
		status = keep_maps(observer);
	if (!status)
		status = type->open(observer);
	if (!status && type->fill)
		status = type->fill(observation, observer);
	if (!status && observation->filter)
		status = upm_process_filter_open(
			&observer->filter, &observation->scope,
			bpf_object__find_map_fd_by_name(observer->object, "upm_scope"));
	if (!status)
		status = attach(observation, observer);
	return status;
}

static int make(const struct upm_observer_type *type, struct upm_observation *observation,
		struct upm_observer **out)
{
	struct upm_observer *observer = upm_observer_new(type, observation->set);
	struct upm_error_copy error;
	int status;

	if (!observer)
		return upm_fail_memory(observation->operation);
	status = start(observation, observer);
	if (!status) {
		*out = observer;
		return UPM_OK;
	}
	upm_error_take(&error);
	upm_observer_free(observer);
	upm_error_put_back(&error);
	return status;
}

int upm_observe(const struct upm_observer_type *type, struct upm_observation *observation,
		const struct upm_attach_options *options, struct upm_observer **out)
{
	int status;

	if (!observation->set || !out)
		return upm_fail(UPM_ERR_INVALID, 0, observation->operation, NULL, NULL,
				"%s is NULL", observation->set ? "out" : "set");
	status = upm_attach_options_read(&observation->options, options);
	if (!status)
		status = choose_backend(observation);
	if (!status)
		status = upm_scope_open(&observation->scope, &observation->options);
	if (status)
		return status;
	observation->options.flags |= UPM_ATTACH_COOKIE_IS_INDEX;
	observation->filter = upm_scope_needs_program(&observation->scope, observation->backend);
	status = make(type, observation, out);
	upm_scope_close(&observation->scope);
	return status;
}

/* ---- what all kinds share */

int upm_observer_map(const struct upm_observer *observer, const char *name)
{
	for (size_t i = 0; i < UPM_OBSERVER_MAPS && observer->type->maps[i]; i++)
		if (strcmp(observer->type->maps[i], name) == 0)
			return observer->map_fds[i];
	return -1;
}

int upm_observer_constants(const struct upm_observer *observer, void *constants, size_t size)
{
	static const char operation[] = "read an observer's constants";
	const uint32_t key = 0;
	int status = upm_map_require(observer->type->maps[0], observer->map_fds[0],
				     upm_map_form_of_array(size, 1));

	if (status)
		return status;
	if (bpf_map_lookup_elem(observer->map_fds[0], &key, constants))
		return upm_fail(UPM_ERR_SYSTEM, errno, operation, NULL, NULL, "can not read them");
	return UPM_OK;
}

int upm_observer_require(const struct upm_observer *observer, const struct upm_observer_type *type,
			 const char *operation)
{
	if (observer && observer->type == type)
		return UPM_OK;
	return upm_fail(UPM_ERR_INVALID, 0, operation, NULL,
			"use an observer of the kind that the function is for",
			observer ? "this observer is a %s, not a %s" : "observer is NULL",
			upm_observer_kind_name(upm_observer_kind(observer)),
			upm_observer_kind_name(type->kind));
}

uint32_t upm_observer_kind(const struct upm_observer *observer)
{
	return observer ? observer->type->kind : 0;
}

const struct upm_probe_set *upm_observer_probes(const struct upm_observer *observer)
{
	return observer ? observer->set : NULL;
}

const struct upm_link *upm_observer_link(const struct upm_observer *observer)
{
	return observer ? observer->link : NULL;
}

int32_t upm_observer_hits(const struct upm_observer *observer, uint64_t *hits, size_t count)
{
	size_t probes = observer ? upm_probe_set_size(observer->set) : 0;

	if (!observer || !hits || count != probes)
		return upm_fail(UPM_ERR_INVALID, 0, "read hits", NULL,
				"give an array with one element for each probe of the set",
				"%zu elements, but the set has %zu probes", count, probes);
	return observer->type->hits(observer, hits);
}

uint64_t upm_observer_lost_processes(const struct upm_observer *observer)
{
	return observer ? upm_process_filter_lost(&observer->filter) : 0;
}

int32_t upm_observer_stop(struct upm_observer *observer, uint64_t *elapsed_ns)
{
	if (!observer)
		return upm_fail(UPM_ERR_INVALID, 0, "stop an observer", NULL, NULL,
				"observer is NULL");
	return upm_link_detach(observer->link, elapsed_ns);
}

static void close_maps(struct upm_observer *observer)
{
	for (size_t i = 0; i < UPM_OBSERVER_MAPS && !observer->object; i++)
		if (observer->map_fds[i] >= 0)
			close(observer->map_fds[i]);
}

void upm_observer_free(struct upm_observer *observer)
{
	if (!observer)
		return;
	upm_link_free(observer->link);
	upm_process_filter_close(&observer->filter);
	observer->type->close(observer);
	close_maps(observer);
	bpf_object__close(observer->object);
	upm_probe_set_free(observer->set);
	if (observer->pin_fd >= 0)
		close(observer->pin_fd);
	if (observer->reader_fd >= 0)
		close(observer->reader_fd);
	free(observer);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The backend of perf events: one event and one link for each probe and process.
 *
 * A link keeps its event alive, so one descriptor for each probe would do. But the end of an
 * event is slow, and goes one by one through a lock of the whole kernel (parallel.h), while
 * links end side by side. So the event's own descriptor is kept too, as long as the limit
 * allows two for each probe: a detach then ends the links, after which no program
 * runs any more, and leaves the events to a process of their own (shelter.h). Until
 * that one is through, the breakpoints stay, without a program.
 *
 * Kernels before 5.15 have no such links: there the event itself is the handle, and can
 * carry no cookie.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "attach/features.h"
#include "attach/job.h"
#include "attach/perf_pmu.h"
#include "attach/privilege.h"
#include "attach/shelter.h"
#include "attach/sys.h"
#include "base/descriptors.h"
#include "base/error.h"

static const char operation[] = "attach probes by perf events";

struct perf_attempt {
	struct upm_attach_job *job;
	struct upm_perf_pmu pmu;
	const char *path;
	bool cookies;	  /* the kernel links events with cookies */
	bool keep_events; /* there are descriptors enough */
};

static int read_pmu(struct upm_perf_pmu *pmu)
{
	int failure = upm_perf_pmu_read(pmu);

	if (!failure)
		return UPM_OK;
	return upm_fail(UPM_ERR_UNSUPPORTED, -failure, operation,
			"/sys/bus/event_source/devices/uprobe",
			failure == -ENOENT ? "use a kernel with CONFIG_UPROBE_EVENTS (4.17)"
					   : "mount sysfs at /sys",
			"the kernel's uprobe events can not be read");
}

static bool has_cookies(const struct upm_plan *plan)
{
	for (size_t i = 0; i < plan->groups.count; i++)
		if (plan->groups.items[i].has_cookies)
			return true;
	return false;
}

static int check_cookies(const struct upm_attach_job *job, uint32_t carried)
{
	int doubt = upm_kernel_doubt();

	if (carried == UPM_YES || !has_cookies(&job->plan))
		return UPM_OK;
	if (carried == UPM_UNKNOWN)
		return upm_fail(doubt ? upm_status_of_errno(doubt) : UPM_ERR_PERMISSION,
				doubt ? doubt : EPERM, operation, NULL,
				doubt ? NULL : upm_privilege_hint(),
				"whether this kernel's perf events carry cookies can not be asked");
	return upm_fail(UPM_ERR_UNSUPPORTED, 0, operation, NULL,
			"use no cookies, or a kernel from 5.15 on",
			"this kernel's perf events carry no cookies");
}

static int reserve_descriptors(struct perf_attempt *attempt)
{
	uint64_t wanted = attempt->job->total;
	bool has_multi = upm_kernel_features()->uprobe_multi != UPM_NO;
	struct rlimit limit;

	attempt->keep_events = attempt->cookies && upm_descriptors_reserve(2 * wanted, &limit);
	if (attempt->keep_events || upm_descriptors_reserve(wanted, &limit))
		return UPM_OK;
	return upm_fail(UPM_ERR_LIMIT, EMFILE, operation, NULL,
			has_multi ? "use the multi backend, which takes one descriptor for all, "
				    "or raise the hard limit (ulimit -Hn)"
				  : "raise the hard limit (ulimit -Hn), or attach fewer probes",
			"%llu probes take as many open descriptors, and the hard limit is %llu",
			(unsigned long long)wanted, (unsigned long long)limit.rlim_max);
}

/* Others may have opened meanwhile what was free. */
static bool reserve_rest(const struct perf_attempt *attempt)
{
	uint64_t left = attempt->job->total - attempt->job->link->handles.count;
	struct rlimit limit;

	return upm_descriptors_reserve(attempt->keep_events ? 2 * left : left, &limit);
}

/* One probe of one program for one process. */
struct perf_errand {
	const struct perf_attempt *attempt;
	const struct upm_plan_group *group;
	const struct upm_attach_program *program;
	size_t at;
	struct upm_kernel_handle handle;
	int failure; /* negative errno */
};

static int open_event(const struct perf_errand *errand)
{
	const struct perf_attempt *attempt = errand->attempt;
	const struct upm_plan *plan = &attempt->job->plan;
	int32_t pid = errand->handle.pid;
	size_t at = errand->at;
	struct perf_event_attr attr = {
		.type = attempt->pmu.type,
		.size = sizeof(attr),
		.config1 = (uint64_t)(uintptr_t)attempt->path,
		.config2 = plan->offsets[at],
	};
	int result;

	if (upm_job_at_return(errand->program, errand->group))
		attr.config |= attempt->pmu.return_bit;
	if (plan->ref_ctr_offsets && plan->ref_ctr_offsets[at]) {
		if (!attempt->pmu.ref_ctr_shift || plan->ref_ctr_offsets[at] > UINT32_MAX)
			return -EINVAL;
		attr.config |= plan->ref_ctr_offsets[at] << attempt->pmu.ref_ctr_shift;
	}
	do
		result = upm_sys_perf_event_open(&attr, pid ? pid : -1, pid ? -1 : 0);
	while (result == -EINTR);
	return result;
}

/* Give the event its program. On failure the event is closed. */
static int link_event(struct perf_errand *errand, int event_fd)
{
	const struct perf_attempt *attempt = errand->attempt;
	struct upm_kernel_handle *handle = &errand->handle;
	const uint64_t *cookies = attempt->job->plan.cookies;
	uint64_t cookie = cookies ? cookies[errand->at] : 0;
	int program_fd = errand->program->fd;
	int failure = 0;

	handle->fd = event_fd;
	handle->event_fd = -1;
	if (attempt->cookies) {
		handle->fd = upm_sys_link_perf(program_fd, event_fd, cookie);
		failure = handle->fd < 0 ? handle->fd : 0;
	} else if (ioctl(event_fd, PERF_EVENT_IOC_SET_BPF, program_fd)) {
		failure = -errno;
	}
	if (!failure && attempt->keep_events)
		handle->event_fd = event_fd;
	else if (failure || attempt->cookies)
		close(event_fd);
	return failure;
}

static void arm(void *context)
{
	struct perf_errand *errand = context;
	int event_fd = open_event(errand);

	errand->failure = event_fd < 0 ? event_fd : link_event(errand, event_fd);
}

static int make_handle(const struct perf_attempt *attempt, const struct upm_plan_group *group,
		       const struct upm_attach_program *program, size_t at, int32_t pid)
{
	struct upm_link *link = attempt->job->link;
	struct perf_errand errand = {
		.attempt = attempt,
		.group = group,
		.program = program,
		.at = at,
		.handle =
			{
				.file = group->file,
				.files = 1,
				.pid = pid,
				.probes = 1,
				.kind = upm_job_kind(program, group),
				.program = (uint8_t)(program - attempt->job->programs),
			},
	};

	upm_shelter(arm, &errand);
	if (errand.failure == -EMFILE && reserve_rest(attempt)) {
		errand.failure = 0;
		upm_shelter(arm, &errand);
	}
	if (!errand.failure)
		link->handles.items[link->handles.count++] = errand.handle;
	return errand.failure;
}

/* @return 0, or an errno; what was made before it stays. */
static int make_handles(const struct perf_attempt *attempt, const struct upm_plan_group *group,
			size_t at, int32_t pid)
{
	const struct upm_attach_job *job = attempt->job;
	int failure = 0;

	for (size_t i = 0; i < job->program_count && !failure; i++)
		if (upm_job_takes(&job->programs[i], group))
			failure = -make_handle(attempt, group, &job->programs[i], at, pid);
	return failure;
}

/* What ends the attach; anything else is taken as the probe's fault. */
static bool is_fatal(int sys_errno)
{
	return sys_errno == EPERM || sys_errno == EACCES || sys_errno == ENOMEM ||
	       sys_errno == EMFILE || sys_errno == ENFILE;
}

static int refuse(struct perf_attempt *attempt, size_t at, size_t first, int sys_errno)
{
	struct upm_attach_job *job = attempt->job;
	int status;

	upm_link_drop_handles(job->link, first);
	status = upm_outcome_refuse(&job->link->outcome, job->plan.probes[at], sys_errno);
	if (!status && job->options->flags & UPM_ATTACH_STRICT)
		status = upm_outcome_judge(&job->link->outcome, job->link->table, true);
	return status;
}

static int attach_probe(struct perf_attempt *attempt, const struct upm_plan_group *group, size_t at)
{
	struct upm_attach_job *job = attempt->job;
	const struct upm_scope *scope = job->scope;
	size_t first = job->link->handles.count;
	size_t processes = scope->processes.count ? scope->processes.count : 1;

	for (size_t i = 0; i < processes;) {
		int32_t pid = scope->processes.count ? scope->processes.items[i] : 0;
		size_t of_process = job->link->handles.count;
		int failure = make_handles(attempt, group, at, pid);

		if (failure == ESRCH) {
			upm_link_drop_handles(job->link, of_process);
			if (upm_job_drop_process(job, pid))
				return UPM_ERR_NOT_FOUND;
			processes--;
			continue;
		}
		if (failure && !is_fatal(failure) && upm_job_return_to_entry(job, at)) {
			upm_link_drop_handles(job->link, first);
			return attach_probe(attempt, group, at);
		}
		if (failure)
			return is_fatal(failure) ? upm_job_fail(job, group->file, failure)
						 : refuse(attempt, at, first, failure);
		i++;
	}
	return upm_job_advance(job, job->link->handles.count - first);
}

static int attach_group(struct perf_attempt *attempt, const struct upm_plan_group *group)
{
	char path[UPM_KERNEL_PATH_MAX];
	int status = UPM_OK;

	attempt->path = upm_job_file_path(attempt->job, group->file, path);
	for (size_t at = group->first; at < group->first + group->count && !status; at++)
		status = attach_probe(attempt, group, at);
	return status;
}

int upm_perf_attach(struct upm_attach_job *job)
{
	uint32_t cookies = upm_kernel_features()->perf_cookie;
	struct perf_attempt attempt = {.job = job, .cookies = cookies == UPM_YES};
	int status = read_pmu(&attempt.pmu);

	if (!status)
		status = check_cookies(job, cookies);
	if (!status)
		status = reserve_descriptors(&attempt);
	if (!status && !upm_vector_reserve(&job->link->handles, job->total))
		status = upm_fail_memory(operation);
	for (size_t i = 0; i < job->plan.groups.count && !status; i++)
		status = attach_group(&attempt, &job->plan.groups.items[i]);
	return status;
}

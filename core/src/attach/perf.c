/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The backend of perf events: one event and one link for each probe and process. The link
 * keeps its event, so the event's own descriptor is closed at once and a probe
 * costs one descriptor. Kernels before 5.15 have no such links: there the event itself
 * is the handle, and can carry no cookie.
 */
#include <dirent.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "attach/features.h"
#include "attach/job.h"
#include "attach/perf_pmu.h"
#include "attach/sys.h"
#include "base/error.h"

#define SPARE_DESCRIPTORS 16

static const char operation[] = "attach probes by perf events";

struct perf_attempt {
	struct upm_attach_job *job;
	struct upm_perf_pmu pmu;
	const char *path;
	bool cookies; /* the kernel links events with cookies */
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

static int check_cookies(const struct upm_attach_job *job)
{
	for (size_t i = 0; i < job->plan.groups.count; i++)
		if (job->plan.groups.items[i].has_cookies)
			return upm_fail(UPM_ERR_UNSUPPORTED, 0, operation, NULL,
					"use no cookies, or a kernel from 5.15 on",
					"this kernel's perf events carry no cookies");
	return UPM_OK;
}

static size_t open_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	size_t count = 0;

	if (!directory)
		return SPARE_DESCRIPTORS;
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static int make_room(uint64_t wanted)
{
	struct rlimit limit;
	rlim_t needed = wanted + open_descriptors() + SPARE_DESCRIPTORS;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= needed)
		return UPM_OK;
	if (limit.rlim_max >= needed) {
		limit.rlim_cur = needed;
		if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
			return UPM_OK;
	}
	return upm_fail(UPM_ERR_LIMIT, EMFILE, operation, NULL,
			"raise the hard limit (ulimit -Hn), attach fewer probes, or use the "
			"multi backend, which takes one descriptor for all",
			"%llu probes take %llu open descriptors, and the hard limit is %llu",
			(unsigned long long)wanted, (unsigned long long)needed,
			(unsigned long long)limit.rlim_max);
}

static int open_event(const struct perf_attempt *attempt, const struct upm_plan_group *group,
		      size_t at, int32_t pid)
{
	const struct upm_plan *plan = &attempt->job->plan;
	struct perf_event_attr attr = {
		.type = attempt->pmu.type,
		.size = sizeof(attr),
		.config1 = (uint64_t)(uintptr_t)attempt->path,
		.config2 = plan->offsets[at],
	};
	int result;

	if (group->kind == UPM_KIND_URETPROBE)
		attr.config |= attempt->pmu.return_bit;
	if (plan->ref_ctr_offsets[at]) {
		if (!attempt->pmu.ref_ctr_shift || plan->ref_ctr_offsets[at] > UINT32_MAX)
			return -EINVAL;
		attr.config |= plan->ref_ctr_offsets[at] << attempt->pmu.ref_ctr_shift;
	}
	do
		result = upm_sys_perf_event_open(&attr, pid ? pid : -1, pid ? -1 : 0);
	while (result == -EINTR);
	return result;
}

/* The descriptor that keeps the event with its program; event_fd is used up. */
static int link_event(const struct perf_attempt *attempt, int event_fd, uint64_t cookie)
{
	int result;

	if (attempt->cookies) {
		result = upm_sys_link_perf(attempt->job->program_fd, event_fd, cookie);
		close(event_fd);
		return result;
	}
	if (ioctl(event_fd, PERF_EVENT_IOC_SET_BPF, attempt->job->program_fd) == 0)
		return event_fd;
	result = -errno;
	close(event_fd);
	return result;
}

static int make_handle(const struct perf_attempt *attempt, const struct upm_plan_group *group,
		       size_t at, int32_t pid)
{
	struct upm_link *link = attempt->job->link;
	struct upm_kernel_handle handle = {
		.file = group->file,
		.pid = pid,
		.probes = 1,
		.kind = group->kind,
	};
	int result = open_event(attempt, group, at, pid);

	if (result >= 0)
		result = link_event(attempt, result, attempt->job->plan.cookies[at]);
	if (result < 0)
		return result;
	handle.fd = result;
	link->handles.items[link->handles.count++] = handle;
	return 0;
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
		int failure = -make_handle(attempt, group, at, pid);

		if (failure == ESRCH) {
			if (upm_job_drop_process(job, pid))
				return UPM_ERR_NOT_FOUND;
			processes--;
			continue;
		}
		if (failure)
			return is_fatal(failure) ? upm_job_fail(job, group->file, failure)
						 : refuse(attempt, at, first, failure);
		i++;
	}
	return upm_job_advance(job, processes);
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
	struct perf_attempt attempt = {
		.job = job,
		.cookies = upm_kernel_features()->perf_cookie == UPM_YES,
	};
	int status = read_pmu(&attempt.pmu);

	if (!status && !attempt.cookies)
		status = check_cookies(job);
	if (!status)
		status = make_room(job->total);
	if (!status && !upm_vector_reserve(&job->link->handles, job->total))
		status = upm_fail_memory(operation);
	for (size_t i = 0; i < job->plan.groups.count && !status; i++)
		status = attach_group(&attempt, &job->plan.groups.items[i]);
	return status;
}

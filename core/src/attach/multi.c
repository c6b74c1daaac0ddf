/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The backend of multi links: see attach.c for the strategy. */
#include <errno.h>

#include "attach/bisect.h"
#include "attach/job.h"
#include "base/error.h"

/* A refused link says how to go on with its group. */
enum step {
	STEP_DONE,    /* the link stands */
	STEP_AGAIN,   /* offenders are out of the plan: the group begins anew */
	STEP_DROPPED, /* the process has ended: its links are not wanted */
	STEP_FAILED   /* the attach fails */
};

struct attempt {
	struct upm_attach_job *job;
	struct upm_plan_group *group;
	const struct upm_attach_program *program;
	const char *path;
	int32_t pid;
	int status; /* with STEP_FAILED */
};

static enum step failed(struct attempt *attempt, int status)
{
	attempt->status = status;
	return STEP_FAILED;
}

static struct upm_multi_link request_for(const struct attempt *attempt, size_t position,
					 size_t count)
{
	const struct upm_attach_job *job = attempt->job;
	const struct upm_plan_group *group = attempt->group;
	size_t first = group->first + position;

	return (struct upm_multi_link){
		.program_fd = attempt->program->fd,
		.attach_type = upm_program_attach_type(attempt->program->type),
		.path = attempt->path,
		.offsets = job->plan.offsets + first,
		.ref_ctr_offsets = group->has_ref_ctrs ? job->plan.ref_ctr_offsets + first : NULL,
		.cookies = group->has_cookies ? job->plan.cookies + first : NULL,
		.count = count,
		.flags = upm_job_at_return(attempt->program, group) ? UPM_BPF_F_UPROBE_MULTI_RETURN
								    : 0,
		.pid = attempt->pid,
	};
}

/* Errors that a whole file causes: asking probe by probe would only repeat them. */
static bool is_of_file(int sys_errno)
{
	return sys_errno == EIO || sys_errno == EBADF || sys_errno == ENOENT ||
	       sys_errno == ENOTDIR || sys_errno == ELOOP;
}

static int refuse(struct attempt *attempt, size_t position, int sys_errno)
{
	struct upm_attach_job *job = attempt->job;
	uint32_t index = job->plan.probes[attempt->group->first + position];

	upm_plan_remove(&job->plan, attempt->group, position);
	return upm_outcome_refuse(&job->link->outcome, index, sys_errno);
}

static enum step refuse_group(struct attempt *attempt, int sys_errno)
{
	while (attempt->group->count)
		if (refuse(attempt, attempt->group->count - 1, sys_errno))
			return failed(attempt, UPM_ERR_MEMORY);
	return STEP_AGAIN;
}

static int go_on(void *context)
{
	return upm_job_advance(context, 0);
}

static enum step refuse_found(struct attempt *attempt, size_t position,
			      const struct upm_refusals *refusals, int sys_errno)
{
	if (!refusals->list.count)
		return failed(attempt, upm_job_fail(attempt->job, attempt->group->file, sys_errno));
	for (size_t i = refusals->list.count; i-- > 0;) {
		const struct upm_refusal *refusal = &refusals->list.items[i];

		if (refuse(attempt, position + refusal->position, refusal->sys_errno))
			return failed(attempt, UPM_ERR_MEMORY);
	}
	if (attempt->job->options->flags & UPM_ATTACH_STRICT)
		return failed(attempt, upm_outcome_judge(&attempt->job->link->outcome,
							 attempt->job->link->table, true));
	return STEP_AGAIN;
}

static enum step drop_process(struct attempt *attempt)
{
	int status = upm_job_drop_process(attempt->job, attempt->pid);

	return status ? failed(attempt, status) : STEP_DROPPED;
}

static enum step find_offenders(struct attempt *attempt, size_t position,
				const struct upm_multi_link *request, int sys_errno)
{
	struct upm_refusals refusals = {0};
	enum step step;
	int other_errno;
	int status = upm_bisect(request, go_on, attempt->job, &refusals, &other_errno);

	if (status)
		step = failed(attempt, status);
	else if (other_errno == ESRCH)
		step = drop_process(attempt);
	else if (other_errno)
		step = failed(attempt,
			      upm_job_fail(attempt->job, attempt->group->file, other_errno));
	else
		step = refuse_found(attempt, position, &refusals, sys_errno);
	upm_refusals_clear(&refusals);
	return step;
}

static enum step keep(struct attempt *attempt, int fd, size_t count)
{
	struct upm_kernel_handle handle = {
		.fd = fd,
		.event_fd = -1,
		.file = attempt->group->file,
		.pid = attempt->pid,
		.probes = (uint32_t)count,
		.kind = upm_job_kind(attempt->program, attempt->group),
		.program = (uint8_t)(attempt->program - attempt->job->programs),
	};

	attempt->job->link->handles.items[attempt->job->link->handles.count++] = handle;
	attempt->status = upm_job_advance(attempt->job, count);
	return attempt->status ? STEP_FAILED : STEP_DONE;
}

static enum step make_link(struct attempt *attempt, size_t position, size_t count)
{
	struct upm_multi_link request = request_for(attempt, position, count);
	int result;

	if (!upm_vector_reserve(&attempt->job->link->handles, 1))
		return failed(attempt, upm_fail_memory("attach probes"));
	do
		result = upm_sys_link_multi(&request);
	while (result == -EINTR);
	if (result >= 0)
		return keep(attempt, result, count);
	if (result == -ESRCH)
		return drop_process(attempt);
	if (is_of_file(-result))
		return refuse_group(attempt, -result);
	if (upm_errno_is_of_probe(-result))
		return find_offenders(attempt, position, &request, -result);
	return failed(attempt, upm_job_fail(attempt->job, attempt->group->file, -result));
}

/* One link, unless there are more probes than a link takes. */
static enum step attach_program(struct attempt *attempt)
{
	size_t most = attempt->job->options->probes_per_link;
	enum step step = STEP_DONE;

	if (!most || most > UPM_BPF_UPROBE_MULTI_MAX)
		most = UPM_BPF_UPROBE_MULTI_MAX;
	for (size_t done = 0; done < attempt->group->count && step == STEP_DONE; done += most) {
		size_t rest = attempt->group->count - done;

		step = make_link(attempt, done, rest < most ? rest : most);
	}
	return step;
}

/* All links of one group for one process. */
static enum step attach_process(struct attempt *attempt)
{
	const struct upm_attach_job *job = attempt->job;
	enum step step = STEP_DONE;

	for (size_t i = 0; i < job->program_count && step == STEP_DONE; i++) {
		attempt->program = &job->programs[i];
		if (upm_job_takes(attempt->program, attempt->group))
			step = attach_program(attempt);
	}
	return step;
}

/* A process that is dropped vanishes from the list, so that its successor takes its number. */
static enum step attach_processes(struct attempt *attempt)
{
	struct upm_attach_job *job = attempt->job;
	const struct upm_scope *scope = job->scope;

	if (!scope->processes.count)
		return attach_process(attempt);
	for (size_t i = 0; i < scope->processes.count;) {
		size_t first = job->link->handles.count;
		enum step step;

		attempt->pid = scope->processes.items[i];
		step = attach_process(attempt);
		if (step == STEP_AGAIN || step == STEP_FAILED)
			return step;
		if (step == STEP_DROPPED)
			upm_link_drop_handles(job->link, first);
		i += step == STEP_DONE;
	}
	return STEP_DONE;
}

static int attach_group(struct upm_attach_job *job, struct upm_plan_group *group)
{
	char path[UPM_KERNEL_PATH_MAX];
	struct attempt attempt = {
		.job = job,
		.group = group,
		.path = upm_job_file_path(job, group->file, path),
	};
	size_t first = job->link->handles.count;
	uint64_t done = job->done;
	enum step step;

	while ((step = attach_processes(&attempt)) == STEP_AGAIN) {
		upm_link_drop_handles(job->link, first);
		job->done = done;
	}
	return step == STEP_FAILED ? attempt.status : UPM_OK;
}

int upm_multi_attach(struct upm_attach_job *job)
{
	int status = UPM_OK;

	for (size_t i = 0; i < job->plan.groups.count && !status; i++)
		status = attach_group(job, &job->plan.groups.items[i]);
	return status;
}

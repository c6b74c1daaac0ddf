/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The backend of multi links: see attach.c for the strategy. */
#include <errno.h>

#include "attach/bisect.h"
#include "attach/bundle.h"
#include "base/error.h"

/* A refused link says how to go on with its bundle. */
enum step {
	STEP_DONE,    /* the link stands */
	STEP_AGAIN,   /* offenders are out of the plan: the bundle begins anew */
	STEP_DROPPED, /* the process has ended: its links are not wanted */
	STEP_FAILED   /* the attach fails */
};

struct attempt {
	struct upm_attach_job *job;
	struct upm_bundle *bundle;
	const struct upm_attach_program *program;
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
	struct upm_multi_link request = {
		.program_fd = attempt->program->fd,
		.attach_type = upm_program_attach_type(attempt->program->type),
		.pid = attempt->pid,
	};

	if (upm_job_at_return(attempt->program, attempt->bundle->groups))
		request.flags = UPM_BPF_F_UPROBE_MULTI_RETURN;
	upm_bundle_describe(attempt->bundle, position, count, &request);
	return request;
}

static int fail_link(const struct attempt *attempt, int sys_errno)
{
	const struct upm_bundle *bundle = attempt->bundle;

	return upm_job_fail(attempt->job,
			    bundle->group_count > 1 ? UPM_JOB_MANY_FILES : bundle->groups[0].file,
			    sys_errno);
}

/* Take probes out of a group, from the last one on. */
static int refuse(struct attempt *attempt, struct upm_plan_group *group, size_t position,
		  size_t count, int sys_errno)
{
	struct upm_attach_job *job = attempt->job;
	int status = UPM_OK;

	for (size_t at = position + count; at-- > position && !status;) {
		uint32_t index = job->plan.probes[group->first + at];

		upm_plan_remove(&job->plan, group, at);
		status = upm_outcome_refuse(&job->link->outcome, index, sys_errno);
	}
	return status;
}

static enum step refuse_file(struct attempt *attempt, size_t position, int sys_errno)
{
	struct upm_plan_group *group = upm_bundle_find(attempt->bundle, &position);

	if (refuse(attempt, group, 0, group->count, sys_errno))
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
	int status;

	if (!refusals->list.count)
		return failed(attempt, fail_link(attempt, sys_errno));
	for (size_t i = refusals->list.count; i-- > 0;) {
		const struct upm_refusal *refusal = &refusals->list.items[i];
		size_t at = position + refusal->position;
		struct upm_plan_group *group = upm_bundle_find(attempt->bundle, &at);

		if (refusal->count == 1 && upm_errno_is_of_probe(refusal->sys_errno) &&
		    upm_job_return_to_entry(attempt->job, group->first + at))
			continue;
		if (refuse(attempt, group, at, refusal->count, refusal->sys_errno))
			return failed(attempt, UPM_ERR_MEMORY);
	}
	status = upm_outcome_judge(&attempt->job->link->outcome, attempt->job->link->table,
				   attempt->job->options->flags & UPM_ATTACH_STRICT);
	return status ? failed(attempt, status) : STEP_AGAIN;
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
		step = failed(attempt, fail_link(attempt, other_errno));
	else
		step = refuse_found(attempt, position, &refusals, sys_errno);
	upm_refusals_clear(&refusals);
	return step;
}

static enum step keep(struct attempt *attempt, int fd, size_t position, size_t count)
{
	const struct upm_bundle *bundle = attempt->bundle;
	size_t files = upm_bundle_files(bundle, position, count);
	struct upm_kernel_handle handle = {
		.fd = fd,
		.event_fd = -1,
		.file = upm_bundle_find(bundle, &position)->file,
		.files = (uint32_t)files,
		.pid = attempt->pid,
		.probes = (uint32_t)count,
		.kind = upm_job_kind(attempt->program, bundle->groups),
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
		return keep(attempt, result, position, count);
	if (result == -ESRCH)
		return drop_process(attempt);
	if (upm_errno_is_of_file(-result) && !request.paths)
		return refuse_file(attempt, position, -result);
	if (upm_errno_is_of_file(-result) || upm_errno_is_of_probe(-result))
		return find_offenders(attempt, position, &request, -result);
	return failed(attempt, fail_link(attempt, -result));
}

/* One link, unless there are more probes than a link takes. */
static enum step attach_program(struct attempt *attempt)
{
	size_t most = attempt->job->options->probes_per_link;
	enum step step = STEP_DONE;

	if (!most || most > UPM_BPF_UPROBE_MULTI_MAX)
		most = UPM_BPF_UPROBE_MULTI_MAX;
	for (size_t done = 0; done < attempt->bundle->count && step == STEP_DONE; done += most) {
		size_t rest = attempt->bundle->count - done;

		step = make_link(attempt, done, rest < most ? rest : most);
	}
	return step;
}

/* All links of one bundle for one process. */
static enum step attach_process(struct attempt *attempt)
{
	const struct upm_attach_job *job = attempt->job;
	enum step step = STEP_DONE;

	for (size_t i = 0; i < job->program_count && step == STEP_DONE; i++) {
		attempt->program = &job->programs[i];
		if (upm_job_takes(attempt->program, attempt->bundle->groups))
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

static int attach_bundle(struct upm_attach_job *job, struct upm_bundle *bundle)
{
	struct attempt attempt = {.job = job, .bundle = bundle};
	size_t first = job->link->handles.count;
	uint64_t done = job->done;
	enum step step;

	while ((step = attach_processes(&attempt)) == STEP_AGAIN) {
		upm_link_drop_handles(job->link, first);
		upm_bundle_settle(bundle);
		job->done = done;
	}
	return step == STEP_FAILED ? attempt.status : UPM_OK;
}

int upm_multi_attach(struct upm_attach_job *job)
{
	int status = UPM_OK;

	for (size_t i = 0; i < job->plan.groups.count && !status;) {
		struct upm_bundle bundle;

		status = upm_bundle_open(&bundle, job, i);
		if (!status)
			status = attach_bundle(job, &bundle);
		i += bundle.group_count;
		upm_bundle_close(&bundle);
	}
	return status;
}

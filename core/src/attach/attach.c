/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The attach strategy.
 *
 * A multi link arms any number of offsets of one file by one system call, and that
 * call is where nearly all the time goes. So the plan (plan.c) makes one link for each file
 * and kind, and for each process where the kernel is to filter; where the kernel takes many files
 * in a link (kernel/patches/paths), one for each kind. Offsets rise, which the
 * kernel's tree of breakpoints likes better than any other order. Links are made one
 * after another: two at once fight over one semaphore of the kernel's and take
 * five times as long. Ending small ones is the opposite (link.c): each waits for a
 * grace period, so all wait together.
 *
 * The kernel takes a link whole or not at all, and does not say which probe it minds. What
 * it would mind is known beforehand from the instruction (the judge's verdict), so the
 * first try succeeds as a rule. When it does not, bisect.c finds the
 * offenders with trial links that carry a program of our own: the caller's sees no hit
 * until the one final link exists. Only errors that a single probe, or one file of many, can cause
 * are bisected. Lack of memory, of descriptors or of rights ends the attach with everything taken
 * away again.
 *
 * A breakpoint is checked only where a process maps the file. Probes of a file that
 * nobody maps are accepted unseen; the kernel then skips what it can not arm when the
 * file is mapped, which is why the verdict, and not the kernel's silence, keeps such
 * probes out.
 *
 * The file is named to the kernel as /proc/self/fd/N of the descriptor that was read
 * and judged. The kernel follows it to the inode, so neither a rename, a
 * replacement, a deletion nor another mount namespace can put a probe elsewhere.
 *
 * Perf events (perf.c) do the same one probe at a time, for kernels without the link and
 * for programs that were loaded for it. A program loaded for multi links is never
 * attached that way: kernels that know both let it happen, and crash when it asks for
 * its cookie.
 */
#include "attach/job.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "attach/features.h"
#include "attach/privilege.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/options.h"
#include "place/place.h"

static const char operation[] = "attach probes";

const char *upm_job_file_path(const struct upm_attach_job *job, uint32_t file,
			      char path[UPM_KERNEL_PATH_MAX])
{
	const struct upm_binary *binary = job->link->table->files.items[file].binary;
	struct stat found;

	snprintf(path, UPM_KERNEL_PATH_MAX, "/proc/self/fd/%d", binary->fd);
	if (stat(path, &found) == 0 && found.st_dev == binary->device &&
	    found.st_ino == binary->inode)
		return path;
	return binary->path;
}

static const char *hint_for(int sys_errno)
{
	switch (sys_errno) {
	case EPERM:
	case EACCES:
		return upm_privilege_hint();
	case EMFILE:
	case ENFILE:
		return "raise the limit of open descriptors (ulimit -n)";
	case ENOMEM:
		return "free memory, or attach fewer probes";
	case E2BIG:
		return "set probes_per_link to what this kernel takes";
	default:
		return NULL;
	}
}

int upm_job_fail(const struct upm_attach_job *job, uint32_t file, int sys_errno)
{
	const char *path = NULL;

	if (file != UPM_JOB_MANY_FILES)
		path = job->link->table->files.items[file].path;
	return upm_fail(upm_status_of_errno(sys_errno), sys_errno, operation, path,
			hint_for(sys_errno), "the kernel refused the link");
}

bool upm_job_takes(const struct upm_attach_program *program, const struct upm_plan_group *group)
{
	return program->kinds & 1u << group->kind;
}

bool upm_job_at_return(const struct upm_attach_program *program, const struct upm_plan_group *group)
{
	return program->moment == UPM_MOMENT_OF_KIND ? group->kind == UPM_KIND_URETPROBE
						     : program->moment == UPM_MOMENT_RETURN;
}

uint8_t upm_job_kind(const struct upm_attach_program *program, const struct upm_plan_group *group)
{
	if (group->kind == UPM_KIND_USDT)
		return group->kind;
	return upm_job_at_return(program, group) ? UPM_KIND_URETPROBE : UPM_KIND_UPROBE;
}

int upm_job_advance(struct upm_attach_job *job, uint64_t probes)
{
	const struct upm_attach_options *options = job->options;

	job->done += probes;
	if (!options->progress ||
	    options->progress("attach", job->done, job->total, options->progress_context) == 0)
		return UPM_OK;
	return upm_fail(UPM_ERR_CANCELLED, 0, operation, NULL, NULL,
			"the progress callback asked to stop");
}

/* Nobody but this attach has the sites yet. */
bool upm_job_return_to_entry(struct upm_attach_job *job, size_t at)
{
	uint32_t index = job->plan.probes[at];
	uint8_t distance = upm_site_distance(job->link->sites, index);

	if (!distance)
		return false;
	job->plan.offsets[at] -= distance;
	job->link->sites->distances[index] = 0;
	return true;
}

int upm_job_drop_process(struct upm_attach_job *job, int32_t pid)
{
	size_t kept = 0;

	for (size_t i = 0; i < job->scope->processes.count; i++)
		if (job->scope->processes.items[i] != pid)
			job->scope->processes.items[kept++] = job->scope->processes.items[i];
	job->scope->processes.count = kept;
	if (kept)
		return UPM_OK;
	return upm_fail(UPM_ERR_NOT_FOUND, ESRCH, operation, NULL,
			"give the id of a process that runs", "process %d has ended", pid);
}

int upm_choose_backend(enum upm_program_kind program, uint32_t forced, enum upm_backend *backend)
{
	bool plain = program == UPM_PROGRAM_PLAIN;

	if (forced > UPM_BACKEND_PERF_EVENT)
		return upm_fail(UPM_ERR_INVALID, 0, operation, NULL,
				"use a value of enum upm_backend", "%u is no backend", forced);
	*backend = plain ? UPM_BACKEND_PERF_EVENT : UPM_BACKEND_UPROBE_MULTI;
	if (forced == UPM_BACKEND_AUTO || forced == *backend)
		return UPM_OK;
	if (plain && upm_kernel_features()->uprobe_multi == UPM_NO)
		return upm_fail(UPM_ERR_UNSUPPORTED, 0, operation, NULL,
				"let the backend be chosen, or use a kernel from 6.6 on "
				"(docs/kernel-support.md)",
				"this kernel has no uprobe multi links");
	if (plain)
		return upm_fail(UPM_ERR_PROGRAM, 0, operation, NULL,
				"load it from a section uprobe.multi, or allow the perf backend",
				"the program was not loaded for uprobe multi links");
	return upm_fail(UPM_ERR_PROGRAM, 0, operation, NULL,
			"load it from a section uprobe, or allow the multi backend",
			"the program was loaded for multi links, which through perf events can "
			"crash the kernel");
}

static struct upm_plan_rules rules_of(const struct upm_attach_job *job)
{
	struct upm_plan_rules rules = {
		.cookie_is_index = job->options->flags & UPM_ATTACH_COOKIE_IS_INDEX,
		.sites = job->link->sites,
		.many_files = job->link->backend == UPM_BACKEND_UPROBE_MULTI &&
			      upm_kernel_features()->paths == UPM_YES,
	};

	for (size_t i = 0; i < job->program_count; i++) {
		const struct upm_attach_program *program = &job->programs[i];

		rules.kinds |= program->kinds;
		if (program->type == UPM_PROGRAM_SESSION || program->moment == UPM_MOMENT_RETURN)
			rules.timed_kinds |= program->kinds;
	}
	return rules;
}

/* Links to be made, one for each probe, program and process. */
static uint64_t count_steps(const struct upm_attach_job *job)
{
	size_t processes = job->scope->processes.count ? job->scope->processes.count : 1;
	uint64_t steps = 0;

	for (size_t i = 0; i < job->plan.groups.count; i++)
		for (size_t at = 0; at < job->program_count; at++)
			if (upm_job_takes(&job->programs[at], &job->plan.groups.items[i]))
				steps += job->plan.groups.items[i].count * processes;
	return steps;
}

static int attach_plan(struct upm_attach_job *job)
{
	const struct upm_plan_rules rules = rules_of(job);
	bool strict = job->options->flags & UPM_ATTACH_STRICT;
	struct upm_link *link = job->link;
	int status = upm_plan_open(&job->plan, link->table, &rules, &link->outcome);

	job->total = count_steps(job);
	if (!status)
		status = upm_outcome_judge(&link->outcome, link->table, strict);
	if (!status)
		status = upm_usdt_plan(job);
	if (!status)
		status = upm_outcome_judge(&link->outcome, link->table, strict);
	if (!status)
		status = upm_job_advance(job, 0);
	if (!status)
		status = link->backend == UPM_BACKEND_UPROBE_MULTI ? upm_multi_attach(job)
								   : upm_perf_attach(job);
	if (!status)
		status = upm_outcome_judge(&link->outcome, link->table, strict);
	if (!status)
		status = upm_outcome_finish(&link->outcome, link->table->probes.count);
	upm_plan_close(&job->plan);
	return status;
}

/* Taking away what was attached must not blur why. */
static int give_up(struct upm_link *link, int status)
{
	struct upm_error_copy error;

	upm_error_take(&error);
	upm_link_free(link);
	upm_error_put_back(&error);
	return status;
}

static int examine(struct upm_attach_program *programs, size_t count, uint32_t forced,
		   enum upm_backend *backend)
{
	int status = UPM_OK;

	for (size_t i = 0; i < count && !status; i++) {
		status = upm_program_kind_of(programs[i].fd, &programs[i].type);
		if (programs[i].type == UPM_PROGRAM_SESSION &&
		    programs[i].moment == UPM_MOMENT_OF_KIND)
			programs[i].kinds &= 1 << UPM_KIND_UPROBE;
		if (!status)
			status = upm_choose_backend(programs[i].type, forced, backend);
	}
	return status;
}

int upm_attach_programs(struct upm_attach_program *programs, size_t count,
			const struct upm_probe_set *set, struct upm_sites *sites,
			const struct upm_attach_options *options, struct upm_scope *scope,
			struct upm_link **out)
{
	uint64_t start = upm_now_ns();
	struct upm_attach_job job = {
		.programs = programs,
		.program_count = count,
		.options = options,
		.scope = scope,
	};
	enum upm_backend backend = UPM_BACKEND_AUTO;
	int status = examine(programs, count, options->backend, &backend);

	if (!status)
		status = upm_scope_check_kernel(scope, backend);
	if (status)
		return status;
	job.link = upm_link_new(set->table);
	if (!job.link)
		return upm_fail_memory(operation);
	job.link->sites = upm_sites_ref(sites);
	job.link->backend = backend;
	job.link->cookie_is_index = options->flags & UPM_ATTACH_COOKIE_IS_INDEX;
	status = attach_plan(&job);
	if (status)
		return give_up(job.link, status);
	job.link->attach_ns = upm_now_ns() - start;
	*out = job.link;
	return UPM_OK;
}

int32_t upm_attach(int32_t program_fd, const struct upm_probe_set *set,
		   const struct upm_attach_options *options, struct upm_link **out)
{
	struct upm_attach_program program = {.fd = program_fd, .kinds = UPM_ALL_KINDS};
	struct upm_sites *sites = NULL;
	struct upm_attach_options ours;
	struct upm_scope scope;
	int status;

	if (!set || !out)
		return upm_fail(UPM_ERR_INVALID, 0, operation, NULL, NULL, "%s is NULL",
				set ? "out" : "set");
	status = upm_attach_options_read(&ours, options);
	if (!status)
		status = upm_scope_open(&scope, &ours);
	if (status)
		return status;
	if (ours.placement == UPM_PLACEMENT_CHEAPEST)
		status = upm_place(set->table, upm_needs_of_any, NULL, ours.progress,
				   ours.progress_context, &sites);
	if (!status)
		status = upm_attach_programs(&program, 1, set, sites, &ours, &scope, out);
	upm_sites_unref(sites);
	upm_scope_close(&scope);
	return status;
}

int upm_attach_options_read(struct upm_attach_options *ours,
			    const struct upm_attach_options *theirs)
{
	const uint32_t known = UPM_ATTACH_STRICT | UPM_ATTACH_CHILDREN | UPM_ATTACH_COOKIE_IS_INDEX;
	int status = upm_options_read(ours, sizeof(*ours), theirs, "struct upm_attach_options");

	if (status)
		return status;
	if (ours->flags & ~known)
		return upm_fail(UPM_ERR_INVALID, 0, operation, "struct upm_attach_options",
				"use the flags of this library's header",
				"unknown bits 0x%x in flags", ours->flags & ~known);
	if (ours->placement > UPM_PLACEMENT_CHEAPEST)
		return upm_fail(UPM_ERR_INVALID, 0, operation, "struct upm_attach_options",
				"use a value of enum upm_placement", "%u is no placement",
				ours->placement);
	return UPM_OK;
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* One upm_attach() under way, as the backends see it. */
#ifndef UPM_ATTACH_JOB_H
#define UPM_ATTACH_JOB_H

#include "attach/link.h"
#include "attach/plan.h"
#include "attach/program.h"
#include "attach/scope.h"

/* Where in a function a program runs. */
enum upm_moment {
	UPM_MOMENT_OF_KIND, /* as the probe's kind says */
	UPM_MOMENT_ENTRY,   /* whatever the kind */
	UPM_MOMENT_RETURN
};

/* Several programs can share an attach: each probe is then linked to all that take its kind, in
 * their order, and counts as attached when all of them are. The links end in the reverse order. */
struct upm_attach_program {
	int fd;
	uint8_t kinds; /* bit 1 << enum upm_kind: the probes that it takes */
	enum upm_moment moment;
	enum upm_program_kind type; /* found by upm_attach_programs() */
};

#define UPM_ALL_KINDS (1 << UPM_KIND_UPROBE | 1 << UPM_KIND_URETPROBE | 1 << UPM_KIND_USDT)

struct upm_attach_job {
	const struct upm_attach_program *programs;
	size_t program_count;
	const struct upm_attach_options *options;
	struct upm_scope *scope; /* processes for the kernel's filter; those that end are removed */
	struct upm_plan plan;
	struct upm_link *link; /* being made */
	uint64_t done, total;  /* probes, for the progress callback */
};

/* How the kernel is told the file: through the descriptor that was judged, whatever
 * happens to the path meanwhile and in whatever mount namespace it lies. */
#define UPM_KERNEL_PATH_MAX 64

/** @return path, or the file's own path where /proc does not show this process. */
const char *upm_job_file_path(const struct upm_attach_job *job, uint32_t file,
			      char path[UPM_KERNEL_PATH_MAX]);
#define UPM_JOB_MANY_FILES UINT32_MAX
/** Record why the kernel refused a whole link of this file, or of UPM_JOB_MANY_FILES.
 * @return the status */
int upm_job_fail(const struct upm_attach_job *job, uint32_t file, int sys_errno);
/** @return whether the program takes the probes of this group. */
bool upm_job_takes(const struct upm_attach_program *program, const struct upm_plan_group *group);
/** @return whether the program is to run at the return of this group's functions. */
bool upm_job_at_return(const struct upm_attach_program *program,
		       const struct upm_plan_group *group);
/** @return enum upm_kind of the link that carries the program at this group's probes. */
uint8_t upm_job_kind(const struct upm_attach_program *program, const struct upm_plan_group *group);
/** Report progress of further probes. @return UPM_OK or UPM_ERR_CANCELLED */
int upm_job_advance(struct upm_attach_job *job, uint64_t probes);
/**
 * A probe that was refused at a cheaper site is asked for at its entry.
 * @param at  its place in the plan
 * @return whether it was elsewhere
 */
bool upm_job_return_to_entry(struct upm_attach_job *job, size_t at);
/** Take a process that has ended out of the scope. @return UPM_OK; UPM_ERR_NOT_FOUND for the last
 */
int upm_job_drop_process(struct upm_attach_job *job, int32_t pid);

/**
 * If the set has USDT probes and the program was built with <bpf/usdt.bpf.h>, fill in its maps and
 * set the plan's cookies to match. Probes that find no room go to the outcome.
 * @return UPM_OK or an error
 */
int upm_usdt_plan(struct upm_attach_job *job);

/* The backends: attach the plan's groups, move what is refused from the plan to the outcome. */
int upm_multi_attach(struct upm_attach_job *job);
int upm_perf_attach(struct upm_attach_job *job);

/** Read and check a caller's options. @return UPM_OK or UPM_ERR_INVALID */
int upm_attach_options_read(struct upm_attach_options *ours,
			    const struct upm_attach_options *theirs);
/**
 * Attach in a scope that the kernel's filter can express.
 * @param programs  all for the same backend; their types are filled in
 * @param sites     of the set's probes; NULL = where they were asked for
 * @return as upm_attach()
 */
int upm_attach_programs(struct upm_attach_program *programs, size_t count,
			const struct upm_probe_set *set, struct upm_sites *sites,
			const struct upm_attach_options *options, struct upm_scope *scope,
			struct upm_link **out);
/** The backend for a program, as forced or as it must be. UPM_ERR_PROGRAM, UPM_ERR_UNSUPPORTED. */
int upm_choose_backend(enum upm_program_kind program, uint32_t forced, enum upm_backend *backend);

#endif

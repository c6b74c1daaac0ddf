/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* One upm_attach() under way, as the backends see it. */
#ifndef UPM_ATTACH_JOB_H
#define UPM_ATTACH_JOB_H

#include "attach/link.h"
#include "attach/plan.h"
#include "attach/program.h"
#include "attach/scope.h"

struct upm_attach_job {
	int program_fd;
	enum upm_program_kind program;
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
/** Record why the kernel refused a whole link. @return the status */
int upm_job_fail(const struct upm_attach_job *job, uint32_t file, int sys_errno);
/** Report progress of further probes. @return UPM_OK or UPM_ERR_CANCELLED */
int upm_job_advance(struct upm_attach_job *job, uint64_t probes);
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
/** Attach in a scope that the kernel's filter can express. @return as upm_attach() */
int upm_attach_in_scope(int program_fd, const struct upm_probe_set *set,
			const struct upm_attach_options *options, struct upm_scope *scope,
			struct upm_link **out);
/** The backend for a program, as forced or as it must be. UPM_ERR_PROGRAM, UPM_ERR_UNSUPPORTED. */
int upm_choose_backend(enum upm_program_kind program, uint32_t forced, enum upm_backend *backend);

#endif

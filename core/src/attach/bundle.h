/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The probes that one multi link takes, as far as its size allows: groups of one kind, side by
 * side in the plan's arrays. One group, or where a link takes many files all groups of that kind.
 */
#ifndef UPM_ATTACH_BUNDLE_H
#define UPM_ATTACH_BUNDLE_H

#include "attach/job.h"
#include "attach/sys.h"

struct upm_bundle {
	struct upm_attach_job *job;
	struct upm_plan_group *groups;
	size_t group_count;
	size_t count;			    /* of probes */
	char (*names)[UPM_KERNEL_PATH_MAX]; /* room for the path of each group's file */
	const char *path;		    /* of the first group's file */
	uint64_t *paths; /* of several groups: for each probe a pointer to the path of its file */
};

/**
 * Begin with group number first of the plan, and take those of the same kind behind it too where
 * the plan was laid out for many files.
 * @return UPM_OK or UPM_ERR_MEMORY; upm_bundle_close() is due in both cases
 */
int upm_bundle_open(struct upm_bundle *bundle, struct upm_attach_job *job, size_t first);
/** Set it right after probes were taken out of its groups. */
void upm_bundle_settle(struct upm_bundle *bundle);
/** Fill in files, offsets, counters and cookies of count probes from number position on. */
void upm_bundle_describe(const struct upm_bundle *bundle, size_t position, size_t count,
			 struct upm_multi_link *request);
/** @return the group that holds probe number *position, which becomes its number there. */
struct upm_plan_group *upm_bundle_find(const struct upm_bundle *bundle, size_t *position);
/** @return number of files that count probes from number position on lie in. */
size_t upm_bundle_files(const struct upm_bundle *bundle, size_t position, size_t count);
void upm_bundle_close(struct upm_bundle *bundle);

#endif

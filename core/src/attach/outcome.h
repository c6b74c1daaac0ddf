/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Which probes of a table are attached and which are not. The table's own verdicts are
 * shared and stay as they are; what only the attach found out lies here.
 */
#ifndef UPM_ATTACH_OUTCOME_H
#define UPM_ATTACH_OUTCOME_H

#include "resolve/probe_table.h"

struct upm_skip {
	uint32_t index;	    /* in the table */
	uint8_t verdict;    /* enum upm_verdict */
	int32_t sys_errno;  /* with UPM_VERDICT_REFUSED */
	const char *reason; /* NULL = the table's */
};

struct upm_outcome {
	UPM_VECTOR(struct upm_skip) skipped; /* in the table's order once finished */
	size_t attached_count;		     /* the rest, once finished */
	struct upm_strings *strings;	     /* reasons */
};

/** @return UPM_OK or UPM_ERR_MEMORY. */
int upm_outcome_open(struct upm_outcome *outcome);
/** Note a probe that its own verdict, or reason, keeps out. @return UPM_OK or UPM_ERR_MEMORY */
int upm_outcome_skip(struct upm_outcome *outcome, uint32_t index, int32_t verdict,
		     const char *reason);
/** Note a probe that the kernel refused with this errno. @return UPM_OK or UPM_ERR_MEMORY */
int upm_outcome_refuse(struct upm_outcome *outcome, uint32_t index, int sys_errno);
/** Order the skipped; the rest are attached. @return UPM_OK */
int upm_outcome_finish(struct upm_outcome *outcome, size_t probe_count);
/** @return the index in the table of attached probe number position, below attached_count. */
uint32_t upm_outcome_attached(const struct upm_outcome *outcome, size_t position);
/** Report nothing-attached, or the first skipped one in strict mode. @return UPM_OK or the error */
int upm_outcome_judge(const struct upm_outcome *outcome, const struct upm_probe_table *table,
		      bool strict);
void upm_outcome_close(struct upm_outcome *outcome);

#endif

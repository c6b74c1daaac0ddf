/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * From a probe table to what the kernel is given: the probes of one file and kind
 * side by side, by rising offset, in arrays that a link takes as they are. Where a link takes many
 * files, the groups of one kind stand side by side too.
 */
#ifndef UPM_ATTACH_PLAN_H
#define UPM_ATTACH_PLAN_H

#include "attach/outcome.h"
#include "resolve/probe_table.h"
#include "resolve/sites.h"

/* The probes of one file and kind: a slice of the plan's arrays. */
struct upm_plan_group {
	uint32_t file; /* index in the table's files */
	uint8_t kind;  /* enum upm_kind */
	size_t first, count;
	bool has_ref_ctrs, has_cookies; /* any that is not 0 */
};

struct upm_plan {
	UPM_VECTOR(struct upm_plan_group) groups;
	uint32_t *probes;	   /* indexes in the table */
	uint64_t *offsets;	   /* the block that all arrays lie in */
	uint64_t *ref_ctr_offsets; /* NULL = all are 0 */
	uint64_t *cookies;	   /* NULL = all are 0; there with USDT probes, to be changed */
	size_t count;
	bool many_files; /* as in the rules */
};

struct upm_plan_rules {
	bool cookie_is_index;	       /* UPM_ATTACH_COOKIE_IS_INDEX */
	uint8_t kinds;		       /* bit 1 << enum upm_kind: those that a program takes */
	const struct upm_sites *sites; /* of the table's probes; NULL = where they are */
	uint8_t timed_kinds; /* those whose return is watched, although they are no return probes */
	bool many_files;     /* of one kind in a link: the groups come by kind, then by file */
};

/**
 * Lay out every probe that its verdict allows; the others go to the outcome.
 * @return UPM_OK or UPM_ERR_MEMORY; upm_plan_close() is due in both cases
 */
int upm_plan_open(struct upm_plan *plan, const struct upm_probe_table *table,
		  const struct upm_plan_rules *rules, struct upm_outcome *outcome);
/** Take element number position of a group out of the plan; those behind it in the group move up.
 */
void upm_plan_remove(struct upm_plan *plan, struct upm_plan_group *group, size_t position);
/** Move groups up until each begins where the one before it ends. */
void upm_plan_close_gaps(struct upm_plan *plan, struct upm_plan_group *groups, size_t count);
void upm_plan_close(struct upm_plan *plan);

#endif

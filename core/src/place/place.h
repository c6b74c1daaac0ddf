/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Cheaper sites for the probes of a set. */
#ifndef UPM_PLACE_PLACE_H
#define UPM_PLACE_PLACE_H

#include "judge/flow.h"
#include "resolve/probe_table.h"
#include "resolve/sites.h"

/* A need beside the UPM_STATE_ bits: the very place that was asked for. */
#define UPM_NEEDS_PLACE (1u << 31)

/** @return what a program needs to be at the site of a probe as at its offset. */
typedef uint32_t (*upm_needs_fn)(const void *context, const struct upm_probe_table *table,
				 size_t index);

/**
 * Find the cheapest sites.
 * @param progress  asked for each file, and now and then while functions are proven, with the stage
 *                  "attach" of which none is done; NULL = none
 * @param out       receives the sites, a reference of the caller's; NULL when none is elsewhere
 * @return UPM_OK; UPM_ERR_CANCELLED, UPM_ERR_MEMORY and what reading symbols can give
 */
int upm_place(const struct upm_probe_table *table, upm_needs_fn needs, const void *context,
	      upm_progress_fn progress, void *progress_context, struct upm_sites **out);

/** Needs of a counting program: nothing, but the return address for return probes. */
uint32_t upm_needs_of_count(const void *context, const struct upm_probe_table *table, size_t index);
/** Needs of a program that watches returns. */
uint32_t upm_needs_of_return(const void *context, const struct upm_probe_table *table,
			     size_t index);
/** Needs of a program that reads the registers that arguments come in. */
uint32_t upm_needs_of_arguments(const void *context, const struct upm_probe_table *table,
				size_t index);
/** Needs of a program of which nothing is known: everything. */
uint32_t upm_needs_of_any(const void *context, const struct upm_probe_table *table, size_t index);

#endif

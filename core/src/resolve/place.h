/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * From points to probes: the names of one point become one probe with aliases,
 * and a plain name that stands for several points is taken apart.
 */
#ifndef UPM_RESOLVE_PLACE_H
#define UPM_RESOLVE_PLACE_H

#include "resolve/matches.h"
#include "resolve/naming.h"
#include "resolve/probe_table.h"

struct upm_placing {
	struct upm_probe_table *table; /* receives the probes */
	const struct upm_match_request *request;
	uint32_t origin; /* index in the table */
};

/** Add a probe for each point, by rising offset. Sorts the points. UPM_ERR_MEMORY. */
int upm_place_matches(const struct upm_placing *placement, struct upm_matches *matches);

/** Add the one probe that says why the spec found no function in the file. UPM_ERR_MEMORY. */
int upm_place_absence(const struct upm_placing *placement, const struct upm_matches *matches);

/** Add the probe of a file offset, named by the function that covers it. */
int upm_place_offset(const struct upm_placing *placement, struct upm_naming *naming,
		     uint64_t offset);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* USDT specs: the notes of a file whose provider and name match, each site a probe. */
#ifndef UPM_RESOLVE_USDT_H
#define UPM_RESOLVE_USDT_H

#include "resolve/place.h"

/** Patterns of one USDT spec. */
struct upm_usdt_patterns {
	struct upm_pattern *provider, *name;
};

int upm_usdt_patterns_compile(const struct upm_spec *spec, struct upm_usdt_patterns *patterns);
void upm_usdt_patterns_clear(struct upm_usdt_patterns *patterns);

/**
 * Add a probe for each call site that the patterns match. Of a damaged note nobody can tell
 * whether it was meant: each gets a probe that says so, unless the one name asked for was found.
 * @param found  receives whether any site matched
 * @return UPM_OK, UPM_ERR_SPEC for a pattern that is too hard, UPM_ERR_MEMORY
 */
int upm_place_usdt(const struct upm_placing *placement, const struct upm_usdt_patterns *patterns,
		   bool *found);

/** Add the probe that says that a file has no such site, and which providers it has. */
int upm_place_usdt_absence(const struct upm_placing *placement);

#endif

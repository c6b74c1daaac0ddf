/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * From one spec and one binary to the points it names.
 *
 * A pattern asks for functions that are defined in the file, and for nothing
 * else: imports, data and zero-size markers are not functions and are passed over.
 * A plain name asks for one thing, so there whatever stands in its way is a
 * verdict: an import, data, a marker, or several functions of that name.
 *
 * The file's own symbol tables come first. Debug files are read when these do
 * not have what was asked for, so that the same spec gives the same probes on
 * machines with and without debug packages; the caller may ask for always or never.
 */
#ifndef UPM_RESOLVE_MATCHES_H
#define UPM_RESOLVE_MATCHES_H

#include "resolve/found.h"
#include "resolve/pattern.h"
#include "resolve/spec.h"

struct upm_match_request {
	const struct upm_spec *spec;
	const struct upm_pattern *pattern;
	struct upm_binary *binary;
	int32_t pid;	/* a process that maps the binary; 0 = none known */
	uint32_t flags; /* enum upm_resolve_flag */
	upm_progress_fn progress;
	void *progress_context;
};

struct upm_matches {
	struct upm_symbol_tables tables; /* what the symbol and table fields of points refer to */
	struct upm_found_list points;	 /* in the order of their tables */
	struct upm_found_list
		rejected; /* of a plain name: symbols of that name that are no function here */
};

/** Find the points. UPM_ERR_SPEC for a pattern that is too hard, UPM_ERR_MEMORY, UPM_ERR_CANCELLED.
 */
int upm_find_matches(const struct upm_match_request *request, struct upm_matches *matches);
void upm_matches_clear(struct upm_matches *matches);

#endif

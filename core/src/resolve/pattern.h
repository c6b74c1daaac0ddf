/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Matching names. The commonest patterns (`*`, a plain name, `prefix*`) are
 * compared directly; all others, globs too, become PCRE2 expressions with a limit
 * on their work, so that no pattern can run away.
 */
#ifndef UPM_RESOLVE_PATTERN_H
#define UPM_RESOLVE_PATTERN_H

#include <stdbool.h>

#include "resolve/spec.h"

struct upm_pattern;

enum upm_match { UPM_MATCH_NO, UPM_MATCH_YES, UPM_MATCH_TOO_HARD };

/** Compile the pattern of a spec that is no offset. UPM_ERR_SPEC shows where it is wrong. */
int upm_pattern_compile(const struct upm_spec *spec, struct upm_pattern **out);
/** @return whether the pattern matches every name. */
bool upm_pattern_matches_all(const struct upm_pattern *pattern);
/** Compare a name as it stands. */
enum upm_match upm_pattern_match(const struct upm_pattern *pattern, const char *name);
/**
 * Compare the readable forms of a mangled name, with and without parameters.
 * UPM_MATCH_NO at once for names that are not mangled or can not match.
 */
enum upm_match upm_pattern_match_demangled(const struct upm_pattern *pattern, const char *name);
void upm_pattern_free(struct upm_pattern *pattern);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the tests of USDT in real programs share. */
#ifndef UPM_TESTS_USDT_REAL_H
#define UPM_TESTS_USDT_REAL_H

#include "usdt_target.h"

#include <limits.h>

#include "bpf/usdt_text.h"

/** Find the first file of this glob, links resolved. @return false when there is none */
bool real_path(const char *pattern, char path[PATH_MAX]);

/**
 * Check that the set, "usdt:PATH:*:*", has what readelf finds in the file: each call site at its
 * address with its arguments, no more and no less, and that every argument can be read.
 * @return number of arguments
 */
size_t assert_lists_notes(const struct upm_probe_set *set, const char *path);

/** @return hits of all probes whose provider and name begin so. */
uint64_t real_hits(const struct upm_observer *observer, const struct upm_probe_set *set,
		   const char *provider, const char *name);

/** Attach the program of tests/bpf/usdt_text.bpf.c to all of the set in one process. */
struct upm_link *texts_attach(const struct upm_probe_set *set, int32_t pid,
			      struct upm_object **object);
/** Take the next hit out of the queue. @return false when there is none */
bool texts_next(const struct upm_object *object, struct usdt_text *text);

#endif

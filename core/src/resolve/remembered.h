/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Probes that are known by their description alone: their file need not be there any more. */
#ifndef UPM_RESOLVE_REMEMBERED_H
#define UPM_RESOLVE_REMEMBERED_H

#include "resolve/probe_table.h"

/* Lies in the pool of the table that it is added to, with all that it points to. */
struct upm_remembered {
	struct upm_probe probe;
	const char *const *aliases;	      /* probe.alias_count */
	const struct upm_argument *arguments; /* probe.argument_count */
};

/** Fill in what the file would have to tell. */
void upm_remembered_describe(const struct upm_remembered *remembered, struct upm_probe *probe);
/** @return whether the probe has this argument and is remembered. */
bool upm_remembered_argument(const struct upm_probe_table *table, size_t index, size_t argument,
			     struct upm_argument *out);
/**
 * Append a probe to a table.
 * @param file  index of its file, whose binary is NULL
 * @return false when out of memory
 */
bool upm_remembered_add(struct upm_probe_table *table, const struct upm_remembered *probe,
			uint32_t file);

#endif

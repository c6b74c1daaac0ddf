/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Specs that overlap ask for some points twice; attached twice they would fire twice. */
#ifndef UPM_RESOLVE_MERGE_H
#define UPM_RESOLVE_MERGE_H

#include "resolve/probe_table.h"

/**
 * Keep the first probe of each file, kind and offset; its aliases take in the
 * names of those that go. UPM_ERR_MEMORY.
 */
int upm_merge_probes(struct upm_probe_table *table);

#endif

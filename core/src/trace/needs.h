/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What a tracing program reads at a hit. */
#ifndef UPM_TRACE_NEEDS_H
#define UPM_TRACE_NEEDS_H

#include "place/place.h"
#include "upm_trace.h"

/** As upm_observer_type.needs. */
uint32_t upm_trace_needs(const void *observer, const struct upm_probe_table *table, size_t index);
/** @return UPM_STATE_ bits of what is read for the arguments of a list. */
uint32_t upm_trace_list_needs(const struct upm_trace_list *list);

#endif

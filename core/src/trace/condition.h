/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Filters: "fd == 3 && n >= 4096 && path ^= \"/etc/\"". */
#ifndef UPM_TRACE_CONDITION_H
#define UPM_TRACE_CONDITION_H

#include <stdbool.h>
#include <stddef.h>

#include "trace/signature.h"

/**
 * Translate a filter for a function or site with this signature.
 * @param event       enum upm_event_kind, which tells whether there is a result and a duration
 * @param conditions  receives up to UPM_TRACE_CONDITIONS
 * @param count       receives their number
 * @return UPM_OK or UPM_ERR_SPEC: it does not parse, or names what the signature has not
 */
int upm_conditions_parse(const char *filter, const struct upm_signature *signature, uint32_t event,
			 struct upm_trace_condition *conditions, uint32_t *count);

#endif

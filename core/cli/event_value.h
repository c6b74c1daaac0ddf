/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Arguments and results of events, for people and as JSON. */
#ifndef UPM_CLI_EVENT_VALUE_H
#define UPM_CLI_EVENT_VALUE_H

#include <stdbool.h>
#include <stdio.h>

#include "uprobe_multi.h"

struct cli_event_value {
	const struct upm_event_argument *type;
	uint64_t value;
	const char *text; /**< of the batch: where strings and buffers lie */
	bool unreadable;
	bool truncated;
	bool is_result;
};

struct cli_event_value cli_event_argument(const struct upm_event *event, uint32_t index,
					  const struct upm_event_argument *type, const char *text);
struct cli_event_value cli_event_result(const struct upm_event *event,
					const struct upm_event_argument *type);

/**
 * Print as C has it: numbers, NULL, "text"..., 'c', true; or 0x10 <unreadable> where no text was
 * to be read, <double> where no kernel tells the value.
 */
void cli_event_value_print(FILE *out, const struct cli_event_value *value);

/** Print as JSON: numbers, strings, true; or null where it could not be read. */
void cli_event_value_json(FILE *out, const struct cli_event_value *value);

/** @return whether it is a text that could not be read; then *pointer is what pointed to it. */
bool cli_event_value_pointer(const struct cli_event_value *value, uint64_t *pointer);

/** Print a JSON string; what is not UTF-8 as \xNN. */
void cli_json_put_string(FILE *out, const char *text, size_t length);

#endif

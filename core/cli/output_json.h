/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * JSON written as it is made: a set of 100,000 probes is never in memory as one
 * document. Arrays have one element a line, unless the document is to be one line.
 */
#ifndef UPM_CLI_OUTPUT_JSON_H
#define UPM_CLI_OUTPUT_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "uprobe_multi.h"

struct cli_json {
	FILE *out;
	bool first;    /**< nothing stands before in this object or array */
	bool one_line; /**< the whole document, rather than an element a line */
	bool failed;   /**< memory was short */
};

void cli_json_open(struct cli_json *json, FILE *out);
/** Add a member to the document; takes the value. NULL counts as memory being short. */
void cli_json_member(struct cli_json *json, const char *key, json_t *value);
void cli_json_array(struct cli_json *json, const char *key);
/** Add an element to the open array; takes the value. */
void cli_json_element(struct cli_json *json, json_t *value);
void cli_json_array_end(struct cli_json *json);
/** @return CLI_DONE, or CLI_FAILED after a message. */
int cli_json_close(struct cli_json *json);

/** @return a string made valid: see cli_text_utf8(). */
json_t *cli_json_text(const char *text);
/** @return a number, as JSON has them: signed. */
json_t *cli_json_integer(uint64_t value);
/** @return seconds as a real. */
json_t *cli_json_seconds(uint64_t nanoseconds);
/** @return yes, no and unknown as true, false and null. */
json_t *cli_json_answer(uint32_t answer);
/** @return {"path","symbol","offset"} of a probe. */
json_t *cli_json_place(const struct upm_probe *probe);
/** @return the same with "verdict" and "reason", for a probe that was skipped. */
json_t *cli_json_skipped(const struct upm_probe *probe);

#endif

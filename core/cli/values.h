/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Values of options. A text that is none ends the process with CLI_USAGE after a message. */
#ifndef UPM_CLI_VALUES_H
#define UPM_CLI_VALUES_H

#include <argp.h>
#include <stddef.h>
#include <stdint.h>

/**
 * @param option  as the user wrote it, such as "-d"
 * @return nanoseconds of "2", "0.5", "200ms", "5m" or "1h"
 */
uint64_t cli_value_time(struct argp_state *state, const char *option, const char *text);

/**
 * @param meaning  of the number, such as "a number of rows (0 = all)"
 */
uint64_t cli_value_number(struct argp_state *state, const char *option, const char *meaning,
			  const char *text, uint64_t lowest, uint64_t highest);

/** @return bytes of "4096", "64K", "16M" or "1G". */
uint32_t cli_value_size(struct argp_state *state, const char *option, const char *text);

/** Append "12,34" to a list of process or thread numbers. */
void cli_value_ids(struct argp_state *state, const char *option, const char *noun, const char *text,
		   int32_t **ids, size_t *count);

/** @return the array, grown. */
void *cli_value_grow(struct argp_state *state, void *array, size_t count, size_t size);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Text for people: numbers, times, and names out of files made safe for a terminal. */
#ifndef UPM_CLI_TEXT_H
#define UPM_CLI_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CLI_NUMBER_SIZE 48

/** Most columns of a symbol in text for people, whatever the window; JSON has it whole. */
#define CLI_MOST_LABEL 120

/** Write value with thousands separators. @return buffer */
const char *cli_text_number(char buffer[CLI_NUMBER_SIZE], uint64_t value);

/** Write "1 probe" or "2,199 probes". @return buffer */
const char *cli_text_counted(char buffer[CLI_NUMBER_SIZE], uint64_t count, const char *noun);

/** Write a span of time in the unit that suits it, such as "12.3 ms". @return buffer */
const char *cli_text_duration(char buffer[CLI_NUMBER_SIZE], uint64_t nanoseconds);

/** Write a number of times a second. @return buffer */
const char *cli_text_rate(char buffer[CLI_NUMBER_SIZE], uint64_t count, uint64_t nanoseconds);

/** Write a span of time with three digits that count, such as "1.02 us". @return buffer */
const char *cli_text_exact(char buffer[CLI_NUMBER_SIZE], uint64_t nanoseconds);

/** @return columns that cli_text_put() takes for the whole text. */
size_t cli_text_width(const char *text);

/**
 * Print text with every byte that a terminal may obey, or that this locale can not
 * show, as \xNN.
 * @param limit  most columns, more is cut in the middle; 0 = no limit
 * @param pad    fewest columns, filled up with blanks
 */
void cli_text_put(FILE *out, const char *text, size_t limit, size_t pad);

/** Print as cli_text_put() what fits into `columns` from the start. @return columns used. */
size_t cli_text_put_head(FILE *out, const char *text, size_t columns);

/**
 * Print bytes as a literal of C, between two of `quote`; characters that this locale can show
 * stay as they are.
 */
void cli_text_quote(FILE *out, const char *bytes, size_t length, char quote);

/**
 * Share out `room` columns between two texts that want more: the second yields first, down
 * to a third of the room, then the first.
 */
void cli_text_share(size_t room, size_t *first, size_t *second);

/** @return bytes of the well-formed UTF-8 character at text; 0 when there is none. */
size_t cli_text_utf8_sequence(const char *text, size_t length);

/** @return a copy in valid UTF-8, bytes that are not as \xNN; free() it. NULL: no memory. */
char *cli_text_utf8(const char *text);

#endif

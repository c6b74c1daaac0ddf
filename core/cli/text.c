// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "text.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define CUT_MARK "..."
#define CUT_COLUMNS 3
#define ESCAPE_COLUMNS 4

const char *cli_text_number(char buffer[CLI_NUMBER_SIZE], uint64_t value)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
	char *to = buffer;

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return buffer;
}

const char *cli_text_counted(char buffer[CLI_NUMBER_SIZE], uint64_t count, const char *noun)
{
	size_t length = strlen(cli_text_number(buffer, count));

	snprintf(buffer + length, CLI_NUMBER_SIZE - length, " %s%s", noun, count == 1 ? "" : "s");
	return buffer;
}

const char *cli_text_duration(char buffer[CLI_NUMBER_SIZE], uint64_t nanoseconds)
{
	uint64_t seconds = nanoseconds / 1000000000;

	if (nanoseconds < 1000)
		snprintf(buffer, CLI_NUMBER_SIZE, "%u ns", (unsigned)nanoseconds);
	else if (nanoseconds < 1000000)
		snprintf(buffer, CLI_NUMBER_SIZE, "%.1f us", (double)nanoseconds / 1e3);
	else if (nanoseconds < 1000000000)
		snprintf(buffer, CLI_NUMBER_SIZE, "%.1f ms", (double)nanoseconds / 1e6);
	else if (seconds < 60)
		snprintf(buffer, CLI_NUMBER_SIZE, "%.2f s", (double)nanoseconds / 1e9);
	else if (seconds < 3600)
		snprintf(buffer, CLI_NUMBER_SIZE, "%um%02us", (unsigned)(seconds / 60),
			 (unsigned)(seconds % 60));
	else
		snprintf(buffer, CLI_NUMBER_SIZE, "%lluh%02um",
			 (unsigned long long)(seconds / 3600), (unsigned)(seconds / 60 % 60));
	return buffer;
}

const char *cli_text_rate(char buffer[CLI_NUMBER_SIZE], uint64_t count, uint64_t nanoseconds)
{
	double rate = nanoseconds ? (double)count * 1e9 / (double)nanoseconds : 0;

	if (rate > 0 && rate < 10)
		snprintf(buffer, CLI_NUMBER_SIZE, "%.1f", rate);
	else
		cli_text_number(buffer, (uint64_t)(rate + 0.5));
	return buffer;
}

const char *cli_text_exact(char buffer[CLI_NUMBER_SIZE], uint64_t nanoseconds)
{
	static const char *const units[] = {"ns", "us", "ms", "s"};
	double value = (double)nanoseconds;
	size_t unit = 0;

	while (value >= 999.5 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1000;
		unit++;
	}
	snprintf(buffer, CLI_NUMBER_SIZE, "%.*f %s",
		 !unit || value >= 99.95 ? 0
		 : value >= 9.995	 ? 1
					 : 2,
		 value, units[unit]);
	return buffer;
}

/* One character as the terminal will show it. */
struct glyph {
	const char *bytes;
	size_t length;
	size_t columns;
	bool escaped;
};

static bool next_glyph(const char **text, struct glyph *glyph)
{
	wchar_t wide;
	mbstate_t state;
	size_t length;
	int columns;

	if (!**text)
		return false;
	if (**text >= ' ' && **text < 0x7f) {
		*glyph = (struct glyph){(*text)++, 1, 1, false};
		return true;
	}
	memset(&state, 0, sizeof(state));
	length = mbrtowc(&wide, *text, strlen(*text), &state);
	columns = length > 0 && length <= MB_LEN_MAX ? wcwidth(wide) : -1;
	glyph->bytes = *text;
	glyph->escaped = columns <= 0;
	glyph->length = glyph->escaped ? 1 : length;
	glyph->columns = glyph->escaped ? ESCAPE_COLUMNS : (size_t)columns;
	*text += glyph->length;
	return true;
}

static void put_glyph(FILE *out, const struct glyph *glyph)
{
	if (glyph->escaped)
		fprintf(out, "\\x%02x", (unsigned char)*glyph->bytes);
	else
		fwrite(glyph->bytes, 1, glyph->length, out);
}

size_t cli_text_width(const char *text)
{
	struct glyph glyph;
	size_t columns = 0;

	while (next_glyph(&text, &glyph))
		columns += glyph.columns;
	return columns;
}

size_t cli_text_put_head(FILE *out, const char *text, size_t columns)
{
	struct glyph glyph;
	size_t used = 0;

	while (next_glyph(&text, &glyph) && used + glyph.columns <= columns) {
		put_glyph(out, &glyph);
		used += glyph.columns;
	}
	return used;
}

/* Print what fits into `columns` from the end of text, `width` wide. @return columns used. */
static size_t put_tail(FILE *out, const char *text, size_t width, size_t columns)
{
	struct glyph glyph;

	while (width > columns && next_glyph(&text, &glyph))
		width -= glyph.columns;
	return cli_text_put_head(out, text, width);
}

void cli_text_put(FILE *out, const char *text, size_t limit, size_t pad)
{
	size_t width = cli_text_width(text);
	size_t used;

	if (!limit || width <= limit) {
		used = cli_text_put_head(out, text, width);
	} else if (limit <= CUT_COLUMNS) {
		used = cli_text_put_head(out, text, limit);
	} else {
		used = cli_text_put_head(out, text, (limit - CUT_COLUMNS + 1) / 2);
		fputs(CUT_MARK, out);
		used += CUT_COLUMNS;
		used += put_tail(out, text, width, (limit - CUT_COLUMNS) / 2);
	}
	if (used < pad)
		fprintf(out, "%*s", (int)(pad - used), "");
}

/* @return bytes of a character beyond ASCII that this locale can show; 0 = none. */
static size_t shown_character(const char *bytes, size_t length)
{
	wchar_t wide;
	mbstate_t state;
	size_t got;

	memset(&state, 0, sizeof(state));
	got = mbrtowc(&wide, bytes, length, &state);
	return got > 1 && got <= MB_LEN_MAX && wcwidth(wide) > 0 ? got : 0;
}

/* Three octal digits end by themselves, whatever follows. */
static void put_escaped(FILE *out, unsigned char byte)
{
	static const char letters[] = "abtnvfr";

	if (byte >= '\a' && byte <= '\r')
		fprintf(out, "\\%c", letters[byte - '\a']);
	else
		fprintf(out, "\\%03o", byte);
}

void cli_text_quote(FILE *out, const char *bytes, size_t length, char quote)
{
	fputc(quote, out);
	for (size_t i = 0; i < length;) {
		unsigned char byte = (unsigned char)bytes[i];
		size_t shown = byte < 0x80 ? 0 : shown_character(bytes + i, length - i);

		if (shown)
			fwrite(bytes + i, 1, shown, out);
		else if (byte == (unsigned char)quote || byte == '\\')
			fprintf(out, "\\%c", byte);
		else if (byte >= ' ' && byte < 0x7f)
			fputc(byte, out);
		else
			put_escaped(out, byte);
		i += shown ? shown : 1;
	}
	fputc(quote, out);
}

void cli_text_share(size_t room, size_t *first, size_t *second)
{
	if (*first + *second <= room)
		return;
	if (*first < room - room / 3)
		*second = room - *first;
	else if (*second > room / 3)
		*second = room / 3;
	if (*first + *second > room)
		*first = room - *second;
}

static size_t utf8_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
}

size_t cli_text_utf8_sequence(const char *bytes, size_t size)
{
	const unsigned char *text = (const unsigned char *)bytes;
	size_t length = size ? utf8_length(text[0]) : 0;

	if (length > size)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
	    (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
		return 0;
	return length;
}

char *cli_text_utf8(const char *text)
{
	size_t left = strlen(text);
	char *copy = malloc(ESCAPE_COLUMNS * left + 1);
	char *to = copy;

	if (!copy)
		return NULL;
	while (*text) {
		size_t length = cli_text_utf8_sequence(text, left);

		if (length)
			to = mempcpy(to, text, length);
		else
			to += sprintf(to, "\\x%02x", (unsigned char)*text);
		text += length ? length : 1;
		left -= length ? length : 1;
	}
	*to = '\0';
	return copy;
}

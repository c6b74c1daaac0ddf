/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * A note is three words (size of the owner's name, size of the description, type), the name and
 * the description, both padded to 4 bytes whatever the section's alignment says: that is how
 * <sys/sdt.h> writes them. The description is three addresses and three strings.
 *
 * A size that leads out of the section hides where the next note begins, so it ends
 * the section; every other damage is that of one note.
 */
#include "usdt/notes_section.h"

#include <string.h>

#define OWNER "stapsdt"

enum { USDT_TYPE = 3, WORD = 4, HEADER_SIZE = 3 * WORD };

static const char damage_header[] = "the section ends within the header of a note";
static const char damage_sizes[] =
	"the sizes of the note lead out of its section: the rest of the section can not be read";
static const char damage_type[] = "the note is of a version that is not known (its type is not 3)";
static const char damage_addresses[] = "the note is too short for its three addresses";
static const char damage_provider[] = "the provider does not end within the note";
static const char damage_name[] = "the name does not end within the note";
static const char damage_arguments[] = "the arguments do not end within the note";
static const char damage_no_provider[] = "the provider is empty";
static const char damage_no_name[] = "the name is empty";

struct raw_note {
	uint32_t type;
	const char *owner, *text;
	size_t owner_size, text_size;
};

static uint64_t read_number(const struct upm_usdt_note_format *format, const char *at, size_t size)
{
	uint32_t word;
	uint64_t number;

	if (size == WORD) {
		memcpy(&word, at, sizeof(word));
		return format->foreign_order ? __builtin_bswap32(word) : word;
	}
	memcpy(&number, at, sizeof(number));
	return format->foreign_order ? __builtin_bswap64(number) : number;
}

static size_t padded(size_t size)
{
	return (size + WORD - 1) & ~(size_t)(WORD - 1);
}

/* @return the size of the note with its padding, or 0 when it does not fit */
static size_t read_note(const struct upm_usdt_note_format *format, const char *at, size_t left,
			struct raw_note *note)
{
	size_t text_at;

	note->owner_size = read_number(format, at, WORD);
	note->text_size = read_number(format, at + WORD, WORD);
	note->type = (uint32_t)read_number(format, at + 2 * WORD, WORD);
	if (note->owner_size > left - HEADER_SIZE)
		return 0;
	text_at = HEADER_SIZE + padded(note->owner_size);
	if (note->text_size && (text_at > left || note->text_size > left - text_at))
		return 0;
	note->owner = at + HEADER_SIZE;
	note->text = at + text_at;
	return text_at + padded(note->text_size);
}

static bool is_ours(const struct raw_note *note)
{
	return note->owner_size == sizeof(OWNER) && memcmp(note->owner, OWNER, sizeof(OWNER)) == 0;
}

/* Take one string off the front of what is left. @return NULL when it does not end. */
static const char *take_string(const char **at, size_t *left)
{
	const char *text = *at, *end = memchr(text, '\0', *left);

	if (!end)
		return NULL;
	*left -= (size_t)(end + 1 - text);
	*at = end + 1;
	return text;
}

static const char *take_strings(const char *at, size_t left, struct upm_usdt_note *note)
{
	if (!(note->provider = take_string(&at, &left)))
		return damage_provider;
	if (!(note->name = take_string(&at, &left)))
		return damage_name;
	if (!(note->arguments = take_string(&at, &left)))
		return damage_arguments;
	if (!*note->provider)
		return damage_no_provider;
	return *note->name ? NULL : damage_no_name;
}

static uint64_t moved(const struct upm_usdt_note_format *format, uint64_t address, uint64_t base)
{
	if (format->has_base)
		address += format->base - base;
	return format->wide ? address : (uint32_t)address;
}

static const char *take_text(const struct upm_usdt_note_format *format, const struct raw_note *raw,
			     struct upm_usdt_note *note)
{
	size_t word = format->wide ? 8 : 4;
	uint64_t base, semaphore;

	if (raw->type != USDT_TYPE)
		return damage_type;
	if (raw->text_size < 3 * word)
		return damage_addresses;
	base = read_number(format, raw->text + word, word);
	semaphore = read_number(format, raw->text + 2 * word, word);
	note->address = moved(format, read_number(format, raw->text, word), base);
	note->semaphore = semaphore ? moved(format, semaphore, base) : 0;
	return take_strings(raw->text + 3 * word, raw->text_size - 3 * word, note);
}

bool upm_usdt_notes_add_damaged(struct upm_usdt_notes *notes, const char *damage)
{
	struct upm_usdt_note note = {.provider = "", .name = "", .arguments = "", .damage = damage};

	return upm_vector_push(&notes->list, note);
}

static bool add_note(const struct upm_usdt_note_format *format, const struct raw_note *raw,
		     struct upm_usdt_notes *notes)
{
	struct upm_usdt_note note = {0};

	note.damage = take_text(format, raw, &note);
	if (note.damage)
		note.provider = note.name = note.arguments = "";
	return upm_vector_push(&notes->list, note);
}

/* What is left is shorter than a header: padding, or else a note that was cut. */
static bool end_section(const struct upm_usdt_note_format *format, size_t left,
			struct upm_usdt_notes *notes)
{
	if (!format->named || left < WORD)
		return true;
	return upm_usdt_notes_add_damaged(notes, damage_header);
}

bool upm_usdt_notes_parse(const struct upm_usdt_note_format *format, const char *bytes, size_t size,
			  struct upm_usdt_notes *notes)
{
	size_t left = size;

	while (left >= HEADER_SIZE) {
		struct raw_note raw;
		size_t length = read_note(format, bytes, left, &raw);

		if (!length)
			return !format->named || upm_usdt_notes_add_damaged(notes, damage_sizes);
		if (is_ours(&raw) && !add_note(format, &raw, notes))
			return false;
		if (length >= left)
			return true;
		bytes += length;
		left -= length;
	}
	return end_section(format, left, notes);
}

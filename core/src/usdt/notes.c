/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Where a file's USDT notes lie. <sys/sdt.h> puts them into .note.stapsdt, of which a
 * relocatable link may leave several; a linker script may have put them into another
 * note section, so all of those are looked through for the owner "stapsdt". They
 * are no part of the memory image, so that PT_NOTE holds them only where somebody asked for it.
 */
#include "usdt/notes.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "binary/elf_file.h"
#include "usdt/notes_section.h"

#define READ_NOTES "read the USDT notes"

/* More than any real file has: libjvm.so, with over 500 probes, has 64 KiB. */
#define NOTES_MAX (UINT64_C(64) << 20)

static const char damage_outside[] = "the section of the notes does not lie within the file";
static const char damage_compressed[] = "the section of the notes is compressed";
static const char damage_size[] = "the sections of notes are larger than any real ones";
static const char damage_unreadable[] = "the section of the notes can not be read in full";

struct notes {
	struct upm_usdt_notes public;
	UPM_VECTOR(char *) bytes; /* the sections, which the strings point into */
	uint64_t total;		  /* of their sizes */
};

static void free_notes(void *context)
{
	struct notes *notes = context;

	for (size_t i = 0; i < notes->bytes.count; i++)
		free(notes->bytes.items[i]);
	upm_vector_clear(&notes->bytes);
	upm_vector_clear(&notes->public.list);
	free(notes);
}

static bool lies_within(const struct upm_elf *elf, struct upm_elf_range range)
{
	return range.offset <= elf->size && range.size <= elf->size - range.offset;
}

static int add_damaged(struct notes *notes, const struct upm_usdt_note_format *format,
		       const char *damage)
{
	if (!format->named || upm_usdt_notes_add_damaged(&notes->public, damage))
		return UPM_OK;
	return upm_fail_memory(READ_NOTES);
}

/* The bytes become the notes'. */
static int parse_bytes(struct notes *notes, const struct upm_usdt_note_format *format, char *bytes,
		       size_t size)
{
	if (!upm_vector_push(&notes->bytes, bytes)) {
		free(bytes);
		return upm_fail_memory(READ_NOTES);
	}
	return upm_usdt_notes_parse(format, bytes, size, &notes->public)
		       ? UPM_OK
		       : upm_fail_memory(READ_NOTES);
}

static int read_range(const struct upm_elf *elf, struct notes *notes,
		      const struct upm_usdt_note_format *format, struct upm_elf_range range)
{
	char *bytes;

	if (!lies_within(elf, range))
		return add_damaged(notes, format, damage_outside);
	if (range.size > NOTES_MAX - notes->total)
		return add_damaged(notes, format, damage_size);
	bytes = upm_elf_bytes(elf, range.offset, range.size, READ_NOTES, "a section of notes");
	if (!bytes && upm_error_last()->code == UPM_ERR_MEMORY)
		return UPM_ERR_MEMORY;
	if (!bytes)
		return add_damaged(notes, format, damage_unreadable);
	notes->total += range.size;
	return parse_bytes(notes, format, bytes, (size_t)range.size);
}

static bool has_name(const char *names, uint64_t names_size, const GElf_Shdr *header,
		     const char *name)
{
	return names && header->sh_name < names_size && strcmp(names + header->sh_name, name) == 0;
}

static void find_base(const struct upm_elf *elf, const char *names, uint64_t names_size,
		      struct upm_usdt_note_format *format)
{
	GElf_Shdr header;

	for (size_t i = 1; i < elf->section_count && !format->has_base; i++) {
		if (upm_elf_section(elf, i, &header) &&
		    has_name(names, names_size, &header, ".stapsdt.base")) {
			format->has_base = true;
			format->base = header.sh_addr;
		}
	}
}

static int read_sections(const struct upm_elf *elf, struct notes *notes,
			 struct upm_usdt_note_format *format, const char *names,
			 uint64_t names_size)
{
	int status = UPM_OK;

	find_base(elf, names, names_size, format);
	for (size_t i = 1; i < elf->section_count && !status; i++) {
		GElf_Shdr header;

		if (!upm_elf_section(elf, i, &header) || header.sh_type != SHT_NOTE)
			continue;
		format->named = has_name(names, names_size, &header, ".note.stapsdt");
		if (header.sh_flags & SHF_COMPRESSED)
			status = add_damaged(notes, format, damage_compressed);
		else
			status = read_range(
				elf, notes, format,
				(struct upm_elf_range){header.sh_offset, header.sh_size});
	}
	return status;
}

static int read_segments(const struct upm_elf *elf, struct notes *notes,
			 const struct upm_usdt_note_format *format)
{
	size_t count = 0;
	int status = UPM_OK;

	elf_getphdrnum(elf->handle, &count);
	for (size_t i = 0; i < count && !status; i++) {
		GElf_Phdr header;

		if (gelf_getphdr(elf->handle, (int)i, &header) && header.p_type == PT_NOTE)
			status = read_range(
				elf, notes, format,
				(struct upm_elf_range){header.p_offset, header.p_filesz});
	}
	return status;
}

static int read_notes(const struct upm_elf *elf, struct notes *notes)
{
	struct upm_usdt_note_format format = {.wide = upm_elf_bits(elf) == 64,
					      .foreign_order = elf->foreign_order};
	uint64_t names_size;
	char *names;
	int status;

	if (!elf->section_count)
		return read_segments(elf, notes, &format);
	names = upm_elf_section_names(elf, &names_size);
	if (!names && names_size && upm_error_last()->code == UPM_ERR_MEMORY)
		return UPM_ERR_MEMORY;
	status = read_sections(elf, notes, &format, names, names_size);
	free(names);
	return status;
}

static int load(struct upm_elf *elf)
{
	struct notes *notes = calloc(1, sizeof(*notes));
	int status = notes ? read_notes(elf, notes) : upm_fail_memory(READ_NOTES);

	if (status) {
		if (notes)
			free_notes(notes);
		return status;
	}
	elf->free_usdt_notes = free_notes;
	elf->usdt_notes = notes;
	return UPM_OK;
}

int upm_binary_usdt_notes(struct upm_binary *binary, const struct upm_usdt_notes **notes)
{
	struct upm_elf *elf = binary->elf;
	int status = UPM_OK;

	pthread_mutex_lock(&elf->lock);
	if (!elf->usdt_notes)
		status = load(elf);
	*notes = status ? NULL : &((struct notes *)elf->usdt_notes)->public;
	pthread_mutex_unlock(&elf->lock);
	return status;
}

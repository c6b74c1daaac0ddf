/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What a look at the headers and the small notes tells: segments, build-id, Go,
 * and the numbers of the sections that are read later.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "binary/elf_file.h"

#define NOTE_SECTION_MAX (1 << 20)
#define GO_BUILD_ID_TYPE 4

/* The kernel loads no program with more bytes of program headers (fs/binfmt_elf.c). */
#define PROGRAM_HEADERS_MAX 65536

static uint32_t word_at(const struct upm_elf *elf, const uint8_t *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	return elf->foreign_order ? __builtin_bswap32(word) : word;
}

static void take_note(struct upm_binary *binary, uint32_t type, const char *name, size_t name_size,
		      const uint8_t *text, size_t text_size)
{
	if (type == NT_GNU_BUILD_ID && name_size == sizeof("GNU") && memcmp(name, "GNU", 4) == 0 &&
	    text_size > 0 && text_size <= UPM_BUILD_ID_MAX && !binary->build_id_size) {
		memcpy(binary->build_id, text, text_size);
		binary->build_id_size = text_size;
	}
	if (type == GO_BUILD_ID_TYPE && name_size == sizeof("Go") && memcmp(name, "Go", 3) == 0)
		binary->go = true;
}

static void take_notes(const struct upm_elf *elf, struct upm_binary *binary, const uint8_t *bytes,
		       uint64_t size, uint64_t align)
{
	uint64_t at = 0;

	while (size - at >= 12) {
		uint64_t name_size = word_at(elf, bytes + at);
		uint64_t text_size = word_at(elf, bytes + at + 4);
		uint32_t type = word_at(elf, bytes + at + 8);
		uint64_t text = (at + 12 + name_size + align - 1) & ~(align - 1);
		uint64_t end = (text + text_size + align - 1) & ~(align - 1);

		if (text > size || text_size > size - text)
			return;
		take_note(binary, type, (const char *)bytes + at + 12, name_size, bytes + text,
			  text_size);
		if (end >= size)
			return;
		at = end;
	}
}

static int read_notes(const struct upm_elf *elf, struct upm_binary *binary, uint64_t offset,
		      uint64_t size, uint64_t align)
{
	uint8_t *bytes;

	if (size > NOTE_SECTION_MAX || offset > elf->size || size > elf->size - offset)
		return UPM_OK;
	bytes = upm_elf_bytes(elf, offset, size, UPM_OPEN_BINARY, "a note");
	if (!bytes)
		return upm_error_last()->code;
	take_notes(elf, binary, bytes, size, align == 8 ? 8 : 4);
	free(bytes);
	return UPM_OK;
}

static void take_section_name(struct upm_elf *elf, struct upm_binary *binary, size_t number,
			      const char *name)
{
	if (strcmp(name, ".gnu_debugdata") == 0)
		elf->debugdata = number;
	else if (strcmp(name, ".gnu_debuglink") == 0)
		elf->debuglink = number;
	else if (strcmp(name, ".go.buildinfo") == 0 || strcmp(name, ".gopclntab") == 0 ||
		 strcmp(name, ".data.rel.ro.gopclntab") == 0)
		binary->go = true;
}

static int take_section(struct upm_elf *elf, struct upm_binary *binary, size_t number,
			const GElf_Shdr *header)
{
	switch (header->sh_type) {
	case SHT_SYMTAB:
		elf->symtab = elf->symtab ? elf->symtab : number;
		break;
	case SHT_DYNSYM:
		elf->dynsym = elf->dynsym ? elf->dynsym : number;
		break;
	case SHT_GNU_versym:
		elf->versym = number;
		break;
	case SHT_GNU_verdef:
		elf->verdef = number;
		break;
	case SHT_GNU_verneed:
		elf->verneed = number;
		break;
	case SHT_NOTE:
		if (header->sh_flags & SHF_ALLOC)
			return read_notes(elf, binary, header->sh_offset, header->sh_size,
					  header->sh_addralign);
	}
	return UPM_OK;
}

/* A damaged table of section names costs only what is found by name. */
char *upm_elf_section_names(const struct upm_elf *elf, uint64_t *size)
{
	GElf_Shdr header;
	size_t number;

	*size = 0;
	if (elf_getshdrstrndx(elf->handle, &number) || !upm_elf_section(elf, number, &header) ||
	    header.sh_type != SHT_STRTAB)
		return NULL;
	*size = header.sh_size;
	return upm_elf_bytes(elf, header.sh_offset, header.sh_size, UPM_OPEN_BINARY,
			     "the table of section names");
}

static int survey_sections(struct upm_elf *elf, struct upm_binary *binary)
{
	uint64_t names_size;
	char *names = upm_elf_section_names(elf, &names_size);
	int status = UPM_OK;

	for (size_t i = 1; i < elf->section_count && !status; i++) {
		GElf_Shdr header;

		if (!upm_elf_section(elf, i, &header))
			continue;
		if (names && header.sh_name < names_size && header.sh_type != SHT_NOBITS)
			take_section_name(elf, binary, i, names + header.sh_name);
		status = take_section(elf, binary, i, &header);
	}
	free(names);
	return status;
}

static uint64_t aligned(uint64_t size, uint64_t alignment)
{
	return alignment > 1 ? (size + alignment - 1) / alignment * alignment : size;
}

static int take_segment(struct upm_elf *elf, struct upm_binary *binary, const GElf_Phdr *header)
{
	struct upm_segment segment = {.offset = header->p_offset,
				      .address = header->p_vaddr,
				      .file_size = header->p_filesz,
				      .memory_size = header->p_memsz,
				      .readable = header->p_flags & PF_R,
				      .writable = header->p_flags & PF_W,
				      .executable = header->p_flags & PF_X};
	struct upm_elf_range range = {header->p_offset, header->p_filesz};

	switch (header->p_type) {
	case PT_LOAD:
		return upm_vector_push(&binary->segments, segment)
			       ? UPM_OK
			       : upm_fail_memory(UPM_OPEN_BINARY);
	case PT_TLS:
		binary->thread_area = aligned(header->p_memsz, header->p_align);
		break;
	case PT_DYNAMIC:
		elf->dynamic = range;
		break;
	case PT_INTERP:
		elf->interpreter = range;
		break;
	case PT_NOTE:
		if (!elf->section_count)
			return read_notes(elf, binary, range.offset, range.size, header->p_align);
	}
	return UPM_OK;
}

static int compare_segments(const void *a, const void *b)
{
	const struct upm_segment *one = a, *two = b;

	return one->offset < two->offset ? -1 : one->offset > two->offset;
}

static int survey_segments(struct upm_elf *elf, struct upm_binary *binary)
{
	size_t count = 0;

	elf_getphdrnum(elf->handle, &count);
	if (count * sizeof(Elf64_Phdr) > PROGRAM_HEADERS_MAX)
		return upm_fail(UPM_ERR_FORMAT, 0, UPM_OPEN_BINARY, elf->path, NULL,
				"%zu program headers are more than any kernel loads", count);
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr header;
		int status;

		errno = 0;
		if (!gelf_getphdr(elf->handle, (int)i, &header))
			return upm_elf_refused(elf, "a program header");
		status = take_segment(elf, binary, &header);
		if (status)
			return status;
	}
	if (binary->segments.count)
		qsort(binary->segments.items, binary->segments.count,
		      sizeof(*binary->segments.items), compare_segments);
	return UPM_OK;
}

int upm_elf_survey(struct upm_elf *elf, struct upm_binary *binary)
{
	GElf_Ehdr header;
	int status;

	errno = 0;
	if (!gelf_getehdr(elf->handle, &header))
		return upm_elf_refused(elf, "the ELF header");
	binary->machine = header.e_machine;
	binary->elf_type = header.e_type;
	binary->bits = upm_elf_bits(elf);
	binary->big_endian = header.e_ident[EI_DATA] == ELFDATA2MSB;
	status = survey_segments(elf, binary);
	return status ? status : survey_sections(elf, binary);
}

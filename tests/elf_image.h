/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Writes small ELF files of either class and byte order, good ones and bad ones,
 * for the tests of everything that reads them. One PT_LOAD segment, readable and
 * executable, maps the whole file at IMAGE_BASE.
 */
#ifndef UPM_TESTS_ELF_IMAGE_H
#define UPM_TESTS_ELF_IMAGE_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define IMAGE_BASE 0x400000u
#define IMAGE_MAX (1u << 20)
#define IMAGE_SECTIONS_MAX 24

struct image_section {
	const char *name;
	uint32_t type, link;
	uint64_t flags, offset, size, entry_size;
};

struct image {
	unsigned bits;
	bool big;
	uint16_t machine;
	uint64_t dynamic, dynamic_size; /* PT_DYNAMIC; size 0 = none */
	bool without_sections;
	uint64_t section_headers; /* where image_finish() put them */
	size_t size;
	size_t section_count;
	struct image_section sections[IMAGE_SECTIONS_MAX];
	uint8_t bytes[IMAGE_MAX];
};

struct image_symbol {
	const char *name;
	uint64_t value, size;
	uint8_t type, binding;
	uint16_t section; /* SHN_UNDEF or 1 */
};

static inline void image_put(const struct image *image, void *to, uint64_t value, size_t size)
{
	uint8_t *bytes = to;

	for (size_t i = 0; i < size; i++)
		bytes[image->big ? size - 1 - i : i] = (uint8_t)(value >> 8 * i);
}

static inline uint64_t image_append(struct image *image, const void *bytes, size_t size)
{
	uint64_t at = (image->size + 7) & ~(uint64_t)7;

	if (at + size > IMAGE_MAX)
		abort();
	if (size)
		memcpy(image->bytes + at, bytes, size);
	image->size = at + size;
	return at;
}

static inline struct image *image_new(unsigned bits, bool big)
{
	struct image *image = calloc(1, sizeof(*image));

	if (!image)
		abort();
	image->bits = bits;
	image->big = big;
	image->machine = bits == 64 ? EM_X86_64 : EM_386;
	image->size = 0x400; /* room for the headers */
	image->section_count = 1;
	return image;
}

static inline size_t image_section(struct image *image, const char *name, uint32_t type,
				   uint64_t flags, const void *bytes, size_t size)
{
	struct image_section section = {.name = name, .type = type, .flags = flags, .size = size};

	section.offset = image_append(image, bytes, size);
	image->sections[image->section_count] = section;
	return image->section_count++;
}

/* Add a table and its strings. @return the number of the table; the strings follow it. */
static inline size_t image_symbols(struct image *image, bool dynamic,
				   const struct image_symbol *symbols, size_t count)
{
	size_t entry = image->bits == 64 ? 24 : 16, at = 1, table;
	uint8_t *records = calloc(count + 1, entry);
	char strings[4096] = "";

	if (!records)
		abort();
	for (size_t i = 0; i < count; i++) {
		uint8_t *record = records + (i + 1) * entry;
		uint8_t info = (uint8_t)(symbols[i].binding << 4 | symbols[i].type);
		bool wide = image->bits == 64;

		image_put(image, record, at, 4);
		image_put(image, record + (wide ? 8 : 4), symbols[i].value, wide ? 8 : 4);
		image_put(image, record + (wide ? 16 : 8), symbols[i].size, wide ? 8 : 4);
		record[wide ? 4 : 12] = info;
		image_put(image, record + (wide ? 6 : 14), symbols[i].section, 2);
		strcpy(strings + at, symbols[i].name);
		at += strlen(symbols[i].name) + 1;
	}
	table = image_section(image, dynamic ? ".dynsym" : ".symtab",
			      dynamic ? SHT_DYNSYM : SHT_SYMTAB, 0, records, (count + 1) * entry);
	image->sections[table].entry_size = entry;
	image->sections[table].link = (uint32_t)table + 1;
	image_section(image, dynamic ? ".dynstr" : ".strtab", SHT_STRTAB, 0, strings, at);
	free(records);
	return table;
}

static inline size_t image_note(struct image *image, const char *name, uint32_t type,
				const void *text, size_t text_size)
{
	uint8_t note[256] = {0};
	size_t name_size = strlen(name) + 1, padded = (name_size + 3) & ~(size_t)3;

	image_put(image, note, name_size, 4);
	image_put(image, note + 4, text_size, 4);
	image_put(image, note + 8, type, 4);
	memcpy(note + 12, name, name_size);
	memcpy(note + 12 + padded, text, text_size);
	return image_section(image, ".note", SHT_NOTE, SHF_ALLOC, note,
			     12 + padded + ((text_size + 3) & ~(size_t)3));
}

static inline void image_put_word(struct image *image, uint64_t *at, uint64_t value)
{
	size_t size = image->bits / 8;

	image_put(image, image->bytes + *at, value, size);
	*at += size;
}

static inline void image_program_header(struct image *image, uint64_t at, uint32_t type,
					uint32_t flags, uint64_t offset, uint64_t size)
{
	uint8_t *header = image->bytes + at;

	image_put(image, header, type, 4);
	if (image->bits == 64) {
		image_put(image, header + 4, flags, 4);
		at += 8;
	} else {
		image_put(image, header + 24, flags, 4);
		at += 4;
	}
	image_put_word(image, &at, offset);
	image_put_word(image, &at, IMAGE_BASE + offset);
	image_put_word(image, &at, IMAGE_BASE + offset);
	image_put_word(image, &at, size);
	image_put_word(image, &at, size);
}

static inline void image_section_headers(struct image *image, const uint32_t *names)
{
	size_t entry = image->bits == 64 ? 64 : 40;
	uint8_t empty[64] = {0};

	for (size_t i = 0; i < image->section_count; i++) {
		const struct image_section *section = &image->sections[i];
		uint64_t at = image_append(image, empty, entry);

		if (i == 0)
			image->section_headers = at;
		image_put(image, image->bytes + at, names[i], 4);
		image_put(image, image->bytes + at + 4, section->type, 4);
		at += 8;
		image_put_word(image, &at, section->flags);
		image_put_word(image, &at, i ? IMAGE_BASE + section->offset : 0);
		image_put_word(image, &at, section->offset);
		image_put_word(image, &at, section->size);
		image_put(image, image->bytes + at, section->link, 4);
		image_put(image, image->bytes + at + 4, 0, 4);
		at += 8;
		image_put_word(image, &at, 4);
		image_put_word(image, &at, section->entry_size);
	}
}

static inline void image_file_header(struct image *image)
{
	static const uint8_t magic[] = {0x7f, 'E', 'L', 'F'};
	bool wide = image->bits == 64;
	uint64_t at = EI_NIDENT;
	uint8_t *bytes = image->bytes;

	memcpy(bytes, magic, sizeof(magic));
	bytes[EI_CLASS] = wide ? ELFCLASS64 : ELFCLASS32;
	bytes[EI_DATA] = image->big ? ELFDATA2MSB : ELFDATA2LSB;
	bytes[EI_VERSION] = EV_CURRENT;
	image_put(image, bytes + at, ET_DYN, 2);
	image_put(image, bytes + at + 2, image->machine, 2);
	image_put(image, bytes + at + 4, EV_CURRENT, 4);
	at += 8;
	image_put_word(image, &at, IMAGE_BASE);
	image_put_word(image, &at, wide ? 64 : 52);
	image_put_word(image, &at, image->without_sections ? 0 : image->section_headers);
	image_put(image, bytes + at + 4, wide ? 64 : 52, 2);
	image_put(image, bytes + at + 6, wide ? 56 : 32, 2);
	image_put(image, bytes + at + 8, image->dynamic_size ? 2 : 1, 2);
	image_put(image, bytes + at + 10, wide ? 64 : 40, 2);
	image_put(image, bytes + at + 12, image->without_sections ? 0 : image->section_count, 2);
	image_put(image, bytes + at + 14, image->without_sections ? 0 : image->section_count - 1,
		  2);
}

/* Write headers and section names. */
static inline void image_finish(struct image *image)
{
	uint32_t names[IMAGE_SECTIONS_MAX] = {0};
	char text[1024] = "";
	size_t at = 1, header = image->bits == 64 ? 64 : 52;

	for (size_t i = 1; i < image->section_count; i++) {
		names[i] = (uint32_t)at;
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s",
				       image->sections[i].name) +
		      1;
	}
	names[image->section_count] = (uint32_t)at;
	at += (size_t)snprintf(text + at, sizeof(text) - at, ".shstrtab") + 1;
	image_section(image, ".shstrtab", SHT_STRTAB, 0, text, at);
	image_section_headers(image, names);
	image_program_header(image, header, PT_LOAD, PF_R | PF_X, 0, image->size);
	if (image->dynamic_size)
		image_program_header(image, header + (image->bits == 64 ? 56 : 32), PT_DYNAMIC,
				     PF_R, image->dynamic, image->dynamic_size);
	image_file_header(image);
}

/* @return a descriptor of an unnamed file with these bytes */
static inline int bytes_to_fd(const void *bytes, size_t size)
{
	int fd = memfd_create("elf", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		abort();
	return fd;
}

static inline void bytes_to_file(const void *bytes, size_t size, const char *path)
{
	FILE *file = fopen(path, "we");

	if (!file || fwrite(bytes, 1, size, file) != size || fclose(file))
		abort();
}

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "binary/elf_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"
#include "binary/symbol_table.h"

/* More than any real table has; keeps a sparse file from filling the memory. */
#define RANGE_MAX (UINT64_C(2) << 30)

size_t upm_read_fully(int fd, void *buffer, size_t length, uint64_t offset)
{
	size_t done = 0;

	while (done < length) {
		ssize_t got =
			pread(fd, (char *)buffer + done, length - done, (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	return done;
}

size_t upm_elf_read_at(const struct upm_elf *elf, void *buffer, size_t length, uint64_t offset)
{
	if (offset >= elf->size)
		return 0;
	if (length > elf->size - offset)
		length = (size_t)(elf->size - offset);
	if (elf->fd >= 0)
		return upm_read_fully(elf->fd, buffer, length, offset);
	memcpy(buffer, elf->image + offset, length);
	return length;
}

int upm_elf_check(const struct upm_elf *elf, uint64_t offset, uint64_t size, const char *operation,
		  const char *what)
{
	if (offset > elf->size || size > elf->size - offset)
		return upm_fail(UPM_ERR_FORMAT, 0, operation, elf->path,
				"the file is truncated or damaged: install it anew",
				"%s at offset %" PRIu64 ", %" PRIu64
				" bytes, does not lie within the file of %" PRIu64 " bytes",
				what, offset, size, elf->size);
	if (size > RANGE_MAX)
		return upm_fail(UPM_ERR_FORMAT, 0, operation, elf->path, NULL,
				"%s has %" PRIu64 " bytes, more than any real one", what, size);
	return UPM_OK;
}

void *upm_elf_reserve(const struct upm_elf *elf, uint64_t offset, uint64_t size,
		      const char *operation, const char *what)
{
	void *bytes;

	if (upm_elf_check(elf, offset, size, operation, what))
		return NULL;
	bytes = upm_buffer_allocate((size_t)size + 1);
	if (!bytes)
		upm_fail_memory(operation);
	return bytes;
}

void *upm_elf_bytes(const struct upm_elf *elf, uint64_t offset, uint64_t size,
		    const char *operation, const char *what)
{
	char *bytes = upm_elf_reserve(elf, offset, size, operation, what);

	if (!bytes)
		return NULL;
	if (upm_elf_read_at(elf, bytes, (size_t)size, offset) != size) {
		upm_fail(UPM_ERR_FORMAT, 0, operation, elf->path,
			 "the file shrank while it was read: try again",
			 "%s can not be read in full", what);
		free(bytes);
		return NULL;
	}
	bytes[size] = '\0';
	return bytes;
}

void *upm_elf_records(const struct upm_elf *elf, uint64_t offset, uint64_t size, Elf_Type type,
		      const char *operation, const char *what)
{
	void *bytes = upm_elf_bytes(elf, offset, size, operation, what);
	Elf_Data data = {
		.d_buf = bytes, .d_size = (size_t)size, .d_type = type, .d_version = EV_CURRENT};
	const char *ident;

	if (!bytes || !elf->foreign_order || size == 0)
		return bytes;
	ident = elf_getident(elf->handle, NULL);
	if (!gelf_xlatetom(elf->handle, &data, &data, (unsigned char)ident[EI_DATA])) {
		upm_fail(UPM_ERR_FORMAT, 0, operation, elf->path, NULL, "%s: %s", what,
			 elf_errmsg(-1));
		free(bytes);
		return NULL;
	}
	return bytes;
}

bool upm_elf_section(const struct upm_elf *elf, size_t number, GElf_Shdr *header)
{
	Elf_Scn *section;

	if (number == 0 || number >= elf->section_count)
		return false;
	section = elf_getscn(elf->handle, number);
	return section && gelf_getshdr(section, header);
}

uint8_t upm_elf_bits(const struct upm_elf *elf)
{
	return gelf_getclass(elf->handle) == ELFCLASS64 ? 64 : 32;
}

static int fail_not_elf(const struct upm_elf *elf, const char *why)
{
	return upm_fail(UPM_ERR_FORMAT, 0, UPM_OPEN_BINARY, elf->path,
			"name a program or a shared library", "%s", why);
}

static int check_ident(const struct upm_elf *elf)
{
	unsigned char ident[EI_NIDENT];
	size_t got = upm_elf_read_at(elf, ident, sizeof(ident), 0);

	if (got == 0)
		return fail_not_elf(elf,
				    elf->size ? "the file can not be read" : "the file is empty");
	if (got >= 2 && memcmp(ident, "#!", 2) == 0)
		return fail_not_elf(elf, "it is a script, not an ELF file");
	if (got < SELFMAG || memcmp(ident, ELFMAG, SELFMAG))
		return fail_not_elf(elf, "it is not an ELF file");
	if (got < EI_NIDENT)
		return fail_not_elf(elf, "the ELF file is truncated within its header");
	if (ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64)
		return fail_not_elf(elf, "the ELF file is neither of 32 nor of 64 bits");
	if (ident[EI_DATA] != ELFDATA2LSB && ident[EI_DATA] != ELFDATA2MSB)
		return fail_not_elf(elf, "the byte order of the ELF file is unknown");
	if (ident[EI_VERSION] != EV_CURRENT)
		return fail_not_elf(elf, "the ELF version of the file is unknown");
	return UPM_OK;
}

int upm_elf_refused(const struct upm_elf *elf, const char *what)
{
	if (errno == ENOMEM)
		return upm_fail_memory(UPM_OPEN_BINARY);
	return upm_fail(UPM_ERR_FORMAT, 0, UPM_OPEN_BINARY, elf->path, NULL, "%s: %s", what,
			elf_errmsg(-1));
}

static int begin(struct upm_elf *elf)
{
	elf_version(EV_CURRENT);
	errno = 0;
	elf->handle = elf->fd >= 0 ? elf_begin(elf->fd, ELF_C_READ, NULL)
				   : elf_memory((char *)elf->image, (size_t)elf->size);
	if (!elf->handle || (errno == ENOMEM && elf_kind(elf->handle) != ELF_K_ELF))
		return upm_elf_refused(elf, "the ELF file");
	if (elf_kind(elf->handle) != ELF_K_ELF)
		return fail_not_elf(elf, "the headers of the ELF file are truncated or damaged");
	return UPM_OK;
}

/* Header tables must lie within the file and have records of the right size. */
static int check_header_table(const struct upm_elf *elf, const char *what, uint64_t offset,
			      uint64_t count, uint64_t entry_size, uint64_t right_size)
{
	char text[64];

	if (count == 0)
		return UPM_OK;
	if (entry_size != right_size) {
		snprintf(text, sizeof(text), "the %s have the wrong size", what);
		return fail_not_elf(elf, text);
	}
	snprintf(text, sizeof(text), "the table of %s", what);
	return upm_elf_check(elf, offset, count * entry_size, UPM_OPEN_BINARY, text);
}

static int check_headers(struct upm_elf *elf)
{
	GElf_Ehdr header;
	size_t programs, sections;
	bool wide = upm_elf_bits(elf) == 64;
	int status;

	if (!gelf_getehdr(elf->handle, &header))
		return fail_not_elf(elf, "the ELF header can not be read");
	status = check_header_table(elf, "program headers", header.e_phoff, header.e_phnum,
				    header.e_phentsize,
				    wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr));
	if (status)
		return status;
	if (elf_getphdrnum(elf->handle, &programs) || elf_getshdrnum(elf->handle, &sections))
		return fail_not_elf(elf, "the header tables of the ELF file lie outside of it");
	elf->section_count = header.e_shoff ? sections : 0;
	if (!elf->section_count && header.e_shnum && header.e_shoff)
		return fail_not_elf(elf, "the section headers lie outside of the file");
	elf->foreign_order =
		header.e_ident[EI_DATA] !=
		(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB);
	return check_header_table(elf, "section headers", header.e_shoff, elf->section_count,
				  header.e_shentsize,
				  wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr));
}

int upm_elf_open(int fd, uint8_t *image, uint64_t size, const char *path, struct upm_elf **out)
{
	struct upm_elf *elf = calloc(1, sizeof(*elf));
	int status;

	if (!elf) {
		free(image);
		return upm_fail_memory(UPM_OPEN_BINARY);
	}
	elf->fd = fd;
	elf->image = image;
	elf->size = size;
	elf->path = path;
	pthread_mutex_init(&elf->lock, NULL);
	status = check_ident(elf);
	if (!status)
		status = begin(elf);
	if (!status)
		status = check_headers(elf);
	if (status) {
		upm_elf_close(elf);
		return status;
	}
	*out = elf;
	return UPM_OK;
}

void upm_elf_release(struct upm_elf *elf)
{
	for (size_t i = 0; i < sizeof(elf->debug_files) / sizeof(elf->debug_files[0]); i++)
		if (elf->debug_files[i])
			upm_binary_release(elf->debug_files[i]);
	elf_cntl(elf->handle, ELF_C_FDDONE);
	elf->fd = -1;
	elf->size = 0; /* nothing lies within it any more */
}

void upm_elf_close(struct upm_elf *elf)
{
	if (!elf)
		return;
	for (size_t i = 0; i < elf->table_count; i++)
		upm_symbol_table_free(elf->tables[i]);
	upm_elf_close(elf->debugdata_image);
	for (size_t i = 0; i < sizeof(elf->debug_files) / sizeof(elf->debug_files[0]); i++)
		upm_binary_unref(elf->debug_files[i]);
	if (elf->usdt_notes)
		elf->free_usdt_notes(elf->usdt_notes);
	elf_end(elf->handle);
	pthread_mutex_destroy(&elf->lock);
	free(elf->image);
	free(elf);
}

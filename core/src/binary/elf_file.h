/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Private to binary/: one ELF image, in a file or in memory, and where its
 * interesting parts are. libelf reads and translates the headers; everything
 * larger is read by upm_elf_bytes(), which checks that it lies within the image,
 * copies it and ends it with a NUL, so that no lying header leads out of it.
 */
#ifndef UPM_BINARY_ELF_FILE_H
#define UPM_BINARY_ELF_FILE_H

#include <gelf.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "binary/binary.h"
#include "binary/symbols.h"

/* A range of the image; size 0 = there is none. */
struct upm_elf_range {
	uint64_t offset, size;
};

struct upm_elf {
	Elf *handle;
	int fd;		      /* the binary's; -1 = the image is in memory */
	uint8_t *image;	      /* ours */
	uint64_t size;	      /* bytes of the image */
	const char *path;     /* for errors; belongs to the binary */
	bool foreign_order;   /* its byte order is not that of this machine */
	size_t section_count; /* 0 = no section headers */
	/* section numbers; 0 = none */
	size_t symtab, dynsym, versym, verdef, verneed, debugdata, debuglink;
	struct upm_elf_range dynamic, interpreter; /* PT_DYNAMIC, PT_INTERP */

	pthread_mutex_t lock; /* over what follows */
	struct upm_symbol_table *tables[UPM_TABLES_MAX];
	size_t table_count;
	size_t own_count; /* tables[0 … own_count): the file's own */
	bool dynamic_loaded;
	struct upm_symbol_table *dynamic_table; /* also in tables; NULL = none */
	unsigned loaded;			/* enum upm_symbol_source that are done */
	struct upm_elf *debugdata_image;
	struct upm_binary *debug_files[2]; /* local, debuginfod */
	atomic_int unwinds;		   /* of unwinding.c: what it found out */
	void *usdt_notes;		   /* of usdt/notes.c, with what frees them */
	void (*free_usdt_notes)(void *notes);
};

/* Operations, as errors name them. */
#define UPM_OPEN_BINARY "open the binary"
#define UPM_READ_SYMBOLS "read the symbols"

/** Open the image behind fd (which stays the caller's), or else in memory (ours, also on error). */
int upm_elf_open(int fd, uint8_t *image, uint64_t size, const char *path, struct upm_elf **out);
void upm_elf_close(struct upm_elf *elf);
/** See upm_binary_release(). */
void upm_elf_release(struct upm_elf *elf);

/** @return false when there is no such section or its header can not be read. */
bool upm_elf_section(const struct upm_elf *elf, size_t number, GElf_Shdr *header);
/** libelf has refused something since errno was set to 0: for want of memory, or as damaged. */
int upm_elf_refused(const struct upm_elf *elf, const char *what);
uint8_t upm_elf_bits(const struct upm_elf *elf);
/**
 * The section names, ended with a NUL, for sh_name < *size.
 * @return free() it; NULL when there are none (*size = 0) or they can not be read
 */
char *upm_elf_section_names(const struct upm_elf *elf, uint64_t *size);

/** Check that a range lies within the image. @return UPM_OK or UPM_ERR_FORMAT */
int upm_elf_check(const struct upm_elf *elf, uint64_t offset, uint64_t size, const char *operation,
		  const char *what);
/** Memory for a range and a NUL, not read yet. @return free() it; NULL with the error recorded */
void *upm_elf_reserve(const struct upm_elf *elf, uint64_t offset, uint64_t size,
		      const char *operation, const char *what);
/**
 * A copy of a range, followed by a NUL.
 * @param what  names the range in the error
 * @return free() it; NULL with the error recorded
 */
void *upm_elf_bytes(const struct upm_elf *elf, uint64_t offset, uint64_t size,
		    const char *operation, const char *what);
/** As upm_elf_bytes() of records, translated to this machine's byte order. */
void *upm_elf_records(const struct upm_elf *elf, uint64_t offset, uint64_t size, Elf_Type type,
		      const char *operation, const char *what);
/** Read up to length bytes. @return how many there were. */
size_t upm_elf_read_at(const struct upm_elf *elf, void *buffer, size_t length, uint64_t offset);

/** Find build-id, Go, and the sections that elf_file.h lists. */
int upm_elf_survey(struct upm_elf *elf, struct upm_binary *binary);

/** pread(2) until done, end of file or error. @return bytes read. */
size_t upm_read_fully(int fd, void *buffer, size_t length, uint64_t offset);

#endif

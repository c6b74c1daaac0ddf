/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Private to binary/: one loaded symbol table and its versions. */
#ifndef UPM_BINARY_SYMBOL_TABLE_H
#define UPM_BINARY_SYMBOL_TABLE_H

#include <pthread.h>
#include <stdatomic.h>

#include "binary/elf_file.h"
#include "binary/symbols.h"

/* A name "symbol@VERSION" in a string table, cut in two. */
struct upm_cut_name {
	uint32_t start, end; /* of the symbol part, in strings */
	uint32_t version;    /* where its version begins, in strings */
	bool default_version;
};

struct upm_symbol_table {
	size_t count;
	void *symbols; /* Elf64_Sym or Elf32_Sym; NULL until symbols_read */
	uint64_t symbols_offset;
	atomic_bool symbols_read;
	atomic_bool scanned; /* once, piece by piece */
	bool wide;	     /* Elf64_Sym */
	bool debug;
	char *strings;
	uint64_t strings_size;
	atomic_bool strings_read; /* else strings is memory that nobody has touched */
	uint64_t strings_offset;
	pthread_mutex_t lock;	   /* over reading symbols and strings */
	const struct upm_elf *elf; /* where they are read from */
	/* versions by number, as .gnu.version has them */
	uint16_t *version_of; /* one per symbol; NULL = none */
	const char **versions;
	size_t version_count;
	bool defines_versions; /* functions of this file have versions */
	/* versions that are part of the name */
	UPM_VECTOR(struct upm_cut_name) cuts;
	uint64_t *cut_blocks; /* a bit for each block of strings that a cut name touches */
};

/* Where the parts of a table lie in the image. */
struct upm_table_place {
	struct upm_elf_range symbols, strings, versym, verdef, verneed;
	const char *name; /* for errors */
};

/** .symtab or .dynsym, as section headers say. @return UPM_OK with size 0 when there is none. */
int upm_place_by_sections(const struct upm_elf *elf, size_t section, struct upm_table_place *place);
/** The dynamic symbols of a file without section headers. */
int upm_place_by_dynamic(const struct upm_binary *binary, struct upm_table_place *place);

int upm_symbol_table_load(const struct upm_elf *elf, const struct upm_table_place *place,
			  bool debug, struct upm_symbol_table **out);
void upm_symbol_table_free(struct upm_symbol_table *table);
/** Have the symbols in memory. @return UPM_OK, UPM_ERR_FORMAT or UPM_ERR_MEMORY */
int upm_symbol_table_read(struct upm_symbol_table *table);
/** The outline of a symbol of the table that lies at a place in memory. */
static inline void upm_symbol_outline_at(const struct upm_symbol_table *table, const void *symbols,
					 size_t index, struct upm_symbol *symbol)
{
	uint16_t section;
	uint8_t info;

	if (table->wide) {
		const Elf64_Sym *wide = (const Elf64_Sym *)symbols + index;

		info = wide->st_info;
		section = wide->st_shndx;
		symbol->address = wide->st_value;
		symbol->size = wide->st_size;
		symbol->name_offset = wide->st_name;
	} else {
		const Elf32_Sym *narrow = (const Elf32_Sym *)symbols + index;

		info = narrow->st_info;
		section = narrow->st_shndx;
		symbol->address = narrow->st_value;
		symbol->size = narrow->st_size;
		symbol->name_offset = narrow->st_name;
	}
	symbol->name = "";
	symbol->type = ELF64_ST_TYPE(info);
	symbol->binding = ELF64_ST_BIND(info);
	symbol->undefined = section == SHN_UNDEF;
	symbol->version = "";
	symbol->default_version = true;
}

/** Read .gnu.version and the names behind its numbers. What is damaged is left out. */
int upm_versions_load(const struct upm_elf *elf, const struct upm_table_place *place,
		      struct upm_symbol_table *table);
/** Cut "name@VERSION" and "name@@VERSION" in the strings of a table without .gnu.version. */
int upm_versions_cut(struct upm_symbol_table *table);
/** @return the cut name that a symbol's name, a pointer into the strings or not, lies in; or NULL.
 */
const struct upm_cut_name *upm_versions_cut_of(const struct upm_symbol_table *table,
					       const char *name);

/** Add the tables of a debug image. Only .symtab: the rest of such a file is empty. */
int upm_symbols_add(struct upm_elf *to, const struct upm_elf *from);

/* The debug sources. Each adds what it finds to the binary's tables; finding nothing is UPM_OK. */
int upm_debugdata_load(struct upm_binary *binary);
int upm_debug_file_load(struct upm_binary *binary);
int upm_debuginfod_load(struct upm_binary *binary, upm_progress_fn progress, void *context);
/** Open a candidate. @return NULL when it is no debug file of this binary. */
struct upm_binary *upm_debug_file_open(const struct upm_binary *binary, const char *path,
				       const uint32_t *crc);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The symbol tables of a binary, its versions, and those of its debug files. */
#ifndef UPM_BINARY_SYMBOLS_H
#define UPM_BINARY_SYMBOLS_H

#include "binary/binary.h"
#include "uprobe_multi.h"

/* One symbol. Strings belong to the binary. */
struct upm_symbol {
	const char *name;     /* raw, without "@VERSION"; never NULL */
	const char *version;  /* "GLIBC_2.2.5", or "" */
	uint64_t address;     /* virtual; Thumb-like low bits are not used here */
	uint64_t size;	      /* bytes */
	uint8_t type;	      /* STT_FUNC, STT_GNU_IFUNC, STT_OBJECT, STT_NOTYPE, … */
	uint8_t binding;      /* STB_GLOBAL, STB_WEAK, STB_LOCAL */
	bool undefined;	      /* SHN_UNDEF */
	bool default_version; /* name@@VERSION, or unversioned */
	uint32_t name_offset; /* in the strings of its table */
};

/* One table: .symtab, .dynsym, or that of a debug file or of .gnu_debugdata. */
struct upm_symbol_table;

enum upm_symbol_source {
	UPM_SYMBOLS_OWN = 1, /* .symtab and .dynsym of the file itself */
	UPM_SYMBOLS_DEBUG =
		2, /* .gnu_debugdata, build-id and .gnu_debuglink files on this machine */
	UPM_SYMBOLS_DEBUGINFOD = 4 /* and, when those have none, DEBUGINFOD_URLS */
};

/* The file's own tables come first, .dynsym before .symtab. */
struct upm_symbol_tables {
	struct upm_symbol_table *const *items;
	size_t count;
};

/**
 * Tables of the wanted sources, found and checked at the first call and kept by the binary. What
 * is in them is read when it is asked for.
 * A debug file that is missing is no error; one that does not belong to the
 * binary (other build-id, other CRC) is passed over. Progress stage "debuginfo".
 * @return UPM_OK; UPM_ERR_FORMAT for a table that lies (out of file, unterminated strings,
 *         wrong entry size); UPM_ERR_MEMORY; UPM_ERR_CANCELLED.
 */
int upm_binary_symbols(struct upm_binary *binary, unsigned sources, upm_progress_fn progress,
		       void *context, struct upm_symbol_tables *tables);

/**
 * Table number number of those that were loaded with upm_binary_symbols(), in its order; never
 * called for others. Tables stay until the binary goes.
 */
struct upm_symbol_table *upm_binary_symbol_table(const struct upm_binary *binary, size_t number);

/** The dynamic symbols only, loaded once; NULL is stored when the file has none. */
int upm_binary_dynamic_symbols(struct upm_binary *binary, struct upm_symbol_table **out);

/** Symbols of a table are numbered below this, and tables of a binary below UPM_TABLES_MAX. */
#define UPM_SYMBOLS_MAX (UINT32_C(1) << 28)
#define UPM_TABLES_MAX 8

size_t upm_symbol_table_size(const struct upm_symbol_table *table);
bool upm_symbol_table_is_debug(const struct upm_symbol_table *table);
/**
 * @return whether exceptions may leave functions of the file through them: it refers to the
 * unwinder, as code in C++ and Rust does that throws, catches or cleans up. Its symbols were
 * loaded. True as well where it switches stacks.
 */
bool upm_binary_unwinds(const struct upm_binary *binary);
/** @return whether the file refers to what coroutines are made of (swapcontext and its like). */
bool upm_binary_switches_stacks(const struct upm_binary *binary);
/** @return whether functions that the file defines have versions in this table. */
bool upm_symbol_table_has_versions(const struct upm_symbol_table *table);
/**
 * Symbol number index (< size) without its texts: name and version read as "". Never fails: where
 * the table can not be read any more, all is 0.
 */
void upm_symbol_table_outline(struct upm_symbol_table *table, size_t index,
			      struct upm_symbol *symbol);
/**
 * Have the names read, before a loop that compares them: where that fails, each reads as "".
 * @return UPM_OK or UPM_ERR_MEMORY
 */
int upm_symbol_table_read_names(struct upm_symbol_table *table);
/** Add the name to an outline. Never fails: a bad name offset reads as "". */
void upm_symbol_table_name(struct upm_symbol_table *table, struct upm_symbol *symbol);
/** Add version and default_version to a symbol that has its name. */
void upm_symbol_table_version(const struct upm_symbol_table *table, size_t index,
			      struct upm_symbol *symbol);
/** Outline and name: for loops over whole tables. */
void upm_symbol_table_peek(struct upm_symbol_table *table, size_t index, struct upm_symbol *symbol);
/** Outline, name and version. */
void upm_symbol_table_get(struct upm_symbol_table *table, size_t index, struct upm_symbol *symbol);

/*
 * A walk over all symbols of a table, which for a large one needs no more memory than a cache
 * has: the table is read piece by piece and not kept, unless it is walked again.
 */
struct upm_symbol_scan {
	struct upm_symbol_table *table;
	void *piece; /* symbols first … end - 1; NULL = those of the table */
	size_t first, end;
	size_t next; /* number of the symbol that comes next */
	int status;  /* why it ended before the last */
};

/** @return UPM_OK, UPM_ERR_FORMAT or UPM_ERR_MEMORY; upm_symbol_scan_close() is due after UPM_OK */
int upm_symbol_scan_open(struct upm_symbol_scan *scan, struct upm_symbol_table *table);
/** The outline of the next symbol, number scan->next - 1. @return false at the end, see status */
bool upm_symbol_scan_next(struct upm_symbol_scan *scan, struct upm_symbol *symbol);
void upm_symbol_scan_close(struct upm_symbol_scan *scan);

#endif

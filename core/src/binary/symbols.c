/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Symbol tables are read in bulk, a few large reads each, and symbols are then
 * decoded in place: a resolver that walks 100,000 of them must not notice. The
 * order of tables is .dynsym (whose versions are complete), .symtab, and the debug
 * sources in the order in which they were asked.
 *
 * Names are half of what there is to read. A linker lists most functions in both tables,
 * and who takes them all from .symtab never asks for a name in .dynsym; who takes them
 * all by "*" asks for no name before something is to be shown. So the strings of a table are
 * read when the first of its names is asked for, and the symbols are kept when they are
 * asked for by number; a walk over all of them (symbol_scan.c) needs neither.
 */
#include "binary/symbols.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "binary/symbol_table.h"

static int check_last_string(const struct upm_elf *elf, const struct upm_table_place *place)
{
	uint64_t size = place->strings.size;
	char last = '\0';

	if (!size || (upm_elf_read_at(elf, &last, 1, place->strings.offset + size - 1) && !last))
		return UPM_OK;
	return upm_fail(UPM_ERR_FORMAT, 0, UPM_READ_SYMBOLS, elf->path, NULL,
			"the strings of %s do not end with a NUL", place->name);
}

static int reserve_strings(const struct upm_elf *elf, const struct upm_table_place *place,
			   struct upm_symbol_table *table)
{
	table->strings = upm_elf_reserve(elf, place->strings.offset, place->strings.size,
					 UPM_READ_SYMBOLS, "its string table");
	if (!table->strings)
		return upm_error_last()->code;
	table->strings_offset = place->strings.offset;
	table->strings_size = place->strings.size;
	return check_last_string(elf, place);
}

/* A file that shrank since the table was loaded has no names behind its end. */
static void read_strings(struct upm_symbol_table *table)
{
	size_t size = (size_t)table->strings_size;
	size_t got = upm_elf_read_at(table->elf, table->strings, size, table->strings_offset);

	memset(table->strings + got, '\0', size - got + 1);
	if (size)
		table->strings[size - 1] = '\0';
}

/* A table without .gnu.version may spell versions out in its names. */
static int need_strings(struct upm_symbol_table *table)
{
	int status = UPM_OK;

	if (atomic_load_explicit(&table->strings_read, memory_order_acquire))
		return UPM_OK;
	pthread_mutex_lock(&table->lock);
	if (!atomic_load_explicit(&table->strings_read, memory_order_relaxed)) {
		read_strings(table);
		if (!table->version_of)
			status = upm_versions_cut(table);
		atomic_store_explicit(&table->strings_read, !status, memory_order_release);
	}
	pthread_mutex_unlock(&table->lock);
	return status;
}

int upm_symbol_table_read_names(struct upm_symbol_table *table)
{
	return need_strings(table);
}

static size_t symbol_size(const struct upm_symbol_table *table)
{
	return table->wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
}

static int read_symbols(struct upm_symbol_table *table)
{
	table->symbols = upm_elf_records(table->elf, table->symbols_offset,
					 table->count * symbol_size(table), ELF_T_SYM,
					 UPM_READ_SYMBOLS, "the table of symbols");
	if (!table->symbols)
		return upm_error_last()->code;
	atomic_store_explicit(&table->symbols_read, true, memory_order_release);
	return UPM_OK;
}

int upm_symbol_table_read(struct upm_symbol_table *table)
{
	int status = UPM_OK;

	if (atomic_load_explicit(&table->symbols_read, memory_order_acquire))
		return UPM_OK;
	pthread_mutex_lock(&table->lock);
	if (!atomic_load_explicit(&table->symbols_read, memory_order_relaxed))
		status = read_symbols(table);
	pthread_mutex_unlock(&table->lock);
	return status;
}

static int load_parts(const struct upm_elf *elf, const struct upm_table_place *place,
		      struct upm_symbol_table *table)
{
	int status;

	table->elf = elf;
	table->wide = upm_elf_bits(elf) == 64;
	table->count = place->symbols.size / symbol_size(table);
	table->symbols_offset = place->symbols.offset;
	status = upm_elf_check(elf, place->symbols.offset, place->symbols.size, UPM_READ_SYMBOLS,
			       place->name);
	if (!status)
		status = reserve_strings(elf, place, table);
	return status ? status : upm_versions_load(elf, place, table);
}

/* RANGE_MAX of elf_file.c allows no table with as many symbols. */
_Static_assert((UINT64_C(2) << 30) / sizeof(Elf32_Sym) < UPM_SYMBOLS_MAX, "symbol numbers");

int upm_symbol_table_load(const struct upm_elf *elf, const struct upm_table_place *place,
			  bool debug, struct upm_symbol_table **out)
{
	struct upm_symbol_table *table = calloc(1, sizeof(*table));
	int status;

	if (!table)
		return upm_fail_memory(UPM_READ_SYMBOLS);
	table->debug = debug;
	pthread_mutex_init(&table->lock, NULL);
	status = load_parts(elf, place, table);
	if (status) {
		upm_symbol_table_free(table);
		return status;
	}
	*out = table;
	return UPM_OK;
}

void upm_symbol_table_free(struct upm_symbol_table *table)
{
	free(table->symbols);
	free(table->strings);
	free(table->version_of);
	free(table->versions);
	upm_vector_clear(&table->cuts);
	free(table->cut_blocks);
	pthread_mutex_destroy(&table->lock);
	free(table);
}

static int add_table(struct upm_elf *to, const struct upm_elf *from,
		     const struct upm_table_place *place, bool debug)
{
	int status;

	if (!place->symbols.size || to->table_count == UPM_TABLES_MAX)
		return UPM_OK;
	status = upm_symbol_table_load(from, place, debug, &to->tables[to->table_count]);
	if (!status)
		to->table_count++;
	return status;
}

int upm_symbols_add(struct upm_elf *to, const struct upm_elf *from)
{
	struct upm_table_place place;
	int status = upm_place_by_sections(from, from->symtab, &place);

	return status ? status : add_table(to, from, &place, true);
}

static int load_dynamic(struct upm_binary *binary)
{
	struct upm_elf *elf = binary->elf;
	struct upm_table_place place;
	int status;

	if (elf->dynamic_loaded)
		return UPM_OK;
	status = elf->section_count ? upm_place_by_sections(elf, elf->dynsym, &place)
				    : upm_place_by_dynamic(binary, &place);
	if (!status)
		status = add_table(elf, elf, &place, false);
	elf->dynamic_table = elf->table_count ? elf->tables[0] : NULL;
	elf->dynamic_loaded = !status;
	return status;
}

int upm_binary_dynamic_symbols(struct upm_binary *binary, struct upm_symbol_table **out)
{
	struct upm_elf *elf = binary->elf;
	int status;

	pthread_mutex_lock(&elf->lock);
	status = load_dynamic(binary);
	*out = elf->dynamic_table;
	pthread_mutex_unlock(&elf->lock);
	return status;
}

static int load_own(struct upm_binary *binary)
{
	struct upm_elf *elf = binary->elf;
	struct upm_table_place place;
	int status = load_dynamic(binary);

	if (!status)
		status = upm_place_by_sections(elf, elf->symtab, &place);
	if (!status)
		status = add_table(elf, elf, &place, false);
	elf->own_count = elf->table_count;
	return status;
}

static int load_debug(struct upm_binary *binary)
{
	int status = upm_debugdata_load(binary);

	return status ? status : upm_debug_file_load(binary);
}

/* Undo a source that failed half-way, so that asking again starts it anew. */
static void drop_tables(struct upm_elf *elf, size_t count)
{
	while (elf->table_count > count && elf->tables[elf->table_count - 1] != elf->dynamic_table)
		upm_symbol_table_free(elf->tables[--elf->table_count]);
}

static int load_source(struct upm_binary *binary, unsigned source, upm_progress_fn progress,
		       void *context)
{
	struct upm_elf *elf = binary->elf;
	size_t before = elf->table_count;
	int status;

	if (elf->loaded & source)
		return UPM_OK;
	if (source == UPM_SYMBOLS_OWN)
		status = load_own(binary);
	else if (source == UPM_SYMBOLS_DEBUG)
		status = load_debug(binary);
	else
		status = upm_debuginfod_load(binary, progress, context);
	if (status)
		drop_tables(elf, before);
	else
		elf->loaded |= source;
	return status;
}

static int load_sources(struct upm_binary *binary, unsigned sources, upm_progress_fn progress,
			void *context)
{
	struct upm_elf *elf = binary->elf;
	int status = load_source(binary, UPM_SYMBOLS_OWN, NULL, NULL);

	if (!status && (sources & (UPM_SYMBOLS_DEBUG | UPM_SYMBOLS_DEBUGINFOD)))
		status = load_source(binary, UPM_SYMBOLS_DEBUG, NULL, NULL);
	if (!status && (sources & UPM_SYMBOLS_DEBUGINFOD) && elf->table_count == elf->own_count)
		status = load_source(binary, UPM_SYMBOLS_DEBUGINFOD, progress, context);
	return status;
}

int upm_binary_symbols(struct upm_binary *binary, unsigned sources, upm_progress_fn progress,
		       void *context, struct upm_symbol_tables *tables)
{
	struct upm_elf *elf = binary->elf;
	bool debug = sources & (UPM_SYMBOLS_DEBUG | UPM_SYMBOLS_DEBUGINFOD);
	size_t first, end;
	int status;

	pthread_mutex_lock(&elf->lock);
	status = load_sources(binary, sources, progress, context);
	first = sources & UPM_SYMBOLS_OWN ? 0 : elf->own_count;
	end = debug ? elf->table_count : elf->own_count;
	pthread_mutex_unlock(&elf->lock);
	*tables = (struct upm_symbol_tables){elf->tables + first, status ? 0 : end - first};
	return status;
}

struct upm_symbol_table *upm_binary_symbol_table(const struct upm_binary *binary, size_t number)
{
	return binary->elf->tables[number];
}

size_t upm_symbol_table_size(const struct upm_symbol_table *table)
{
	return table->count;
}

bool upm_symbol_table_has_versions(const struct upm_symbol_table *table)
{
	return table->defines_versions;
}

bool upm_symbol_table_is_debug(const struct upm_symbol_table *table)
{
	return table->debug;
}

void upm_symbol_table_outline(struct upm_symbol_table *table, size_t index,
			      struct upm_symbol *symbol)
{
	static const Elf64_Sym nothing;

	if (upm_symbol_table_read(table))
		upm_symbol_outline_at(table, &nothing, 0, symbol);
	else
		upm_symbol_outline_at(table, table->symbols, index, symbol);
}

void upm_symbol_table_name(struct upm_symbol_table *table, struct upm_symbol *symbol)
{
	if (symbol->name_offset < table->strings_size && !need_strings(table))
		symbol->name = table->strings + symbol->name_offset;
}

void upm_symbol_table_peek(struct upm_symbol_table *table, size_t index, struct upm_symbol *symbol)
{
	upm_symbol_table_outline(table, index, symbol);
	upm_symbol_table_name(table, symbol);
}

void upm_symbol_table_version(const struct upm_symbol_table *table, size_t index,
			      struct upm_symbol *symbol)
{
	const struct upm_cut_name *cut;

	if (table->version_of) {
		uint16_t number = table->version_of[index] & 0x7fff;

		if (number < table->version_count && table->versions[number]) {
			symbol->version = table->versions[number];
			symbol->default_version =
				!symbol->undefined && !(table->version_of[index] & 0x8000);
		}
	} else if ((cut = upm_versions_cut_of(table, symbol->name))) {
		symbol->version = table->strings + cut->version;
		symbol->default_version = cut->default_version;
	}
}

void upm_symbol_table_get(struct upm_symbol_table *table, size_t index, struct upm_symbol *symbol)
{
	upm_symbol_table_peek(table, index, symbol);
	upm_symbol_table_version(table, index, symbol);
}

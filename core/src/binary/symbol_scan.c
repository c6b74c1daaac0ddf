/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The first touch of fresh memory costs more than reading a file into memory that was touched
 * before. So a large table goes through one small piece of memory; who walks it a second
 * time is likely to come again, and has it kept.
 */
#include <stdlib.h>

#include "base/error.h"
#include "binary/symbol_table.h"

#define PIECE (96u << 10)    /* bytes: fits a second-level cache, and any symbol size divides it */
#define LARGE (4ull * PIECE) /* smaller tables are simply kept */

_Static_assert(PIECE % sizeof(Elf64_Sym) == 0 && PIECE % sizeof(Elf32_Sym) == 0, "whole symbols");

static size_t symbol_size(const struct upm_symbol_table *table)
{
	return table->wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
}

/* Records of the other byte order are translated when they are kept. */
static bool goes_by_pieces(struct upm_symbol_table *table)
{
	return table->count * symbol_size(table) >= LARGE && !table->elf->foreign_order &&
	       !atomic_load_explicit(&table->symbols_read, memory_order_acquire) &&
	       !atomic_exchange(&table->scanned, true);
}

int upm_symbol_scan_open(struct upm_symbol_scan *scan, struct upm_symbol_table *table)
{
	*scan = (struct upm_symbol_scan){.table = table, .end = table->count};
	if (!goes_by_pieces(table))
		return upm_symbol_table_read(table);
	scan->end = 0;
	scan->piece = malloc(PIECE);
	return scan->piece ? UPM_OK : upm_fail_memory(UPM_READ_SYMBOLS);
}

static bool read_piece(struct upm_symbol_scan *scan)
{
	const struct upm_symbol_table *table = scan->table;
	size_t each = symbol_size(table), count = PIECE / each;

	scan->first = scan->end;
	if (count > table->count - scan->first)
		count = table->count - scan->first;
	scan->end = scan->first + count;
	if (upm_elf_read_at(table->elf, scan->piece, count * each,
			    table->symbols_offset + scan->first * each) == count * each)
		return count > 0;
	scan->status = upm_fail(UPM_ERR_FORMAT, 0, UPM_READ_SYMBOLS, table->elf->path,
				"the file shrank while it was read: try again",
				"the table of symbols can not be read in full");
	return false;
}

bool upm_symbol_scan_next(struct upm_symbol_scan *scan, struct upm_symbol *symbol)
{
	const struct upm_symbol_table *table = scan->table;

	if (scan->next == scan->end &&
	    (scan->end == table->count || scan->status || !read_piece(scan)))
		return false;
	upm_symbol_outline_at(table, scan->piece ? scan->piece : table->symbols,
			      scan->next - scan->first, symbol);
	scan->next++;
	return true;
}

void upm_symbol_scan_close(struct upm_symbol_scan *scan)
{
	free(scan->piece);
}

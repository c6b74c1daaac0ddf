/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Symbol versions come in two forms. A dynamic table has a number for each symbol
 * (.gnu.version) whose names stand in .gnu.version_d and .gnu.version_r; they are
 * gathered once into an array by number. A static table spells the version out in
 * the name, "memcpy@@GLIBC_2.14": such strings are cut at the '@' in our own copy
 * of the string table. Few strings have one, so finding out whether a name does is
 * a bit for its block of the string table first, a binary search then.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "binary/symbol_table.h"

#define BLOCK_SHIFT 5 /* 32 bytes of strings share a bit */

/* Cursor over a chain of version records, which link forwards only. */
struct chain {
	const struct upm_elf *elf;
	struct upm_symbol_table *table;
	const uint8_t *bytes;
	uint64_t size;
	uint64_t steps; /* left: a damaged chain may overlap itself many times over */
};

static uint16_t half_at(const struct chain *chain, uint64_t at)
{
	uint16_t value;

	memcpy(&value, chain->bytes + at, sizeof(value));
	return chain->elf->foreign_order ? __builtin_bswap16(value) : value;
}

static uint32_t word_at(const struct chain *chain, uint64_t at)
{
	uint32_t value;

	memcpy(&value, chain->bytes + at, sizeof(value));
	return chain->elf->foreign_order ? __builtin_bswap32(value) : value;
}

static bool holds(struct chain *chain, uint64_t at, size_t record)
{
	return chain->steps && chain->steps-- && at <= chain->size && chain->size - at >= record;
}

static bool name_version(struct upm_symbol_table *table, uint16_t number, uint32_t name)
{
	number &= 0x7fff;
	if (name >= table->strings_size)
		return true;
	if (number >= table->version_count) {
		const char **grown =
			realloc(table->versions, (number + 1u) * sizeof(*table->versions));

		if (!grown)
			return false;
		for (size_t i = table->version_count; i <= number; i++)
			grown[i] = NULL;
		table->versions = grown;
		table->version_count = number + 1u;
	}
	table->versions[number] = table->strings + name;
	return true;
}

static bool walk_definitions(struct chain *chain)
{
	uint64_t at = 0;

	while (holds(chain, at, sizeof(Elf64_Verdef))) {
		uint16_t flags = half_at(chain, at + offsetof(Elf64_Verdef, vd_flags));
		uint16_t number = half_at(chain, at + offsetof(Elf64_Verdef, vd_ndx));
		uint64_t name = at + word_at(chain, at + offsetof(Elf64_Verdef, vd_aux));
		uint32_t next = word_at(chain, at + offsetof(Elf64_Verdef, vd_next));

		chain->table->defines_versions |= !(flags & VER_FLG_BASE);
		if (!(flags & VER_FLG_BASE) && holds(chain, name, sizeof(Elf64_Verdaux)) &&
		    !name_version(chain->table, number, word_at(chain, name)))
			return false;
		if (!next)
			break;
		at += next;
	}
	return true;
}

static bool walk_need(struct chain *chain, uint64_t at, uint16_t count)
{
	while (count-- && holds(chain, at, sizeof(Elf64_Vernaux))) {
		uint16_t number = half_at(chain, at + offsetof(Elf64_Vernaux, vna_other));
		uint32_t name = word_at(chain, at + offsetof(Elf64_Vernaux, vna_name));
		uint32_t next = word_at(chain, at + offsetof(Elf64_Vernaux, vna_next));

		if (!name_version(chain->table, number, name))
			return false;
		if (!next)
			break;
		at += next;
	}
	return true;
}

static bool walk_needs(struct chain *chain)
{
	uint64_t at = 0;

	while (holds(chain, at, sizeof(Elf64_Verneed))) {
		uint16_t count = half_at(chain, at + offsetof(Elf64_Verneed, vn_cnt));
		uint64_t needs = at + word_at(chain, at + offsetof(Elf64_Verneed, vn_aux));
		uint32_t next = word_at(chain, at + offsetof(Elf64_Verneed, vn_next));

		if (!walk_need(chain, needs, count))
			return false;
		if (!next)
			break;
		at += next;
	}
	return true;
}

static int walk(const struct upm_elf *elf, struct upm_symbol_table *table,
		const struct upm_elf_range *range, bool (*walker)(struct chain *))
{
	struct chain chain = {.elf = elf, .table = table, .size = range->size};
	uint8_t *bytes;
	bool done;

	if (!range->size || range->offset > elf->size || range->size > elf->size - range->offset)
		return UPM_OK;
	bytes = upm_elf_bytes(elf, range->offset, range->size, UPM_READ_SYMBOLS,
			      "the table of versions");
	if (!bytes)
		return upm_error_last()->code;
	chain.bytes = bytes;
	chain.steps = range->size;
	done = walker(&chain);
	free(bytes);
	return done ? UPM_OK : upm_fail_memory(UPM_READ_SYMBOLS);
}

int upm_versions_load(const struct upm_elf *elf, const struct upm_table_place *place,
		      struct upm_symbol_table *table)
{
	uint64_t size = table->count * sizeof(uint16_t);
	int status;

	if (!place->versym.size || place->versym.size < size)
		return UPM_OK;
	table->version_of = upm_elf_records(elf, place->versym.offset, size, ELF_T_HALF,
					    UPM_READ_SYMBOLS, "the versions of its symbols");
	if (!table->version_of)
		return upm_error_last()->code;
	status = walk(elf, table, &place->verdef, walk_definitions);
	return status ? status : walk(elf, table, &place->verneed, walk_needs);
}

static void mark_blocks(struct upm_symbol_table *table, const struct upm_cut_name *cut)
{
	for (uint32_t block = cut->start >> BLOCK_SHIFT; block <= cut->end >> BLOCK_SHIFT; block++)
		table->cut_blocks[block / 64] |= UINT64_C(1) << block % 64;
}

/* Cut the string around the '@' at position at. @return the end of the string. */
static uint64_t cut_string(struct upm_symbol_table *table, uint64_t from, uint64_t at, bool *room)
{
	char *strings = table->strings;
	const char *before = memrchr(strings + from, '\0', at - from);
	uint64_t start = before ? (uint64_t)(before - strings) + 1 : from;
	uint64_t end = at + strlen(strings + at);
	bool twice = strings[at + 1] == '@';
	struct upm_cut_name cut = {(uint32_t)start, (uint32_t)at, (uint32_t)(at + 1 + twice),
				   twice};

	if (start == at || cut.version == end)
		return end;
	strings[at] = '\0';
	*room = upm_vector_push(&table->cuts, cut);
	if (*room)
		mark_blocks(table, &cut);
	return end;
}

int upm_versions_cut(struct upm_symbol_table *table)
{
	uint64_t size = table->strings_size < UINT32_MAX ? table->strings_size : UINT32_MAX;
	const char *found = memchr(table->strings, '@', size);
	uint64_t from = 0;
	bool room = true;

	if (!found)
		return UPM_OK;
	table->cut_blocks = calloc((size >> BLOCK_SHIFT) / 64 + 1, sizeof(uint64_t));
	if (!table->cut_blocks)
		return upm_fail_memory(UPM_READ_SYMBOLS);
	while (found && room) {
		from = cut_string(table, from, (uint64_t)(found - table->strings), &room);
		found = from < size ? memchr(table->strings + from, '@', size - from) : NULL;
	}
	if (room)
		return UPM_OK;
	upm_vector_clear(&table->cuts);
	free(table->cut_blocks);
	table->cut_blocks = NULL;
	return upm_fail_memory(UPM_READ_SYMBOLS);
}

const struct upm_cut_name *upm_versions_cut_of(const struct upm_symbol_table *table,
					       const char *text)
{
	uint64_t name = (uintptr_t)text - (uintptr_t)table->strings;
	uint64_t block = name >> BLOCK_SHIFT;
	size_t low = 0, high = table->cuts.count;

	if (!high || name >= table->strings_size ||
	    !(table->cut_blocks[block / 64] >> block % 64 & 1))
		return NULL;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (table->cuts.items[middle].end < name)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == table->cuts.count || table->cuts.items[low].start > name)
		return NULL;
	return &table->cuts.items[low];
}

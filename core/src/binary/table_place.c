/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Where the parts of a symbol table lie: by section headers, or without any by PT_DYNAMIC. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "binary/dynamic.h"
#include "binary/symbol_table.h"

static size_t symbol_size(const struct upm_elf *elf)
{
	return upm_elf_bits(elf) == 64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
}

static int fail_table(const struct upm_elf *elf, const char *name, const char *why)
{
	return upm_fail(UPM_ERR_FORMAT, 0, UPM_READ_SYMBOLS, elf->path,
			"the file is damaged: install it anew", "%s %s", name, why);
}

static void place_versions(const struct upm_elf *elf, size_t section, struct upm_table_place *place)
{
	GElf_Shdr header;

	if (!upm_elf_section(elf, elf->versym, &header) || header.sh_link != section)
		return;
	place->versym = (struct upm_elf_range){header.sh_offset, header.sh_size};
	if (upm_elf_section(elf, elf->verdef, &header))
		place->verdef = (struct upm_elf_range){header.sh_offset, header.sh_size};
	if (upm_elf_section(elf, elf->verneed, &header))
		place->verneed = (struct upm_elf_range){header.sh_offset, header.sh_size};
}

int upm_place_by_sections(const struct upm_elf *elf, size_t section, struct upm_table_place *place)
{
	GElf_Shdr header, strings;

	memset(place, 0, sizeof(*place));
	if (!upm_elf_section(elf, section, &header))
		return UPM_OK;
	place->name = header.sh_type == SHT_DYNSYM ? "the table .dynsym" : "the table .symtab";
	if (header.sh_entsize != symbol_size(elf) || header.sh_size % header.sh_entsize)
		return fail_table(elf, place->name, "has a wrong entry size");
	if (!upm_elf_section(elf, header.sh_link, &strings) || strings.sh_type != SHT_STRTAB)
		return fail_table(elf, place->name, "has no string table");
	if ((header.sh_flags | strings.sh_flags) & SHF_COMPRESSED)
		return fail_table(elf, place->name, "is compressed, which no linker does");
	place->symbols = (struct upm_elf_range){header.sh_offset, header.sh_size};
	place->strings = (struct upm_elf_range){strings.sh_offset, strings.sh_size};
	place_versions(elf, section, place);
	return UPM_OK;
}

static uint32_t word_of(const struct upm_elf *elf, uint64_t offset)
{
	uint32_t word = 0;

	if (upm_elf_read_at(elf, &word, sizeof(word), offset) != sizeof(word))
		return 0;
	return elf->foreign_order ? __builtin_bswap32(word) : word;
}

/* The largest symbol number that a GNU hash table can find, plus one. */
static uint64_t count_by_gnu_hash(const struct upm_elf *elf, uint64_t offset)
{
	uint32_t buckets = word_of(elf, offset), first = word_of(elf, offset + 4);
	uint64_t bloom = (uint64_t)word_of(elf, offset + 8) * (upm_elf_bits(elf) / 8);
	uint64_t table = offset + 16 + bloom, chains = table + UINT64_C(4) * buckets;
	uint32_t last = 0;
	uint32_t *words = upm_elf_records(elf, table, UINT64_C(4) * buckets, ELF_T_WORD,
					  UPM_READ_SYMBOLS, "the hash table");

	if (!words)
		return 0;
	for (uint32_t i = 0; i < buckets; i++)
		last = words[i] > last ? words[i] : last;
	free(words);
	if (last < first)
		return first;
	while (chains + UINT64_C(4) * (last - first) < elf->size &&
	       !(word_of(elf, chains + UINT64_C(4) * (last - first)) & 1))
		last++;
	return (uint64_t)last + 1;
}

static uint64_t count_symbols(const struct upm_binary *binary, const struct upm_dynamic *dynamic)
{
	uint64_t offset;

	if (dynamic->hash && upm_binary_offset_of(binary, dynamic->hash, &offset))
		return word_of(binary->elf, offset + 4);
	if (dynamic->gnu_hash && upm_binary_offset_of(binary, dynamic->gnu_hash, &offset))
		return count_by_gnu_hash(binary->elf, offset);
	return 0;
}

/* Chains of version records have no size of their own: let them reach to the end of the file. */
static void place_chain(const struct upm_binary *binary, uint64_t address, uint64_t count,
			struct upm_elf_range *range)
{
	const uint64_t generous = 256;
	uint64_t left;

	if (!count || !upm_binary_offset_of(binary, address, &range->offset) ||
	    range->offset >= binary->elf->size)
		return;
	left = binary->elf->size - range->offset;
	range->size = count < left / generous ? count * generous : left;
}

int upm_place_by_dynamic(const struct upm_binary *binary, struct upm_table_place *place)
{
	struct upm_dynamic dynamic;
	uint64_t count;
	int status = upm_dynamic_read(binary, &dynamic);

	memset(place, 0, sizeof(*place));
	place->name = "the dynamic symbol table";
	if (status)
		return status;
	count = count_symbols(binary, &dynamic);
	if (count && upm_binary_offset_of(binary, dynamic.symbols, &place->symbols.offset) &&
	    upm_binary_offset_of(binary, dynamic.strings, &place->strings.offset)) {
		place->symbols.size = count * symbol_size(binary->elf);
		place->strings.size = dynamic.strings_size;
		if (dynamic.versym &&
		    upm_binary_offset_of(binary, dynamic.versym, &place->versym.offset))
			place->versym.size = count * sizeof(uint16_t);
		place_chain(binary, dynamic.verdef, dynamic.verdef_count, &place->verdef);
		place_chain(binary, dynamic.verneed, dynamic.verneed_count, &place->verneed);
	}
	upm_dynamic_clear(&dynamic);
	return UPM_OK;
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "binary/function_starts.h"

#include <stdlib.h>
#include <string.h>

#include "binary/elf_file.h"
#include "binary/symbols.h"

/* The encodings that linkers write: DW_EH_PE_udata4; DW_EH_PE_datarel | DW_EH_PE_sdata4. */
#define COUNT_IN_4_BYTES 0x03
#define RELATIVE_IN_4_BYTES 0x3b
#define IS_IN_4_BYTES(encoding) (((encoding)&0x07) == 0x03)

/* As it lies in the file, in the byte order of this machine. */
struct table_header {
	uint8_t version, pointer_encoding, count_encoding, table_encoding;
	int32_t pointer;
	uint32_t count;
};

struct table_entry {
	int32_t start, description; /* both from the header's address */
};

static void read_table(struct upm_function_starts *starts, const GElf_Phdr *segment)
{
	struct table_header header;

	if (upm_elf_read_at(starts->binary->elf, &header, sizeof(header), segment->p_offset) <
		    sizeof(header) ||
	    header.version != 1 || !IS_IN_4_BYTES(header.pointer_encoding) ||
	    header.count_encoding != COUNT_IN_4_BYTES ||
	    header.table_encoding != RELATIVE_IN_4_BYTES)
		return;
	starts->table_offset = segment->p_offset + sizeof(header);
	starts->table_address = segment->p_vaddr;
	starts->table_count = header.count;
}

void upm_function_starts_open(struct upm_binary *binary, struct upm_function_starts *starts)
{
	const struct upm_elf *elf = binary->elf;
	GElf_Phdr segment;
	size_t count = 0;

	*starts = (struct upm_function_starts){.binary = binary};
	if (elf->foreign_order || elf_getphdrnum(elf->handle, &count))
		return;
	for (size_t i = 0; i < count && !starts->table_count; i++)
		if (gelf_getphdr(elf->handle, (int)i, &segment) &&
		    segment.p_type == PT_GNU_EH_FRAME)
			read_table(starts, &segment);
}

void upm_function_starts_close(struct upm_function_starts *starts)
{
	upm_vector_clear(&starts->symbols);
}

static bool in_table(const struct upm_function_starts *starts, uint64_t address)
{
	uint64_t low = 0, high = starts->table_count;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2, start;
		struct table_entry entry;

		if (upm_elf_read_at(starts->binary->elf, &entry, sizeof(entry),
				    starts->table_offset + middle * sizeof(entry)) < sizeof(entry))
			return false;
		start = starts->table_address + (uint64_t)(int64_t)entry.start;
		if (start == address)
			return true;
		if (start < address)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static int compare_addresses(const void *a, const void *b)
{
	const uint64_t *one = a, *two = b;

	return (*one > *two) - (*one < *two);
}

static void read_symbols(struct upm_function_starts *starts)
{
	struct upm_symbol_tables tables;
	struct upm_symbol symbol;

	starts->symbols_read = true;
	if (upm_binary_symbols(starts->binary, UPM_SYMBOLS_OWN, NULL, NULL, &tables))
		return;
	for (size_t i = 0; i < tables.count; i++) {
		for (size_t j = 0; j < upm_symbol_table_size(tables.items[i]); j++) {
			upm_symbol_table_get(tables.items[i], j, &symbol);
			if (symbol.type == STT_FUNC && !symbol.undefined &&
			    !upm_vector_push(&starts->symbols, symbol.address))
				break;
		}
	}
	if (starts->symbols.count)
		qsort(starts->symbols.items, starts->symbols.count, sizeof(uint64_t),
		      compare_addresses);
}

bool upm_function_starts_at(struct upm_function_starts *starts, uint64_t address)
{
	if (in_table(starts, address))
		return true;
	if (!starts->symbols_read)
		read_symbols(starts);
	return starts->symbols.count &&
	       bsearch(&address, starts->symbols.items, starts->symbols.count, sizeof(address),
		       compare_addresses);
}

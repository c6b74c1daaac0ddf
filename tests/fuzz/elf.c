/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A file: everything that is read from binaries is read. */
#include "fuzz.h"

#include "binary/dynamic.h"
#include "binary/ifunc.h"
#include "binary/relocations.h"
#include "binary/symbols.h"
#include "elf_image.h"
#include "usdt/notes.h"

static size_t read_symbols(struct upm_binary *binary)
{
	struct upm_symbol_tables tables;
	size_t letters = 0;

	if (upm_binary_symbols(binary, UPM_SYMBOLS_OWN | UPM_SYMBOLS_DEBUG, NULL, NULL, &tables))
		return 0;
	for (size_t i = 0; i < tables.count; i++) {
		for (size_t j = 0; j < upm_symbol_table_size(tables.items[i]); j++) {
			struct upm_symbol symbol;
			uint64_t offset;

			upm_symbol_table_get(tables.items[i], j, &symbol);
			letters += strlen(symbol.name) + strlen(symbol.version);
			if (upm_binary_offset_of(binary, symbol.address, &offset))
				upm_binary_executable_at(binary, offset);
		}
	}
	return letters;
}

static size_t read_notes(struct upm_binary *binary)
{
	const struct upm_usdt_notes *notes;
	size_t letters = 0;

	fuzz_check(upm_binary_usdt_notes(binary, &notes) == 0);
	for (size_t i = 0; i < notes->list.count; i++) {
		const struct upm_usdt_note *note = &notes->list.items[i];

		letters += strlen(note->provider) + strlen(note->name) + strlen(note->arguments);
	}
	return letters;
}

static bool visit(const struct upm_relocation *relocation, void *context)
{
	(void)relocation;
	(void)context;
	return true;
}

static void read_dynamic(struct upm_binary *binary)
{
	struct upm_dynamic dynamic;

	free(upm_binary_soname(binary));
	free(upm_binary_interpreter(binary));
	upm_relocations_visit(binary, UPM_RELOCATION_INDIRECT, visit, NULL);
	upm_relocations_visit(binary, UPM_RELOCATION_SYMBOL, visit, NULL);
	if (upm_dynamic_read(binary, &dynamic))
		return;
	for (size_t i = 0; i < dynamic.needed.count; i++)
		free(upm_dynamic_string(binary, &dynamic, dynamic.needed.items[i]));
	upm_dynamic_clear(&dynamic);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct upm_binary *binary;

	if (upm_binary_open_fd(bytes_to_fd(data, size), "input", &binary))
		return 0;
	read_symbols(binary);
	read_notes(binary);
	read_dynamic(binary);
	upm_binary_unref(binary);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What is packed into .gnu_debugdata. The first byte says whether the rest is to be packed, so that
 * the image inside gets read, or is packed data already.
 */
#include "fuzz.h"

#include <lzma.h>

#include "binary/symbols.h"
#include "elf_image.h"
#include "look.h"

static size_t pack(const uint8_t *data, size_t size, uint8_t *packed, size_t capacity)
{
	lzma_options_lzma fast;
	lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &fast}, {LZMA_VLI_UNKNOWN, NULL}};
	size_t length = 0;

	fuzz_check(!lzma_lzma_preset(&fast, 0));
	fast.dict_size = LZMA_DICT_SIZE_MIN;
	fuzz_check(lzma_stream_buffer_encode(filters, LZMA_CHECK_NONE, NULL, data, size, packed,
					     &length, capacity) == LZMA_OK);
	return length;
}

static void read_symbols(struct upm_binary *binary)
{
	struct upm_symbol_tables tables;

	if (upm_binary_symbols(binary, UPM_SYMBOLS_OWN | UPM_SYMBOLS_DEBUG, NULL, NULL, &tables))
		return;
	for (size_t i = 0; i < tables.count; i++) {
		for (size_t j = 0; j < upm_symbol_table_size(tables.items[i]); j++) {
			struct upm_symbol symbol;

			upm_symbol_table_get(tables.items[i], j, &symbol);
			look(symbol.name);
			look(symbol.version);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t packed[64 << 10];
	struct upm_binary *binary;
	struct image *image;
	size_t length = size - 1;

	if (!size || size > sizeof(packed) / 2)
		return 0;
	if (data[0] & 1)
		length = pack(data + 1, size - 1, packed, sizeof(packed));
	else
		memcpy(packed, data + 1, length);
	image = image_new(64, false);
	image_section(image, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, "\xc3", 1);
	image_section(image, ".gnu_debugdata", SHT_PROGBITS, 0, packed, length);
	image_finish(image);
	if (!upm_binary_open_fd(bytes_to_fd(image->bytes, image->size), "input", &binary)) {
		read_symbols(binary);
		upm_binary_unref(binary);
	}
	free(image);
	return 0;
}

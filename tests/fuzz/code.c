/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Code of two functions: a byte that says where the second begins, and the bytes of both. */
#include "elf_image.h"
#include "fuzz.h"
#include "look.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image *image;
	size_t text;

	if (size < 2)
		return 0;
	image = image_new(64, false);
	text = image_section(image, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, data + 1,
			     size - 1);
	const uint64_t start = IMAGE_BASE + image->sections[text].offset;
	const struct image_symbol symbols[] = {
		{"f", start, data[0], STT_FUNC, STB_GLOBAL, 1},
		{"g", start + data[0], 0, STT_FUNC, STB_GLOBAL, 1},
	};

	image_symbols(image, false, symbols, sizeof(symbols) / sizeof(symbols[0]));
	image_finish(image);
	look_at_file(bytes_to_fd(image->bytes, image->size));
	free(image);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "index/sample.h"

#include "binary/elf_file.h"
#include "index/record.h"

enum { PLACES = 256, BYTES = 64, END_BYTES = 4096 };

static bool add(const struct upm_binary *binary, uint64_t offset, size_t wanted, uint64_t *sum)
{
	uint8_t bytes[END_BYTES];
	size_t got = upm_read_fully(binary->fd, bytes, wanted, offset);

	*sum = upm_index_checksum(*sum, bytes, got);
	return got == wanted;
}

bool upm_index_sample(const struct upm_binary *binary, uint64_t *sum)
{
	uint64_t size = binary->file_size, step = size / PLACES;
	bool whole = size >= END_BYTES;

	*sum = size;
	whole = whole && add(binary, 0, END_BYTES, sum) &&
		add(binary, size - END_BYTES, END_BYTES, sum);
	for (uint64_t i = 0; i < PLACES && whole; i++)
		whole = add(binary, i * step, step < BYTES ? (size_t)step : BYTES, sum);
	return whole;
}

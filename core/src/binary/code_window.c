/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Reads grow while requests follow each other and shrink when one jumps ahead, so
 * that dense code costs few system calls and sparse code few bytes. The largest
 * still fits a second-level cache.
 */
#include <stdlib.h>

#include "base/error.h"
#include "binary/elf_file.h"

#define SMALLEST_READ (16u << 10)
#define LARGEST_READ (128u << 10)

int upm_code_window_open(struct upm_code_window *window, const struct upm_binary *binary)
{
	*window = (struct upm_code_window){.binary = binary, .capacity = LARGEST_READ};
	window->bytes = malloc(window->capacity);
	return window->bytes ? UPM_OK : upm_fail_memory("read the code");
}

static size_t next_read(const struct upm_code_window *window, uint64_t offset, size_t wanted)
{
	uint64_t end = window->start + window->length;
	size_t length = SMALLEST_READ;

	if (offset >= window->start && offset <= end + SMALLEST_READ && window->length)
		length = window->length * 2;
	if (length < wanted)
		length = wanted;
	return length < window->capacity ? length : window->capacity;
}

const uint8_t *upm_code_window_at(struct upm_code_window *window, uint64_t offset, size_t wanted,
				  size_t *available)
{
	uint64_t skip = offset - window->start;

	if (skip > window->length || window->length - skip < wanted) {
		size_t length = next_read(window, offset, wanted);

		window->length = upm_read_fully(window->binary->fd, window->bytes, length, offset);
		window->start = offset;
		skip = 0;
	}
	*available = window->length - skip < wanted ? window->length - skip : wanted;
	return window->bytes + skip;
}

void upm_code_window_close(struct upm_code_window *window)
{
	free(window->bytes);
	window->bytes = NULL;
}

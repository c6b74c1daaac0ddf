/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "base/strings.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 16384 };

struct block {
	struct block *next;
	size_t used, size;
	char text[];
};

struct upm_strings {
	unsigned references;
	struct block *blocks; /* the newest first */
	const char *last;     /* what upm_strings_format() added last */
};

struct upm_strings *upm_strings_new(void)
{
	struct upm_strings *strings = calloc(1, sizeof(*strings));

	if (strings)
		strings->references = 1;
	return strings;
}

struct upm_strings *upm_strings_ref(struct upm_strings *strings)
{
	__atomic_add_fetch(&strings->references, 1, __ATOMIC_RELAXED);
	return strings;
}

void upm_strings_unref(struct upm_strings *strings)
{
	if (!strings || __atomic_sub_fetch(&strings->references, 1, __ATOMIC_ACQ_REL))
		return;
	for (struct block *block = strings->blocks, *next; block; block = next) {
		next = block->next;
		free(block);
	}
	free(strings);
}

static struct block *block_with_room(struct upm_strings *strings, size_t length)
{
	struct block *block = strings->blocks;
	size_t size = length > BLOCK_SIZE ? length : BLOCK_SIZE;

	if (block && block->size - block->used >= length)
		return block;
	block = malloc(sizeof(*block) + size);
	if (!block)
		return NULL;
	*block = (struct block){.next = strings->blocks, .size = size};
	strings->blocks = block;
	return block;
}

const char *upm_strings_add(struct upm_strings *strings, const char *text)
{
	size_t length = strlen(text) + 1;
	struct block *block = block_with_room(strings, length);
	char *copy;

	if (!block)
		return NULL;
	copy = block->text + block->used;
	memcpy(copy, text, length);
	block->used += length;
	return copy;
}

void *upm_strings_reserve(struct upm_strings *strings, size_t size)
{
	const size_t alignment = _Alignof(max_align_t);
	struct block *block =
		size < SIZE_MAX / 2 ? block_with_room(strings, size + alignment - 1) : NULL;
	uintptr_t start;

	if (!block)
		return NULL;
	start = ((uintptr_t)block->text + block->used + alignment - 1) & ~(alignment - 1);
	block->used = start + size - (uintptr_t)block->text;
	return (void *)start;
}

const char *upm_strings_format(struct upm_strings *strings, const char *format, ...)
{
	char text[2048];
	va_list arguments;
	const char *copy;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (strings->last && strcmp(strings->last, text) == 0)
		return strings->last;
	copy = upm_strings_add(strings, text);
	if (copy)
		strings->last = copy;
	return copy;
}

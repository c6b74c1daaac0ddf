/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "base/bytes.h"

#include <string.h>

void upm_bytes_put(struct upm_bytes *bytes, const void *from, size_t size)
{
	if (bytes->failed || !upm_vector_reserve(&bytes->data, size)) {
		bytes->failed = true;
		return;
	}
	if (size)
		memcpy(bytes->data.items + bytes->data.count, from, size);
	bytes->data.count += size;
}

void upm_bytes_put_number(struct upm_bytes *bytes, uint64_t number)
{
	upm_bytes_put(bytes, &number, sizeof(number));
}

void upm_bytes_put_text(struct upm_bytes *bytes, const char *text)
{
	size_t length = strlen(text);

	upm_bytes_put_number(bytes, length);
	upm_bytes_put(bytes, text, length + 1);
}

void upm_bytes_free(struct upm_bytes *bytes)
{
	upm_vector_clear(&bytes->data);
}

const void *upm_bytes_take(struct upm_bytes_reader *reader, size_t size)
{
	const void *taken = reader->at;

	if (reader->failed || size > (size_t)(reader->end - reader->at)) {
		reader->failed = true;
		return NULL;
	}
	reader->at += size;
	return taken;
}

uint64_t upm_bytes_take_number(struct upm_bytes_reader *reader)
{
	const void *taken = upm_bytes_take(reader, sizeof(uint64_t));
	uint64_t number = 0;

	if (taken)
		memcpy(&number, taken, sizeof(number));
	return number;
}

const char *upm_bytes_take_text(struct upm_bytes_reader *reader)
{
	uint64_t length = upm_bytes_take_number(reader);
	const char *text = length < SIZE_MAX ? upm_bytes_take(reader, (size_t)length + 1) : NULL;

	if (text && text[length] == '\0')
		return text;
	reader->failed = true;
	return "";
}

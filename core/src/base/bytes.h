/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Numbers and strings as a sequence of bytes, and back. Not for other machines: native order. */
#ifndef UPM_BASE_BYTES_H
#define UPM_BASE_BYTES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/vector.h"

/* Written front to back. Once memory ran out nothing more is added: ask at the end. */
struct upm_bytes {
	UPM_VECTOR(uint8_t) data;
	bool failed;
};

void upm_bytes_put(struct upm_bytes *bytes, const void *from, size_t size);
void upm_bytes_put_number(struct upm_bytes *bytes, uint64_t number);
/** With its length before and a NUL behind it. */
void upm_bytes_put_text(struct upm_bytes *bytes, const char *text);
void upm_bytes_free(struct upm_bytes *bytes);

/* Read front to back. Whatever would go beyond the end reads as 0 and "" : ask at the end. */
struct upm_bytes_reader {
	const uint8_t *at, *end;
	bool failed;
};

/** @return size bytes within the memory read, or NULL. */
const void *upm_bytes_take(struct upm_bytes_reader *reader, size_t size);
uint64_t upm_bytes_take_number(struct upm_bytes_reader *reader);
/** @return a string within the memory read; "" where there is none. */
const char *upm_bytes_take_text(struct upm_bytes_reader *reader);

#endif

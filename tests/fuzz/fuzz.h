/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the fuzz targets share. */
#ifndef UPM_TESTS_FUZZ_H
#define UPM_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/** One run with one input; called by libFuzzer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** What must always hold. */
static inline void fuzz_check(_Bool holds)
{
	if (!holds)
		abort();
}

/** @return a copy of exactly these bytes and a NUL, for free(): reading past it is seen. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	fuzz_check(text != NULL);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

#endif

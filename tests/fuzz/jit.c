/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A list of functions, which a program under observation writes; in two parts, as it grows. */
#include "fuzz.h"

#include "look.h"
#include "stack/jit.h"

static void read_first(struct upm_jit *jit, const uint8_t *data, size_t size)
{
	FILE *file = size ? fmemopen((void *)data, size, "r") : NULL;

	if (!file)
		return;
	upm_jit_read(jit, file);
	fclose(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct upm_jit jit = {.names = upm_strings_new()};

	if (!size) {
		upm_jit_close(&jit);
		return 0;
	}
	read_first(&jit, data, size * data[0] / 256);
	read_first(&jit, data, size);
	fuzz_check(jit.read <= size);
	for (size_t i = 0; i < jit.functions.count; i++) {
		const struct upm_jit_function *function = &jit.functions.items[i];
		const struct upm_jit_function *found = upm_jit_find(&jit, function->start);

		look(function->name);
		fuzz_check(!found || function->start - found->start < found->size);
	}
	upm_jit_close(&jit);
	return 0;
}

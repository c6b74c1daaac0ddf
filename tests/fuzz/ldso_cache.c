/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A cache of the dynamic loader. */
#include "fuzz.h"

#include "locate/ldso_cache.h"

static bool visit(const struct upm_ldso_entry *entry, void *context)
{
	*(size_t *)context += strlen(entry->name) + strlen(entry->path);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = fuzz_text(data, size);
	size_t letters = 0;

	upm_ldso_cache_visit(bytes, size, visit, &letters);
	free(bytes);
	return 0;
}

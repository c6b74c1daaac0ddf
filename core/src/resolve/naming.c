/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "resolve/naming.h"

#include "base/error.h"

static int open_index(struct upm_binary *binary, unsigned sources, struct upm_symbol_index *index)
{
	struct upm_symbol_tables tables = {0};
	int status = upm_binary_symbols(binary, sources, NULL, NULL, &tables);

	if (status == UPM_ERR_MEMORY)
		return status;
	if (status)
		tables = (struct upm_symbol_tables){0};
	return upm_symbol_index_open(index, tables);
}

static int find_binary(struct upm_naming *naming, struct upm_binary *binary,
		       struct upm_named_binary **out)
{
	struct upm_named_binary named = {.binary = binary};
	int status;

	for (size_t i = 0; i < naming->binaries.count; i++) {
		*out = &naming->binaries.items[i];
		if ((*out)->binary == binary)
			return UPM_OK;
	}
	status = open_index(binary, UPM_SYMBOLS_OWN, &named.own);
	if (status)
		return status;
	if (!upm_vector_push(&naming->binaries, named)) {
		upm_symbol_index_close(&named.own);
		return upm_fail_memory("name addresses");
	}
	*out = &naming->binaries.items[naming->binaries.count - 1];
	return UPM_OK;
}

static int open_debug(struct upm_named_binary *named)
{
	int status = UPM_OK;

	if (!named->has_debug)
		status = open_index(named->binary, UPM_SYMBOLS_OWN | UPM_SYMBOLS_DEBUG,
				    &named->debug);
	named->has_debug = !status;
	return status;
}

int upm_naming_find(struct upm_naming *naming, struct upm_binary *binary, uint64_t address,
		    bool *found, struct upm_symbol *symbol, uint32_t *name)
{
	struct upm_named_binary *named = NULL;
	int status = find_binary(naming, binary, &named);

	*found = !status && upm_symbol_index_find(&named->own, address, symbol, name);
	if (status || *found || (naming->flags & UPM_RESOLVE_DEBUG_NEVER))
		return status;
	status = open_debug(named);
	*found = !status && upm_symbol_index_find(&named->debug, address, symbol, name);
	return status;
}

void upm_naming_close(struct upm_naming *naming)
{
	for (size_t i = 0; i < naming->binaries.count; i++) {
		upm_symbol_index_close(&naming->binaries.items[i].own);
		upm_symbol_index_close(&naming->binaries.items[i].debug);
	}
	upm_vector_clear(&naming->binaries);
}

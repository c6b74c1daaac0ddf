/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "resolve/symbol_index.h"

#include "base/error.h"

enum { NEIGHBOURS = 64 }; /* names of one address, and nested functions, that are looked through */

/* Which are found by what they cover: their names and sizes are looked at soon. */
static int collect_table(struct upm_symbol_index *index, size_t number)
{
	struct upm_symbol_table *table = index->tables.items[number];
	size_t size = upm_symbol_table_size(table);
	struct upm_symbol symbol;
	int status = upm_symbol_table_read_names(table);

	for (size_t i = 0; i < size && !status; i++) {
		struct upm_found found = {.symbol = (uint32_t)i, .table = (uint8_t)number};

		upm_symbol_table_peek(table, i, &symbol);
		found.place = symbol.address;
		if (upm_symbol_is_function(&symbol) && symbol.name[0] &&
		    !upm_vector_push(&index->functions.list, found))
			status = UPM_ERR_MEMORY;
	}
	return status;
}

static bool collect(struct upm_symbol_index *index)
{
	for (size_t i = 0; i < index->tables.count; i++)
		if (collect_table(index, i))
			return false;
	return upm_found_sort(&index->functions, NULL);
}

int upm_symbol_index_open(struct upm_symbol_index *index, struct upm_symbol_tables tables)
{
	*index = (struct upm_symbol_index){.tables = tables};
	if (collect(index))
		return UPM_OK;
	upm_symbol_index_close(index);
	return upm_fail_memory("index the symbols");
}

static size_t count_up_to(const struct upm_symbol_index *index, uint64_t address)
{
	size_t low = 0, high = index->functions.list.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (index->functions.list.items[middle].place <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A function covers its size; one of unknown size covers its first byte only. */
static bool covers(const struct upm_symbol *symbol, uint64_t address)
{
	return address - symbol->address < (symbol->size ? symbol->size : 1);
}

bool upm_symbol_index_find(const struct upm_symbol_index *index, uint64_t address,
			   struct upm_symbol *symbol, uint32_t *name)
{
	size_t end = count_up_to(index, address);
	size_t first = end > NEIGHBOURS ? end - NEIGHBOURS : 0;
	bool found = false;

	for (size_t i = end; i > first; i--) {
		const struct upm_found *function = &index->functions.list.items[i - 1];
		struct upm_symbol candidate;

		if (found && function->place != symbol->address)
			break;
		upm_found_symbol(function, index->tables, &candidate);
		if (!covers(&candidate, address))
			continue;
		if (!found || upm_symbol_is_better(&candidate, symbol)) {
			*symbol = candidate;
			*name = upm_found_name(function);
		}
		found = true;
	}
	return found;
}

void upm_symbol_index_close(struct upm_symbol_index *index)
{
	upm_vector_clear(&index->functions.list);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "resolve/found.h"

#include <stdlib.h>
#include <string.h>

enum { DIGIT_BITS = 12, BUCKETS = 1 << DIGIT_BITS };

void upm_found_symbol(const struct upm_found *found, struct upm_symbol_tables tables,
		      struct upm_symbol *symbol)
{
	upm_symbol_table_get(tables.items[found->table], found->symbol, symbol);
	symbol->address = found->place;
}

static bool is_sorted(const struct upm_found *items, size_t count, uint64_t *highest)
{
	bool sorted = true;

	*highest = 0;
	for (size_t i = 0; i < count; i++) {
		if (items[i].place < *highest)
			sorted = false;
		else
			*highest = items[i].place;
	}
	return sorted;
}

static void sort_digit(const struct upm_found *from, struct upm_found *to, size_t count, int shift)
{
	size_t starts[BUCKETS] = {0};
	size_t sum = 0;

	for (size_t i = 0; i < count; i++)
		starts[(from[i].place >> shift) % BUCKETS]++;
	for (size_t digit = 0; digit < BUCKETS; digit++) {
		size_t here = starts[digit];

		starts[digit] = sum;
		sum += here;
	}
	for (size_t i = 0; i < count; i++)
		to[starts[(from[i].place >> shift) % BUCKETS]++] = from[i];
}

/* Radix sort: a comparing sort of 80,000 points takes longer than the kernel needs to attach 5,000.
 */
bool upm_found_sort(struct upm_found_list *found)
{
	size_t count = found->list.count;
	uint64_t highest;
	struct upm_found *from = found->list.items, *to, *scratch;

	if (is_sorted(from, count, &highest))
		return true;
	scratch = malloc(count * sizeof(*scratch));
	if (!scratch)
		return false;
	to = scratch;
	for (int shift = 0; shift < 64 && highest >> shift; shift += DIGIT_BITS) {
		struct upm_found *swap = from;

		sort_digit(from, to, count, shift);
		from = to;
		to = swap;
	}
	if (from == scratch)
		memcpy(found->list.items, scratch, count * sizeof(*scratch));
	free(scratch);
	return true;
}

/* What the table says weighs more than how the name is spelt, and needs no look at the name. */
static int rank_of_entry(const struct upm_symbol *symbol)
{
	int rank = 0;

	if (symbol->binding == STB_GLOBAL)
		rank += 8;
	else if (symbol->binding == STB_WEAK)
		rank += 4;
	return rank + 2 * symbol->default_version + (symbol->version[0] != '\0');
}

static int rank_of_name(const char *name)
{
	size_t underscores = strspn(name, "_");

	return (strchr(name, '.') ? 0 : 10) - (underscores < 9 ? (int)underscores : 9);
}

bool upm_symbol_is_better(const struct upm_symbol *symbol, const struct upm_symbol *than)
{
	int difference = rank_of_entry(symbol) - rank_of_entry(than);

	if (difference)
		return difference > 0;
	return rank_of_name(symbol->name) > rank_of_name(than->name);
}

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

static bool is_sorted(const struct upm_found *items, size_t count, uint64_t *differing)
{
	uint64_t highest = 0;
	bool sorted = true;

	*differing = 0;
	for (size_t i = 0; i < count; i++) {
		sorted &= items[i].place >= highest;
		highest = items[i].place;
		*differing |= items[i].place ^ items[0].place;
	}
	return sorted;
}

static void sort_digit(const struct upm_found *from, struct upm_found *to, size_t count, int shift,
		       uint64_t mask)
{
	uint32_t starts[BUCKETS] = {0};
	uint32_t sum = 0;

	for (size_t i = 0; i < count; i++)
		starts[from[i].place >> shift & mask]++;
	for (size_t digit = 0; digit <= mask; digit++) {
		uint32_t here = starts[digit];

		starts[digit] = sum;
		sum += here;
	}
	for (size_t i = 0; i < count; i++)
		to[starts[from[i].place >> shift & mask]++] = from[i];
}

/*
 * By the bits in which places differ: functions are aligned and lie together, so that two
 * digits do for most files. @return where the sorted points are
 */
static struct upm_found *sort_digits(struct upm_found *from, struct upm_found *to, size_t count,
				     uint64_t differing)
{
	int shift = __builtin_ctzll(differing), bits = 64 - __builtin_clzll(differing) - shift;
	int passes = (bits + DIGIT_BITS - 1) / DIGIT_BITS;
	int digit = (bits + passes - 1) / passes;

	for (int pass = 0; pass < passes; pass++) {
		struct upm_found *swap = from;

		sort_digit(from, to, count, shift + pass * digit, (UINT64_C(1) << digit) - 1);
		from = to;
		to = swap;
	}
	return from;
}

/* Radix sort: a comparing sort of 80,000 points takes longer than the kernel needs to attach 5,000.
 */
bool upm_found_sort(struct upm_found_list *found, void *scratch)
{
	size_t count = found->list.count;
	struct upm_found *other = scratch, *sorted;
	uint64_t differing;

	if (is_sorted(found->list.items, count, &differing))
		return true;
	if (!other)
		other = malloc(count * sizeof(*other));
	if (!other)
		return false;
	sorted = sort_digits(found->list.items, other, count, differing);
	if (sorted == other)
		memcpy(found->list.items, other, count * sizeof(*other));
	if (!scratch)
		free(other);
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

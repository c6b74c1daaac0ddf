/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "resolve/merge.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/intern.h"
#include "resolve/found.h"

/* What one probe gets from others: names that it does not have. */
struct gain {
	struct upm_intern names; /* that it has or gets; empty until something is to be added */
	UPM_VECTOR(uint32_t) added;
};

static bool know_names(const struct upm_probe_table *table, const struct upm_probe_entry *probe,
		       struct gain *gain)
{
	struct upm_probe_names names;
	bool added;

	if (gain->names.count)
		return true;
	upm_probe_names(table, probe, &names);
	if (!upm_intern_add_text(&gain->names, names.symbol.name, &added))
		return false;
	for (uint32_t i = 0; i < names.alias_count; i++)
		if (!upm_intern_add_text(&gain->names, upm_probe_alias(table, probe, &names, i),
					 &added))
			return false;
	return true;
}

/* Aliases of one probe stand together: with those that are added, they move to the end of the
 * list. */
static bool append_aliases(struct upm_probe_table *table, struct upm_probe_entry *probe,
			   const struct gain *gain)
{
	struct upm_probe_detail *detail = upm_probe_table_detail(table, probe);
	uint32_t first = (uint32_t)table->aliases.count;

	if (!detail ||
	    !upm_vector_reserve(&table->aliases, detail->alias_count + gain->added.count))
		return false;
	for (uint32_t i = 0; i < detail->alias_count; i++)
		table->aliases.items[table->aliases.count++] =
			table->aliases.items[detail->first_alias + i];
	for (size_t i = 0; i < gain->added.count; i++)
		table->aliases.items[table->aliases.count++] = gain->added.items[i];
	detail->first_alias = first;
	detail->alias_count += (uint32_t)gain->added.count;
	return true;
}

/* Symbols of one binary are passed on as such, others as texts. */
static bool name_for(struct upm_probe_table *table, const struct upm_probe_entry *kept,
		     const struct upm_probe_entry *gone, uint32_t theirs, uint32_t *name)
{
	const struct upm_probe_origin *origins = table->origins.items;
	struct upm_symbol symbol;

	*name = theirs;
	if (origins[kept->origin].binary == origins[gone->origin].binary)
		return true;
	upm_name_symbol(table, gone->origin, theirs, &symbol);
	return upm_name_of_text(table, (struct upm_probe_text){.symbol = symbol.name}, name);
}

static bool add_name(struct upm_probe_table *table, const struct upm_probe_entry *kept,
		     const struct upm_probe_entry *gone, uint32_t theirs, struct gain *gain)
{
	struct upm_symbol symbol;
	bool added = false;
	uint32_t name;

	upm_name_symbol(table, gone->origin, theirs, &symbol);
	if (symbol.name[0] && !upm_intern_add_text(&gain->names, symbol.name, &added))
		return false;
	return !added ||
	       (name_for(table, kept, gone, theirs, &name) && upm_vector_push(&gain->added, name));
}

static bool are_named_alike(const struct upm_probe_table *table, const struct upm_probe_entry *a,
			    const struct upm_probe_entry *b)
{
	const struct upm_probe_origin *origins = table->origins.items;

	return a->name == b->name && origins[a->origin].binary == origins[b->origin].binary &&
	       !upm_probe_detail(table, b)->alias_count;
}

static bool take_names(struct upm_probe_table *table, struct upm_probe_entry *kept,
		       struct upm_probe_entry *gone, struct gain *gain)
{
	const struct upm_probe_detail *detail;

	if (are_named_alike(table, kept, gone))
		return true;
	if (!upm_probe_rank(table, kept) || !upm_probe_rank(table, gone) ||
	    !know_names(table, kept, gain) || !add_name(table, kept, gone, gone->name, gain))
		return false;
	detail = upm_probe_detail(table, gone);
	for (uint32_t i = 0, first = detail->first_alias, end = first + detail->alias_count;
	     first + i < end; i++)
		if (!add_name(table, kept, gone, table->aliases.items[first + i], gain))
			return false;
	return true;
}

/* Refused points stay, each under its own spec: they are answers, not places. So do two USDT probes
 * of one place. */
static bool is_point(const struct upm_probe_entry *probe)
{
	return probe->verdict == UPM_VERDICT_OK;
}

static const char *name_space(const struct upm_probe_table *table,
			      const struct upm_probe_entry *probe)
{
	const struct upm_usdt_site *site = upm_probe_table_site(table, probe);

	return site ? site->provider : "";
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* 0 for two probes of one offset that are one point. */
static int compare_points(const struct upm_probe_table *table, const struct upm_probe_entry *a,
			  const struct upm_probe_entry *b)
{
	int order = compare_numbers(upm_probe_file(table, a), upm_probe_file(table, b));

	if (!order)
		order = compare_numbers(a->kind, b->kind);
	if (!order && a->kind == UPM_KIND_USDT)
		order = strcmp(upm_probe_symbol(table, a), upm_probe_symbol(table, b));
	if (!order && a->kind == UPM_KIND_USDT)
		order = strcmp(name_space(table, a), name_space(table, b));
	return order;
}

/* Probes of one point stand together then, the first of them first. */
static int by_point(const void *a, const void *b, void *context)
{
	const struct upm_found *left = a, *right = b;
	const struct upm_probe_table *table = context;
	int order = compare_points(table, &table->probes.items[left->symbol],
				   &table->probes.items[right->symbol]);

	return order ? order : compare_numbers(left->symbol, right->symbol);
}

/* Mark the probes of one point, but for the first, which gets their names. */
static bool merge_point(struct upm_probe_table *table, struct upm_found *point, size_t count)
{
	struct upm_probe_entry *kept = &table->probes.items[point[0].symbol];
	struct gain gain = {0};
	bool fits = true;

	upm_intern_open_texts(&gain.names);
	for (size_t i = 1; i < count && fits; i++) {
		point[i].flags = 1;
		fits = take_names(table, kept, &table->probes.items[point[i].symbol], &gain);
	}
	if (fits && gain.added.count)
		fits = append_aliases(table, kept, &gain);
	upm_intern_close(&gain.names);
	upm_vector_clear(&gain.added);
	return fits;
}

static bool merge_run(struct upm_probe_table *table, struct upm_found *run, size_t count)
{
	const struct upm_probe_entry *probes = table->probes.items;
	size_t length;

	qsort_r(run, count, sizeof(*run), by_point, table);
	for (size_t i = 0; i < count; i += length) {
		for (length = 1;
		     i + length < count && compare_points(table, &probes[run[i].symbol],
							  &probes[run[i + length].symbol]) == 0;)
			length++;
		if (length > 1 && !merge_point(table, run + i, length))
			return false;
	}
	return true;
}

static bool merge_runs(struct upm_probe_table *table, struct upm_found_list *places)
{
	size_t count = places->list.count, length;

	for (size_t i = 0; i < count; i += length) {
		struct upm_found *run = &places->list.items[i];

		for (length = 1; i + length < count && run[length].place == run->place;)
			length++;
		if (length > 1 && !merge_run(table, run, length))
			return false;
	}
	return true;
}

/* Marked probes lose their verdict's range for a moment, which tells them apart while the rest
 * moves up. */
static void remove_marked(struct upm_probe_table *table, const struct upm_found_list *places)
{
	enum { MARK = UINT8_MAX };
	size_t kept = 0;

	for (size_t i = 0; i < places->list.count; i++)
		if (places->list.items[i].flags)
			table->probes.items[places->list.items[i].symbol].verdict = MARK;
	for (size_t i = 0; i < table->probes.count; i++)
		if (table->probes.items[i].verdict != MARK)
			table->probes.items[kept++] = table->probes.items[i];
	table->probes.count = kept;
}

int upm_merge_probes(struct upm_probe_table *table)
{
	struct upm_found_list places = {0};
	bool fits = upm_vector_reserve(&places.list, table->probes.count);

	for (size_t i = 0; i < table->probes.count && fits; i++)
		if (is_point(&table->probes.items[i]))
			places.list.items[places.list.count++] = (struct upm_found){
				.place = table->probes.items[i].offset, .symbol = (uint32_t)i};
	fits = fits && upm_found_sort(&places, NULL) && merge_runs(table, &places);
	if (fits)
		remove_marked(table, &places);
	upm_vector_clear(&places.list);
	return fits ? UPM_OK : upm_fail_memory("merge probes");
}

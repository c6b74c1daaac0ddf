/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "resolve/merge.h"

#include <string.h>

#include "base/error.h"
#include "resolve/found.h"

static bool has_name(const struct upm_probe_table *table, const struct upm_probe_entry *probe,
		     const char *name)
{
	if (strcmp(probe->symbol, name) == 0)
		return true;
	for (uint32_t i = 0; i < probe->alias_count; i++)
		if (strcmp(table->aliases.items[probe->first_alias + i], name) == 0)
			return true;
	return false;
}

/* Aliases of one probe stand together: before one is added, they move to the end of the list. */
static bool add_name(struct upm_probe_table *table, struct upm_probe_entry *probe, const char *name)
{
	uint32_t first = (uint32_t)table->aliases.count;

	if (!*name || has_name(table, probe, name))
		return true;
	if (!upm_vector_reserve(&table->aliases, probe->alias_count + 1))
		return false;
	for (uint32_t i = 0; i < probe->alias_count; i++)
		table->aliases.items[table->aliases.count++] =
			table->aliases.items[probe->first_alias + i];
	table->aliases.items[table->aliases.count++] = name;
	probe->first_alias = first;
	probe->alias_count++;
	return true;
}

static bool take_names(struct upm_probe_table *table, struct upm_probe_entry *kept,
		       const struct upm_probe_entry *gone)
{
	if (!add_name(table, kept, gone->symbol))
		return false;
	for (uint32_t i = 0; i < gone->alias_count; i++)
		if (!add_name(table, kept, table->aliases.items[gone->first_alias + i]))
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

static bool same_point(const struct upm_probe_table *table, const struct upm_probe_entry *a,
		       const struct upm_probe_entry *b)
{
	if (a->offset != b->offset || a->file != b->file || a->kind != b->kind)
		return false;
	return a->kind != UPM_KIND_USDT ||
	       (strcmp(a->symbol, b->symbol) == 0 &&
		strcmp(name_space(table, a), name_space(table, b)) == 0);
}

/* Within a run of one offset, mark every probe that repeats an earlier one. */
static bool merge_run(struct upm_probe_table *table, struct upm_found *run, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct upm_probe_entry *kept = &table->probes.items[run[i].symbol];

		for (size_t j = i + 1; j < count && !run[i].flags; j++) {
			struct upm_probe_entry *other = &table->probes.items[run[j].symbol];

			if (run[j].flags || !same_point(table, kept, other))
				continue;
			run[j].flags = 1;
			if (!take_names(table, kept, other))
				return false;
		}
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
	fits = fits && upm_found_sort(&places) && merge_runs(table, &places);
	if (fits)
		remove_marked(table, &places);
	upm_vector_clear(&places.list);
	return fits ? UPM_OK : upm_fail_memory("merge probes");
}

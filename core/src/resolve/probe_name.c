/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Names are looked up when they are asked for. `*` over a large program names no function
 * before something is shown, and half of what there is to read in a symbol table are its names.
 *
 * Several names of one point are the hard case: which is the one to show can depend on how
 * they are spelt. So the point keeps them all, unranked, and whoever asks for the names of
 * the probe ranks them: two or three as a rule. Nothing is written, since other threads
 * may ask too. A point of hundreds of names has them ranked when it is made.
 */
#include "resolve/probe_name.h"

#include <string.h>

#include "resolve/found.h"

bool upm_name_of_text(struct upm_probe_table *table, struct upm_probe_text text, uint32_t *name)
{
	*name = UPM_NAME_NONE;
	if (!text.symbol[0])
		return true;
	*name = upm_name_of_symbol(UPM_NAME_OF_TEXT, (uint32_t)table->texts.count);
	return table->texts.count < UPM_SYMBOLS_MAX - 1 && upm_vector_push(&table->texts, text);
}

void upm_name_symbol(const struct upm_probe_table *table, uint32_t origin, uint32_t name,
		     struct upm_symbol *symbol)
{
	uint32_t source = name >> UPM_NAME_SYMBOL_BITS, number = name % UPM_SYMBOLS_MAX;
	struct upm_probe_text text = {"", "", 0};

	if (source != UPM_NAME_OF_TEXT) {
		upm_symbol_table_get(
			upm_binary_symbol_table(table->origins.items[origin].binary, source),
			number, symbol);
		return;
	}
	if (name != UPM_NAME_NONE)
		text = table->texts.items[number];
	*symbol = (struct upm_symbol){.name = text.symbol,
				      .version = text.version ? text.version : "",
				      .size = text.size};
}

uint64_t upm_name_size(const struct upm_probe_table *table, uint32_t origin, uint32_t name)
{
	uint32_t source = name >> UPM_NAME_SYMBOL_BITS, number = name % UPM_SYMBOLS_MAX;
	struct upm_symbol symbol;

	if (name == UPM_NAME_NONE)
		return 0;
	if (source == UPM_NAME_OF_TEXT)
		return table->texts.items[number].size;
	upm_symbol_table_outline(
		upm_binary_symbol_table(table->origins.items[origin].binary, source), number,
		&symbol);
	return symbol.size;
}

static void choose_best(const struct upm_probe_table *table, uint32_t origin, const uint32_t *all,
			uint32_t count, struct upm_probe_names *names)
{
	struct upm_symbol symbol;

	names->best = all[0];
	upm_name_symbol(table, origin, all[0], &names->symbol);
	for (uint32_t i = 1; i < count; i++) {
		upm_name_symbol(table, origin, all[i], &symbol);
		if (upm_symbol_is_better(&symbol, &names->symbol)) {
			names->symbol = symbol;
			names->best = all[i];
		}
	}
}

/* Names that were listed, with a hash each, since points of a hundred names do exist. */
struct listed {
	const char *names[UPM_NAMES_UNRANKED_MAX + 1];
	uint32_t hashes[UPM_NAMES_UNRANKED_MAX + 1];
	size_t count;
};

/* @return false when the name is in the list already */
static bool list(struct listed *listed, const char *name)
{
	uint32_t hash = 5381;

	for (const char *p = name; *p; p++)
		hash = hash * 33 + (uint8_t)*p;
	for (size_t i = 0; i < listed->count; i++)
		if (listed->hashes[i] == hash && strcmp(listed->names[i], name) == 0)
			return false;
	listed->names[listed->count] = name;
	listed->hashes[listed->count++] = hash;
	return true;
}

static void rank(const struct upm_probe_table *table, uint32_t origin,
		 const struct upm_probe_detail *detail, struct upm_probe_names *names)
{
	const uint32_t *all = table->aliases.items + detail->first_alias;
	struct listed listed;
	struct upm_symbol symbol;

	listed.count = 0;
	choose_best(table, origin, all, detail->alias_count, names);
	list(&listed, names->symbol.name);
	for (uint32_t i = 0; i < detail->alias_count; i++) {
		upm_name_symbol(table, origin, all[i], &symbol);
		if (list(&listed, symbol.name))
			names->aliases[names->alias_count++] = all[i];
	}
}

void upm_probe_names(const struct upm_probe_table *table, const struct upm_probe_entry *probe,
		     struct upm_probe_names *names)
{
	const struct upm_probe_detail *detail = upm_probe_detail(table, probe);

	names->ranked = NULL;
	names->alias_count = 0;
	names->best = probe->name;
	if (detail->unranked) {
		rank(table, probe->origin, detail, names);
		return;
	}
	upm_name_symbol(table, probe->origin, probe->name, &names->symbol);
	if (detail->alias_count) {
		names->ranked = &table->aliases.items[detail->first_alias];
		names->alias_count = detail->alias_count;
	}
}

const char *upm_probe_alias(const struct upm_probe_table *table,
			    const struct upm_probe_entry *probe,
			    const struct upm_probe_names *names, size_t index)
{
	const uint32_t *aliases = names->ranked ? names->ranked : names->aliases;
	struct upm_symbol symbol;

	upm_name_symbol(table, probe->origin, aliases[index], &symbol);
	return symbol.name;
}

const char *upm_probe_symbol(const struct upm_probe_table *table,
			     const struct upm_probe_entry *probe)
{
	struct upm_probe_names names;

	upm_probe_names(table, probe, &names);
	return names.symbol.name;
}

/* The implementation that an indirect function stands for is of another size than its resolver. */
uint32_t upm_probe_symbol_size(const struct upm_probe_entry *probe,
			       const struct upm_probe_names *names)
{
	if (probe->flags & UPM_PROBE_IFUNC_TARGET)
		return 0;
	return names->symbol.size < UINT32_MAX ? (uint32_t)names->symbol.size : UINT32_MAX;
}

bool upm_probe_rank(struct upm_probe_table *table, struct upm_probe_entry *probe)
{
	struct upm_probe_detail *detail;
	struct upm_probe_names names;

	if (!upm_probe_detail(table, probe)->unranked)
		return true;
	detail = upm_probe_table_detail(table, probe);
	if (!detail)
		return false;
	upm_probe_names(table, probe, &names);
	memcpy(&table->aliases.items[detail->first_alias], names.aliases,
	       names.alias_count * sizeof(names.aliases[0]));
	detail->alias_count = names.alias_count;
	detail->unranked = false;
	probe->name = names.best;
	return true;
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "resolve/remembered.h"

#include "resolve/probe_name.h"

static bool add_spec(struct upm_probe_table *table, const char *spec, uint32_t *index)
{
	*index = UINT32_MAX;
	if (!*spec)
		return true;
	if (!table->specs.count || table->specs.items[table->specs.count - 1] != spec)
		if (!upm_vector_push(&table->specs, spec))
			return false;
	*index = (uint32_t)table->specs.count - 1;
	return true;
}

/* Probes of one file and spec stand together. */
static bool add_origin(struct upm_probe_table *table, uint32_t file, const char *spec,
		       uint32_t *index)
{
	struct upm_probe_origin origin = {.remark = "", .file = file};
	const struct upm_probe_origin *last =
		table->origins.count ? &table->origins.items[table->origins.count - 1] : NULL;

	if (!add_spec(table, spec, &origin.spec))
		return false;
	*index = (uint32_t)table->origins.count - 1;
	return (last && last->file == file && last->spec == origin.spec) ||
	       upm_probe_table_origin(table, &origin, index) == UPM_OK;
}

static bool add_aliases(struct upm_probe_table *table, const struct upm_remembered *remembered,
			struct upm_probe_detail *detail)
{
	detail->first_alias = (uint32_t)table->aliases.count;
	detail->alias_count = remembered->probe.alias_count;
	for (uint32_t i = 0; i < detail->alias_count; i++) {
		struct upm_probe_text text = {.symbol = remembered->aliases[i]};
		uint32_t name;

		if (!upm_name_of_text(table, text, &name) ||
		    !upm_vector_push(&table->aliases, name))
			return false;
	}
	return true;
}

bool upm_remembered_add(struct upm_probe_table *table, const struct upm_remembered *remembered,
			uint32_t file)
{
	const struct upm_probe *probe = &remembered->probe;
	const struct upm_probe_text text = {probe->symbol, probe->version,
					    (uint32_t)probe->symbol_size};
	struct upm_probe_entry entry = {
		.offset = probe->offset,
		.kind = (uint8_t)probe->kind,
		.verdict = (uint8_t)probe->verdict,
		.cost = (uint8_t)probe->cost,
		.flags = (uint8_t)probe->flags,
	};
	struct upm_probe_detail detail = {
		.ref_ctr_offset = probe->ref_ctr_offset,
		.reason = probe->reason,
		.symbol_offset = (uint32_t)probe->symbol_offset,
		.remembered = remembered,
	};

	return add_origin(table, file, probe->spec, &entry.origin) &&
	       upm_name_of_text(table, text, &entry.name) &&
	       add_aliases(table, remembered, &detail) &&
	       upm_vector_push(&table->cookies, probe->cookie) &&
	       upm_probe_table_add(table, entry, &detail);
}

void upm_remembered_describe(const struct upm_remembered *remembered, struct upm_probe *probe)
{
	probe->address = remembered->probe.address;
	probe->provider = remembered->probe.provider;
	probe->argument_count = remembered->probe.argument_count;
}

bool upm_remembered_argument(const struct upm_probe_table *table, size_t index, size_t argument,
			     struct upm_argument *out)
{
	const struct upm_remembered *remembered =
		upm_probe_detail(table, &table->probes.items[index])->remembered;

	if (!remembered || argument >= remembered->probe.argument_count)
		return false;
	*out = remembered->arguments[argument];
	return true;
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "resolve/remembered.h"

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

bool upm_remembered_add(struct upm_probe_table *table, const struct upm_remembered *remembered,
			uint32_t file)
{
	const struct upm_probe *probe = &remembered->probe;
	struct upm_probe_entry entry = {
		.offset = probe->offset,
		.ref_ctr_offset = probe->ref_ctr_offset,
		.cookie = probe->cookie,
		.symbol = probe->symbol,
		.version = probe->version,
		.reason = probe->reason,
		.file = file,
		.symbol_offset = (uint32_t)probe->symbol_offset,
		.symbol_size = (uint32_t)probe->symbol_size,
		.first_alias = (uint32_t)table->aliases.count,
		.alias_count = probe->alias_count,
		.kind = (uint8_t)probe->kind,
		.verdict = (uint8_t)probe->verdict,
		.cost = (uint8_t)probe->cost,
		.flags = (uint8_t)probe->flags,
	};

	for (uint32_t i = 0; i < probe->alias_count; i++)
		if (!upm_vector_push(&table->aliases, remembered->aliases[i]))
			return false;
	return add_spec(table, probe->spec, &entry.spec) && upm_vector_push(&table->probes, entry);
}

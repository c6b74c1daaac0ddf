/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "resolve/probe_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "resolve/probe_name.h"
#include "resolve/remembered.h"
#include "resolve/return_safety.h"

struct upm_probe_table *upm_probe_table_new(void)
{
	struct upm_probe_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->references = 1;
	table->strings = upm_strings_new();
	if (!table->strings) {
		free(table);
		return NULL;
	}
	return table;
}

struct upm_probe_table *upm_probe_table_ref(struct upm_probe_table *table)
{
	__atomic_add_fetch(&table->references, 1, __ATOMIC_RELAXED);
	return table;
}

void upm_probe_table_unref(struct upm_probe_table *table)
{
	if (!table || __atomic_sub_fetch(&table->references, 1, __ATOMIC_ACQ_REL))
		return;
	for (size_t i = 0; i < table->files.count; i++)
		upm_binary_unref(table->files.items[i].binary);
	for (size_t i = 0; i < table->pools.count; i++)
		upm_strings_unref(table->pools.items[i]);
	upm_vector_clear(&table->probes);
	upm_vector_clear(&table->origins);
	upm_vector_clear(&table->details);
	upm_vector_clear(&table->cookies);
	upm_vector_clear(&table->files);
	upm_vector_clear(&table->texts);
	upm_vector_clear(&table->aliases);
	upm_vector_clear(&table->sites);
	upm_vector_clear(&table->specs);
	upm_vector_clear(&table->pools);
	for (size_t i = 0; i < table->kept.count; i++)
		upm_binary_unref(table->kept.items[i]);
	upm_vector_clear(&table->kept);
	upm_strings_unref(table->strings);
	free(table);
}

struct upm_probe_table *upm_probe_table_copy(const struct upm_probe_table *table)
{
	struct upm_probe_table *copy = upm_probe_table_new();

	if (!copy)
		return NULL;
	if (upm_probe_table_append(copy, table))
		return copy;
	upm_probe_table_unref(copy);
	return NULL;
}

static bool any_cookies(const struct upm_probe_table *table, const struct upm_probe_table *other)
{
	return table->cookies.count || other->cookies.count;
}

static bool reserve_for(struct upm_probe_table *table, const struct upm_probe_table *other)
{
	size_t all = table->probes.count + other->probes.count;

	return upm_vector_reserve(&table->probes, other->probes.count) &&
	       upm_vector_reserve(&table->origins, other->origins.count) &&
	       upm_vector_reserve(&table->details, other->details.count) &&
	       (!any_cookies(table, other) ||
		upm_vector_reserve(&table->cookies, all - table->cookies.count)) &&
	       upm_vector_reserve(&table->files, other->files.count) &&
	       upm_vector_reserve(&table->texts, other->texts.count) &&
	       upm_vector_reserve(&table->aliases, other->aliases.count) &&
	       upm_vector_reserve(&table->sites, other->sites.count) &&
	       upm_vector_reserve(&table->specs, other->specs.count) &&
	       upm_vector_reserve(&table->pools, other->pools.count + 1) &&
	       upm_vector_reserve(&table->kept, other->files.count + other->kept.count);
}

/* Probes of other name their functions by the symbol tables of other's own binaries. */
static void keep_binaries(struct upm_probe_table *table, const struct upm_probe_table *other)
{
	for (size_t i = 0; i < other->files.count; i++)
		if (other->files.items[i].binary)
			table->kept.items[table->kept.count++] =
				upm_binary_ref(other->files.items[i].binary);
	for (size_t i = 0; i < other->kept.count; i++)
		table->kept.items[table->kept.count++] = upm_binary_ref(other->kept.items[i]);
}

/* Where in table the parts of other begin. */
struct shift {
	uint32_t origin, detail, text, alias, site, spec;
	uint32_t *files; /* each file's number in table */
};

static uint32_t shift_name(uint32_t name, uint32_t by)
{
	bool text = name >> UPM_NAME_SYMBOL_BITS == UPM_NAME_OF_TEXT && name != UPM_NAME_NONE;

	return text ? name + by : name;
}

static void append_origins(struct upm_probe_table *table, const struct upm_probe_table *other,
			   const struct shift *by)
{
	for (size_t i = 0; i < other->origins.count; i++) {
		struct upm_probe_origin origin = other->origins.items[i];

		origin.file = by->files[origin.file];
		if (origin.spec != UINT32_MAX)
			origin.spec += by->spec;
		table->origins.items[table->origins.count++] = origin;
	}
}

static void append_details(struct upm_probe_table *table, const struct upm_probe_table *other,
			   const struct shift *by)
{
	for (size_t i = 0; i < other->details.count; i++) {
		struct upm_probe_detail detail = other->details.items[i];

		detail.first_alias += by->alias;
		if (detail.site)
			detail.site += by->site;
		table->details.items[table->details.count++] = detail;
	}
	for (size_t i = 0; i < other->aliases.count; i++)
		table->aliases.items[table->aliases.count++] =
			shift_name(other->aliases.items[i], by->text);
}

static void append_probes(struct upm_probe_table *table, const struct upm_probe_table *other,
			  const struct shift *by)
{
	size_t before = table->probes.count, count = other->probes.count;

	for (size_t i = 0; i < count; i++) {
		struct upm_probe_entry probe = other->probes.items[i];

		probe.name = shift_name(probe.name, by->text);
		probe.origin += by->origin;
		if (probe.detail)
			probe.detail += by->detail;
		table->probes.items[table->probes.count++] = probe;
	}
	if (!any_cookies(table, other))
		return;
	while (table->cookies.count < before)
		table->cookies.items[table->cookies.count++] = 0;
	for (size_t i = 0; i < count; i++)
		table->cookies.items[table->cookies.count++] = upm_probe_cookie(other, i);
}

#define APPEND(table, other, part)                                                                 \
	for (size_t i = 0; i < (other)->part.count; i++)                                           \
	(table)->part.items[(table)->part.count++] = (other)->part.items[i]

/* With room reserved for the worst case, nothing below can fail. */
bool upm_probe_table_append(struct upm_probe_table *table, const struct upm_probe_table *other)
{
	struct shift by = {
		.origin = (uint32_t)table->origins.count,
		.detail = (uint32_t)table->details.count,
		.text = (uint32_t)table->texts.count,
		.alias = (uint32_t)table->aliases.count,
		.site = (uint32_t)table->sites.count,
		.spec = (uint32_t)table->specs.count,
		.files = malloc((other->files.count + 1) * sizeof(*by.files)),
	};

	if (!by.files || !reserve_for(table, other)) {
		free(by.files);
		return false;
	}
	for (size_t i = 0; i < other->files.count; i++)
		upm_probe_table_file(table, other->files.items[i].binary,
				     other->files.items[i].path, &by.files[i]);
	APPEND(table, other, texts);
	APPEND(table, other, sites);
	APPEND(table, other, specs);
	for (size_t i = 0; i < other->pools.count; i++)
		table->pools.items[table->pools.count++] = upm_strings_ref(other->pools.items[i]);
	table->pools.items[table->pools.count++] = upm_strings_ref(other->strings);
	keep_binaries(table, other);
	append_origins(table, other, &by);
	append_details(table, other, &by);
	append_probes(table, other, &by);
	free(by.files);
	return true;
}

static bool same_file(const struct upm_probe_file *file, const struct upm_binary *binary,
		      const char *path)
{
	if (!binary || !file->binary)
		return !binary && !file->binary && strcmp(file->path, path) == 0;
	return file->binary == binary ||
	       (file->binary->device == binary->device && file->binary->inode == binary->inode);
}

int upm_probe_table_file(struct upm_probe_table *table, struct upm_binary *binary, const char *path,
			 uint32_t *index)
{
	for (size_t i = 0; i < table->files.count; i++) {
		if (same_file(&table->files.items[i], binary, path)) {
			*index = (uint32_t)i;
			return UPM_OK;
		}
	}
	if (!upm_vector_push(&table->files, ((struct upm_probe_file){binary, path})))
		return UPM_ERR_MEMORY;
	if (binary)
		upm_binary_ref(binary);
	*index = (uint32_t)(table->files.count - 1);
	return UPM_OK;
}

int upm_probe_table_origin(struct upm_probe_table *table, const struct upm_probe_origin *origin,
			   uint32_t *index)
{
	struct upm_binary *of_file = table->files.items[origin->file].binary;

	*index = (uint32_t)table->origins.count;
	if (!upm_vector_reserve(&table->kept, 1) || !upm_vector_push(&table->origins, *origin))
		return UPM_ERR_MEMORY;
	if (origin->binary && origin->binary != of_file)
		table->kept.items[table->kept.count++] = upm_binary_ref(origin->binary);
	return UPM_OK;
}

const struct upm_probe_detail *upm_probe_detail(const struct upm_probe_table *table,
						const struct upm_probe_entry *probe)
{
	static const struct upm_probe_detail nothing;

	return probe->detail ? &table->details.items[probe->detail - 1] : &nothing;
}

static bool is_empty(const struct upm_probe_detail *detail)
{
	return !detail->ref_ctr_offset && !detail->reason && !detail->symbol_offset &&
	       !detail->alias_count && !detail->site && !detail->remembered;
}

bool upm_probe_table_add(struct upm_probe_table *table, struct upm_probe_entry probe,
			 const struct upm_probe_detail *detail)
{
	if (!upm_vector_reserve(&table->probes, 1))
		return false;
	probe.detail = 0;
	if (detail && !is_empty(detail)) {
		if (!upm_vector_push(&table->details, *detail))
			return false;
		probe.detail = (uint32_t)table->details.count;
	}
	table->probes.items[table->probes.count++] = probe;
	return true;
}

struct upm_probe_detail *upm_probe_table_detail(struct upm_probe_table *table,
						struct upm_probe_entry *probe)
{
	struct upm_probe_detail detail = {0};

	if (probe->detail)
		return &table->details.items[probe->detail - 1];
	if (!upm_vector_push(&table->details, detail))
		return NULL;
	probe->detail = (uint32_t)table->details.count;
	return &table->details.items[probe->detail - 1];
}

int upm_probe_condemn(struct upm_probe_table *table, struct upm_probe_entry *probe, uint8_t verdict,
		      const char *reason)
{
	struct upm_probe_detail *detail = upm_probe_table_detail(table, probe);

	probe->verdict = verdict;
	if (!detail)
		return upm_fail_memory("make probes");
	detail->reason = reason;
	return UPM_OK;
}

/* What a user should know of a probe although it is good. */
static const char *remark_on(const struct upm_probe_entry *probe)
{
	if (probe->verdict != UPM_VERDICT_OK)
		return "";
	if (probe->flags & UPM_PROBE_REPEATS)
		return "it begins with a repeated string instruction: a hit at each repetition, "
		       "not one a call";
	if (probe->flags & UPM_PROBE_UNVERIFIED)
		return "no symbol covers it: that an instruction begins there is not verified";
	return "";
}

const char *upm_probe_reason(const struct upm_probe_table *table,
			     const struct upm_probe_entry *probe)
{
	const char *reason = upm_probe_detail(table, probe)->reason;

	if (reason)
		return reason;
	reason = table->origins.items[probe->origin].remark;
	return reason[0] ? reason : remark_on(probe);
}

/* Call sites are no functions: of what a return probe would do there nobody needs to know. */
static void describe_return(const struct upm_probe_table *table,
			    const struct upm_probe_entry *entry, struct upm_probe *probe)
{
	uint8_t verdict;
	const char *hazard = upm_return_hazard(table, entry, probe->symbol, &verdict);

	if (!hazard)
		return;
	probe->flags |= UPM_PROBE_RETURN_UNSAFE;
	if (entry->kind == UPM_KIND_USDT)
		return;
	probe->return_verdict = verdict;
	probe->return_reason = hazard;
}

void upm_probe_table_describe(const struct upm_probe_table *table, size_t index,
			      struct upm_probe *probe)
{
	const struct upm_probe_entry *entry = &table->probes.items[index];
	const struct upm_probe_origin *origin = &table->origins.items[entry->origin];
	const struct upm_probe_file *file = &table->files.items[origin->file];
	const struct upm_probe_detail *detail = upm_probe_detail(table, entry);
	const struct upm_usdt_site *site = upm_probe_table_site(table, entry);
	struct upm_probe_names names;

	upm_probe_names(table, entry, &names);
	*probe = (struct upm_probe){
		.size = sizeof(*probe),
		.path = file->path,
		.symbol = names.symbol.name,
		.version = names.symbol.version,
		.spec = origin->spec == UINT32_MAX ? "" : table->specs.items[origin->spec],
		.reason = upm_probe_reason(table, entry),
		.offset = entry->offset,
		.site_offset = entry->offset,
		.site_cost = entry->cost,
		.symbol_offset = detail->symbol_offset,
		.symbol_size = upm_probe_symbol_size(entry, &names),
		.ref_ctr_offset = detail->ref_ctr_offset,
		.cookie = upm_probe_cookie(table, index),
		.kind = entry->kind,
		.verdict = entry->verdict,
		.cost = entry->cost,
		.flags = entry->flags,
		.alias_count = names.alias_count,
		.provider = site ? site->provider : "",
		.argument_count = (uint32_t)upm_probe_table_arguments(table, entry, NULL),
		.return_reason = "",
	};
	if (!detail->remembered)
		describe_return(table, entry, probe);
	if (!file->binary || !upm_binary_unwinds(file->binary))
		probe->flags &= ~(uint32_t)UPM_PROBE_UNWINDS;
	if (file->binary)
		upm_binary_address_of(file->binary, entry->offset, &probe->address);
	if (detail->remembered)
		upm_remembered_describe(detail->remembered, probe);
}

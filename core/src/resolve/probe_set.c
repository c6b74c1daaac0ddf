/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The public face of probe tables. A set that shares its table with a link copies it before a
 * change. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/options.h"
#include "resolve/probe_name.h"
#include "resolve/sites.h"

int upm_probe_set_wrap(struct upm_probe_table *table, struct upm_probe_set **out)
{
	struct upm_probe_set *set = malloc(sizeof(*set));

	if (!set)
		return upm_fail_memory("make a probe set");
	set->table = upm_probe_table_ref(table);
	set->sites = NULL;
	*out = set;
	return UPM_OK;
}

static int bad_call(const char *operation, const char *problem)
{
	return upm_fail(UPM_ERR_INVALID, 0, operation, NULL, NULL, "%s", problem);
}

int32_t upm_probe_set_new(struct upm_probe_set **out)
{
	struct upm_probe_table *table;
	int status;

	if (!out)
		return bad_call("make a probe set", "out is NULL");
	table = upm_probe_table_new();
	if (!table)
		return upm_fail_memory("make a probe set");
	status = upm_probe_set_wrap(table, out);
	upm_probe_table_unref(table);
	return status;
}

void upm_probe_set_free(struct upm_probe_set *set)
{
	if (!set)
		return;
	upm_probe_table_unref(set->table);
	upm_sites_unref(set->sites);
	free(set);
}

size_t upm_probe_set_size(const struct upm_probe_set *set)
{
	return set ? set->table->probes.count : 0;
}

size_t upm_probe_set_count_verdict(const struct upm_probe_set *set, int32_t verdict)
{
	size_t count = 0;

	for (size_t i = 0; i < upm_probe_set_size(set); i++)
		count += set->table->probes.items[i].verdict == verdict;
	return count;
}

int32_t upm_probe_set_get(const struct upm_probe_set *set, size_t index, struct upm_probe *probe)
{
	struct upm_probe ours;

	if (!set || index >= set->table->probes.count)
		return upm_fail(UPM_ERR_INVALID, 0, "describe a probe", NULL, NULL,
				"index %zu is not below the size %zu", index,
				upm_probe_set_size(set));
	upm_probe_table_describe(set->table, index, &ours);
	upm_sites_describe(set->sites, index, &ours);
	return upm_options_write(probe, &ours, sizeof(ours), "upm_probe");
}

const char *upm_probe_set_alias(const struct upm_probe_set *set, size_t index, size_t alias)
{
	const struct upm_probe_entry *probe;
	struct upm_probe_names names;

	if (!set || index >= set->table->probes.count)
		return NULL;
	probe = &set->table->probes.items[index];
	upm_probe_names(set->table, probe, &names);
	return alias < names.alias_count ? upm_probe_alias(set->table, probe, &names, alias) : NULL;
}

int upm_probe_set_own(struct upm_probe_set *set)
{
	struct upm_probe_table *copy;

	if (__atomic_load_n(&set->table->references, __ATOMIC_ACQUIRE) == 1)
		return UPM_OK;
	copy = upm_probe_table_copy(set->table);
	if (!copy)
		return upm_fail_memory("change a probe set");
	upm_probe_table_unref(set->table);
	set->table = copy;
	return UPM_OK;
}

int32_t upm_probe_set_cookies(struct upm_probe_set *set, const uint64_t *cookies, size_t count)
{
	int status;

	if (!set || !cookies || count != set->table->probes.count)
		return upm_fail(UPM_ERR_INVALID, 0, "set cookies", NULL, NULL,
				"%zu cookies for %zu probes, or NULL", count,
				upm_probe_set_size(set));
	status = upm_probe_set_own(set);
	if (status)
		return status;
	set->table->cookies.count = 0;
	if (!upm_vector_reserve(&set->table->cookies, count))
		return upm_fail_memory("set cookies");
	memcpy(set->table->cookies.items, cookies, count * sizeof(*cookies));
	set->table->cookies.count = count;
	return UPM_OK;
}

/* The rest of table is that of from already. */
static bool take_selected(struct upm_probe_table *table, const struct upm_probe_table *from,
			  const size_t *indexes, size_t count)
{
	bool cookies = from->cookies.count != 0;

	table->probes.count = table->cookies.count = 0;
	if (!upm_vector_reserve(&table->probes, count) ||
	    (cookies && !upm_vector_reserve(&table->cookies, count)))
		return false;
	for (size_t i = 0; i < count; i++)
		table->probes.items[table->probes.count++] = from->probes.items[indexes[i]];
	for (size_t i = 0; i < count && cookies; i++)
		table->cookies.items[table->cookies.count++] = from->cookies.items[indexes[i]];
	return true;
}

int32_t upm_probe_set_select(const struct upm_probe_set *set, const size_t *indexes, size_t count,
			     struct upm_probe_set **out)
{
	struct upm_probe_table *table;
	int status;

	if (!set || (!indexes && count) || !out)
		return bad_call("select probes", "an argument is NULL");
	for (size_t i = 0; i < count; i++)
		if (indexes[i] >= set->table->probes.count)
			return upm_fail(UPM_ERR_INVALID, 0, "select probes", NULL, NULL,
					"index %zu is not below the size %zu", indexes[i],
					set->table->probes.count);
	table = upm_probe_table_copy(set->table);
	if (!table)
		return upm_fail_memory("select probes");
	if (!take_selected(table, set->table, indexes, count)) {
		upm_probe_table_unref(table);
		return upm_fail_memory("select probes");
	}
	status = upm_probe_set_wrap(table, out);
	upm_probe_table_unref(table);
	if (status || upm_sites_select(set->sites, indexes, count, &(*out)->sites))
		return status;
	upm_probe_set_free(*out);
	return upm_fail_memory("select probes");
}

int32_t upm_probe_set_join(struct upm_probe_set *set, const struct upm_probe_set *other)
{
	struct upm_sites *sites;
	int status;

	if (!set || !other || set == other)
		return bad_call("join probe sets", "an argument is NULL, or both are the same set");
	if (!upm_sites_join(set->sites, set->table->probes.count, other->sites,
			    other->table->probes.count, &sites))
		return upm_fail_memory("join probe sets");
	status = upm_probe_set_own(set);
	if (!status && !upm_probe_table_append(set->table, other->table))
		status = upm_fail_memory("join probe sets");
	if (status) {
		upm_sites_unref(sites);
		return status;
	}
	upm_sites_unref(set->sites);
	set->sites = sites;
	return UPM_OK;
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "resolve/sites.h"

#include <stdlib.h>

struct upm_sites *upm_sites_new(size_t count)
{
	struct upm_sites *sites = calloc(1, sizeof(*sites) + count);

	if (!sites)
		return NULL;
	sites->references = 1;
	sites->count = count;
	return sites;
}

struct upm_sites *upm_sites_ref(struct upm_sites *sites)
{
	if (sites)
		__atomic_add_fetch(&sites->references, 1, __ATOMIC_RELAXED);
	return sites;
}

void upm_sites_unref(struct upm_sites *sites)
{
	if (sites && __atomic_sub_fetch(&sites->references, 1, __ATOMIC_ACQ_REL) == 0)
		free(sites);
}

/* The distance, or what stands in its stead. */
static uint8_t entry_of(const struct upm_sites *sites, size_t index)
{
	return sites && index < sites->count ? sites->distances[index] : 0;
}

bool upm_sites_select(const struct upm_sites *sites, const size_t *indexes, size_t count,
		      struct upm_sites **out)
{
	*out = sites ? upm_sites_new(count) : NULL;
	for (size_t i = 0; *out && i < count; i++)
		(*out)->distances[i] = entry_of(sites, indexes[i]);
	return *out || !sites;
}

bool upm_sites_join(const struct upm_sites *one, size_t before, const struct upm_sites *other,
		    size_t count, struct upm_sites **out)
{
	*out = one || other ? upm_sites_new(before + count) : NULL;
	for (size_t i = 0; *out && i < before + count; i++)
		(*out)->distances[i] = i < before ? entry_of(one, i) : entry_of(other, i - before);
	return *out || !(one || other);
}

static void explain(uint8_t entry, struct upm_probe *probe)
{
	if (*probe->reason)
		return;
	if (entry == UPM_SITE_TOO_MUCH)
		probe->reason = "hit at its entry: to prove a cheaper place in this file would "
				"take too long";
	if (entry == UPM_SITE_NO_MEMORY)
		probe->reason = "hit at its entry: there is too little memory to look for a "
				"cheaper place in this file";
}

void upm_sites_describe(const struct upm_sites *sites, size_t index, struct upm_probe *probe)
{
	uint8_t distance = upm_site_distance(sites, index);

	explain(entry_of(sites, index), probe);
	if (!distance)
		return;
	probe->site_offset = probe->offset + distance;
	probe->site_cost = UPM_COST_EMULATED;
}

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

bool upm_sites_select(const struct upm_sites *sites, const size_t *indexes, size_t count,
		      struct upm_sites **out)
{
	*out = sites ? upm_sites_new(count) : NULL;
	for (size_t i = 0; *out && i < count; i++)
		(*out)->distances[i] = upm_site_distance(sites, indexes[i]);
	return *out || !sites;
}

bool upm_sites_join(const struct upm_sites *one, size_t before, const struct upm_sites *other,
		    size_t count, struct upm_sites **out)
{
	*out = one || other ? upm_sites_new(before + count) : NULL;
	for (size_t i = 0; *out && i < before + count; i++)
		(*out)->distances[i] = i < before ? upm_site_distance(one, i)
						  : upm_site_distance(other, i - before);
	return *out || !(one || other);
}

void upm_sites_describe(const struct upm_sites *sites, size_t index, struct upm_probe *probe)
{
	uint8_t distance = upm_site_distance(sites, index);

	if (!distance)
		return;
	probe->site_offset = probe->offset + distance;
	probe->site_cost = UPM_COST_EMULATED;
}

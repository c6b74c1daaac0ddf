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

void upm_sites_describe(const struct upm_sites *sites, size_t index, struct upm_probe *probe)
{
	uint8_t distance = upm_site_distance(sites, index);

	if (!distance)
		return;
	probe->site_offset = probe->offset + distance;
	probe->site_cost = UPM_COST_EMULATED;
}

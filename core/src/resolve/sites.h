/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Where probes are hit, as far as that is not where they were asked for: place/ finds these sites.
 * A byte for each probe of a table, shared by whoever attaches it; probes that were added since
 * have none.
 */
#ifndef UPM_RESOLVE_SITES_H
#define UPM_RESOLVE_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uprobe_multi.h"

struct upm_sites {
	unsigned references;
	size_t count;
	uint8_t distances[]; /* bytes from a probe's offset to its site; 0 = there; or: */
};

/* The probe is hit where it was asked for, since looking for another site was given up. */
enum {
	UPM_SITE_FARTHEST = 253,
	UPM_SITE_TOO_MUCH = 254, /* its file asks for too much work */
	UPM_SITE_NO_MEMORY = 255
};

/** @return sites of one reference, all where the probes are; NULL when out of memory. */
struct upm_sites *upm_sites_new(size_t count);
/** @return sites, with one more reference; NULL is taken. */
struct upm_sites *upm_sites_ref(struct upm_sites *sites);
void upm_sites_unref(struct upm_sites *sites);
/** Sites of the probes at these positions; *out is NULL without any. @return false = no memory */
bool upm_sites_select(const struct upm_sites *sites, const size_t *indexes, size_t count,
		      struct upm_sites **out);
/** Sites of `before` probes, followed by those of count others. @return false = no memory */
bool upm_sites_join(const struct upm_sites *one, size_t before, const struct upm_sites *other,
		    size_t count, struct upm_sites **out);
/** Fill in what a probe's site changes in its description. */
void upm_sites_describe(const struct upm_sites *sites, size_t index, struct upm_probe *probe);

/** @return bytes from probe number index to its site. */
static inline uint8_t upm_site_distance(const struct upm_sites *sites, size_t index)
{
	uint8_t distance = sites && index < sites->count ? sites->distances[index] : 0;

	return distance <= UPM_SITE_FARTHEST ? distance : 0;
}

#endif

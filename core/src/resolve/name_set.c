/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "resolve/name_set.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 64

static uint64_t hash_of(const char *name)
{
	uint64_t hash = 0;

	for (; *name; name++)
		hash = (hash + (uint8_t)*name) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 32;
}

/* The slot that a name has, or would have. */
static const char **slot_of(const struct upm_name_set *set, const char *name)
{
	size_t at = hash_of(name) & (set->slot_count - 1);

	while (set->slots[at] && strcmp(set->slots[at], name) != 0)
		at = (at + 1) & (set->slot_count - 1);
	return &set->slots[at];
}

/* At most half of the slots are used. */
static bool make_slots(struct upm_name_set *set)
{
	struct upm_name_set larger = {
		.count = set->count,
		.slot_count = set->slot_count ? set->slot_count * 2 : FIRST_SLOTS,
	};

	if (set->count * 2 < set->slot_count)
		return true;
	larger.slots = calloc(larger.slot_count, sizeof(*larger.slots));
	if (!larger.slots)
		return false;
	for (size_t i = 0; i < set->slot_count; i++)
		if (set->slots[i])
			*slot_of(&larger, set->slots[i]) = set->slots[i];
	free(set->slots);
	*set = larger;
	return true;
}

bool upm_name_set_add(struct upm_name_set *set, const char *name, bool *added)
{
	const char **slot;

	if (!make_slots(set))
		return false;
	slot = slot_of(set, name);
	*added = !*slot;
	if (*added) {
		*slot = name;
		set->count++;
	}
	return true;
}

void upm_name_set_clear(struct upm_name_set *set)
{
	free(set->slots);
	*set = (struct upm_name_set){0};
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Names, each once: for points that have thousands of them. */
#ifndef UPM_RESOLVE_NAME_SET_H
#define UPM_RESOLVE_NAME_SET_H

#include <stdbool.h>
#include <stddef.h>

/* All zero is an empty one. */
struct upm_name_set {
	const char **slots; /* NULL = free */
	size_t count, slot_count;
};

/**
 * Add a name, which has to stay where it is as long as the set does.
 * @param added  receives whether it was not there before
 * @return false when out of memory
 */
bool upm_name_set_add(struct upm_name_set *set, const char *name, bool *added);
/** Free it; it is empty then. */
void upm_name_set_clear(struct upm_name_set *set);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Room for open descriptors. */
#ifndef UPM_BASE_DESCRIPTORS_H
#define UPM_BASE_DESCRIPTORS_H

#include <stdbool.h>
#include <sys/resource.h>

/**
 * Raise the soft limit as far as need be, at most to the hard one.
 * @param wanted  descriptors to be opened, beside those that are open already
 * @param limit   receives the limits that hold now
 * @return whether there is room for so many. Nothing is kept for the caller: what another thread
 * opens meanwhile is missing, and EMFILE then a reason to ask once more
 */
bool upm_descriptors_reserve(rlim_t wanted, struct rlimit *limit);

#endif

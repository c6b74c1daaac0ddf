/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Shadow stacks of user space (CET). A kernel that emulates a call pushes the return address; not
 * all of them push it to the shadow stack too, and the program then ends at the return.
 */
#ifndef UPM_PLACE_SHADOW_STACKS_H
#define UPM_PLACE_SHADOW_STACKS_H

#include <stdbool.h>

/** @return whether programs may have shadow stacks here, or that is not known. */
bool upm_has_shadow_stacks(void);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Which build of this library answers: two of one version may judge differently. */
#ifndef UPM_INDEX_SELF_H
#define UPM_INDEX_SELF_H

#include <stdbool.h>
#include <stdint.h>

#define UPM_SELF_ID_SIZE 20

/** The build-id of the program or library that this code is in, cut or filled with 0.
 * @return false when it has none */
bool upm_self_id(uint8_t id[UPM_SELF_ID_SIZE]);

#endif

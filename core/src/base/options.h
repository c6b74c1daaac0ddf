/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Reading sized structures of callers older or newer than this library. */
#ifndef UPM_BASE_OPTIONS_H
#define UPM_BASE_OPTIONS_H

#include <stddef.h>

/**
 * Copy a caller's options into the library's structure; what the caller's lacks stays 0.
 * @param name  of the structure, for the error
 * @return UPM_OK; UPM_ERR_INVALID when size is too small to be one, or a field
 *         that this library does not know is set.
 */
int upm_options_read(void *ours, size_t our_size, const void *theirs, const char *name);

/** Copy a filled structure out, as far as the caller's size field allows. */
int upm_options_write(void *theirs, const void *ours, size_t our_size, const char *name);

#endif

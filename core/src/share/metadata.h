/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The record of an observer as a BPF array, cut into elements. */
#ifndef UPM_SHARE_METADATA_H
#define UPM_SHARE_METADATA_H

#include "base/bytes.h"
#include "share/record.h"

/** Make a map of the bytes, which nobody can change any more. @return UPM_OK or the error */
int upm_metadata_make(const struct upm_bytes *bytes, int *map_fd);
/** Read the header alone. @return as upm_share_read_header() */
int upm_metadata_header(int map_fd, const char *name, struct upm_share_header *header);
/**
 * Read the bytes.
 * @param bytes  free() it
 * @return as upm_share_read_header(), or UPM_ERR_MEMORY
 */
int upm_metadata_read(int map_fd, const char *name, uint8_t **bytes, size_t *size);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Where the index lies: a folder of the caller's own. */
#ifndef UPM_INDEX_FOLDER_H
#define UPM_INDEX_FOLDER_H

#include "index/index.h"

#define UPM_INDEX_NAME_SIZE 32

/**
 * Open the folder.
 * @param create  make it where it is missing
 * @return a descriptor to close, or -1: none is wanted, or it is not the caller's alone
 */
int upm_index_folder(bool create);
/** The name of an answer within it. */
void upm_index_name(const struct upm_index_key *key, char name[UPM_INDEX_NAME_SIZE]);
/** @return whether an open folder or file is the caller's and closed to others. */
bool upm_index_is_ours(int fd, uint32_t type);
/** Remove what was not used for longest until the folder is small enough, and what was left
 * unfinished. */
void upm_index_trim(int folder);

#endif

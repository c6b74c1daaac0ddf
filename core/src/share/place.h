/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Where the pins of an observer lie: a directory of mode 0700, with
 *
 *     links/0, 1, …   the kernel links
 *     filter/fork, exit, lost   where processes are selected by the program: its tracepoints, and
 *                     the number of children that were too many
 *     maps/NAME       what a reader needs, named as in the program, without the dot of .rodata
 *     meta            the rest: see record.h
 *
 * It is made under a name that begins with '~', and gets its true one when all is there: so a
 * name is never half of an observer, and of two who take one at the same time one gets
 * EEXIST. Removing goes the other way. What a process leaves that is killed meanwhile keeps its
 * '~' and can be removed by that name.
 */
#ifndef UPM_SHARE_PLACE_H
#define UPM_SHARE_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "attach/pins.h"

#define UPM_SHARE_UNFINISHED '~'

struct upm_place_of_pins {
	char parent[PATH_MAX];
	char path[PATH_MAX];
	const char *name;  /* the last part of path */
	bool in_directory; /* parent is UPM_PIN_DIRECTORY */
};

/** Find the place that a name stands for. @return UPM_OK or UPM_ERR_INVALID */
int upm_share_place(const char *operation, const char *name, struct upm_place_of_pins *place);
/** Choose an unfinished name in the same parent. @return false when the path would be too long */
bool upm_share_unfinished(const struct upm_place_of_pins *place, char path[PATH_MAX]);
/** Rename, unless the new name is taken. Not every C library has renameat2(2). @return 0, or -1
 * with errno */
int upm_share_rename(int directory, const char *from, const char *to);
/** Make UPM_PIN_DIRECTORY if need be. @return UPM_OK; UPM_ERR_NOT_FOUND without bpffs */
int upm_share_prepare(const char *operation, const struct upm_place_of_pins *place);
/** Remove UPM_PIN_DIRECTORY if it is empty and the caller's. */
void upm_share_tidy(const struct upm_place_of_pins *place);
/**
 * Open UPM_PIN_DIRECTORY. Where all may write to the file system above, anybody can have made it:
 * only the caller's and root's are trusted.
 * @param flags  O_PATH, or O_RDONLY to read it
 * @param fd     receives -1 when there is none
 * @return UPM_OK; UPM_ERR_PERMISSION for somebody else's; another error
 */
int upm_share_open_usual(const char *operation, int flags, int *fd);
/**
 * Open the directory that a place lies in.
 * @return UPM_OK; UPM_ERR_NOT_FOUND, also where no BPF file system is; UPM_ERR_PERMISSION
 */
int upm_share_open_parent(const char *operation, const struct upm_place_of_pins *place, int *fd);
/** Open the place, below what upm_share_open_parent() gave. @return the same */
int upm_share_open_place(const char *operation, const struct upm_place_of_pins *place, int parent,
			 struct upm_pins *pins);
/** Record why a call on path failed. @return the status */
int upm_share_fail(const char *operation, const char *path, int sys_errno, const char *what);
/**
 * Remove all pins of an observer, and its directory.
 * @param parent  what the directory lies in, under this name
 * @return whether it is gone, else errno says why not
 */
bool upm_share_remove(const struct upm_pins *pins, int parent, const char *name);

#endif

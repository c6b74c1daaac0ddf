/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What a process maps, from /proc/PID, and its thread group. */
#ifndef UPM_LOCATE_PROCESS_H
#define UPM_LOCATE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/vector.h"

struct upm_mapping {
	uint64_t start, end; /* virtual addresses in the process */
	uint64_t offset;     /* in the file */
	dev_t device;
	ino_t inode;
	bool executable;
	bool deleted; /* the kernel shows the path with " (deleted)" */
	char *path;   /* without " (deleted)"; "" for anonymous, "[vdso]" and such as they are */
};

struct upm_mappings {
	UPM_VECTOR(struct upm_mapping) list;
};

/** Thread group (process id) of a process or thread id. UPM_ERR_NOT_FOUND names the id. */
int upm_process_group(int32_t pid, int32_t *tgid);
/** *alive is false when the thread-group leader has exited while other threads live on. */
int upm_process_leader_alive(int32_t tgid, bool *alive);
/** @return a thread of the process whose /proc directory can be read; 0 when all have exited. */
int32_t upm_process_living_thread(int32_t tgid);
/** Read /proc/PID/maps. UPM_ERR_NOT_FOUND, UPM_ERR_PERMISSION, UPM_ERR_MEMORY. */
int upm_process_mappings(int32_t pid, struct upm_mappings *out);
/** What the lines of such a file say, until it ends or can not be read. UPM_ERR_MEMORY: what was
 * read so far is there, to be cleared. */
int upm_mappings_read(FILE *file, struct upm_mappings *out);
void upm_mappings_clear(struct upm_mappings *mappings);
/**
 * Open the very file behind a mapping: map_files, as long as it still is what is mapped there;
 * else, if device and inode agree, the path below the process's root (openat2 RESOLVE_IN_ROOT), or
 * below ours (it may have ended).
 * @return a descriptor, or a negative upm_status
 */
int upm_process_open_mapping(int32_t pid, const struct upm_mapping *mapping);
/** @return true when the mapping is of this file, also where maps and stat differ (overlayfs,
 * btrfs). */
bool upm_process_maps_file(int32_t pid, const struct upm_mapping *mapping, dev_t device,
			   ino_t inode);
/** Open a path as the process sees it, without leaving its root by a symlink. @return as above */
int upm_process_open_path(int32_t pid, const char *path);
/** Record a failure about a process; ESRCH gives UPM_ERR_NOT_FOUND. */
int upm_fail_process(int32_t pid, int sys_errno, const char *message);

#endif

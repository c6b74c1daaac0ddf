/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * From the BINARY part of a spec to opened files: a path, a glob of paths, a
 * library name, a command on PATH, or `*`, seen from this process, from other
 * processes (their mount namespace, their mappings, also of deleted files), or
 * from a program that is about to run (its DT_NEEDED closure).
 */
#ifndef UPM_LOCATE_LOCATE_H
#define UPM_LOCATE_LOCATE_H

#include "binary/binary.h"

struct upm_location {
	struct upm_binary *binary; /* NULL when it can not be used */
	char *path;		   /* for a person */
	char *reason;		   /* why it can not be used, or a remark; may be NULL */
	int32_t verdict;	   /* UPM_VERDICT_OK, …_UNREADABLE, …_REPLACED, …_NO_MATCH */
	int32_t pid;		   /* a process that maps it; 0 = none known */
};

struct upm_locations {
	UPM_VECTOR(struct upm_location) list; /* one per device and inode, in a stable order */
};

struct upm_locator; /* keeps the files opened so far: one per device and inode */

/**
 * @param pids     process or thread ids; may be NULL with pid_count 0
 * @param program  an executable about to run; may be NULL
 * @return UPM_OK; UPM_ERR_NOT_FOUND for a process that does not exist; UPM_ERR_PERMISSION
 */
int upm_locator_open(const int32_t *pids, size_t pid_count, const char *program,
		     struct upm_locator **out);
/**
 * Find the files that name stands for. Finding none is no error: one location
 * with UPM_VERDICT_UNREADABLE or UPM_VERDICT_NO_MATCH and a reason that says where it was looked
 * for.
 */
int upm_locate(struct upm_locator *locator, const char *name, struct upm_locations *out);
/** A remark for the user that names the process when pids were given; see upm_location.reason. */
void upm_locations_clear(struct upm_locations *locations);
void upm_locator_close(struct upm_locator *locator);

#endif

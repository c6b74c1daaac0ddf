/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Many files of ten functions each, for tests of links over many files. */
#ifndef UPM_TESTS_TEN_TARGET_H
#define UPM_TESTS_TEN_TARGET_H

#include "live_target.h"

#include <limits.h>

#define TEN_FUNCTIONS 10 /* ten_0 ... in each file */
#define TEN_MOST 1000	 /* files */

/** Whether a link of this kernel takes probes of many files. */
bool has_paths(void);

/** Leave a test where it does not. */
#define skip_without_paths()                                                                       \
	do {                                                                                       \
		if (!has_paths())                                                                  \
			skip_because("this kernel's links take one file each");                    \
	} while (0)

/** Make and remove the files: set-up and tear-down of a group of tests. */
int ten_make(void **state);
int ten_remove(void **state);
/** The path of a file. @return path */
const char *ten_path(size_t file, char path[PATH_MAX]);
/** Make a file that was removed. */
void ten_restore(size_t file);
/** A spec for each of the first so many files; all their functions. kind as "uprobe". */
struct upm_probe_set *ten_resolve(size_t files, const char *kind);
/** Have the first so many files in this process, and no more. */
void ten_load(size_t files);
void ten_unload(size_t files);
/** Call each function of the first so many loaded files, one to three times. */
void ten_call(size_t files);
/** Each probe of ten_resolve() had the hits of one ten_call(). */
void ten_assert_hits(const struct upm_observer *observer, size_t files);

#endif

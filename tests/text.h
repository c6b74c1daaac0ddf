/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Is the code of a process what its files have? */
#ifndef UPM_TESTS_TEXT_H
#define UPM_TESTS_TEXT_H

#include <stddef.h>
#include <sys/types.h>

/** In the paths of the programs and libraries that tests build to be observed. */
#define TARGET_FILES "/target/"

/**
 * Compare the executable mappings of those files whose path contains a text.
 * @return bytes that differ; a file that is not mapped has none
 */
size_t text_differences(pid_t pid, const char *path_contains);
/** Wait until none differ, five minutes at most. @return those that do */
size_t text_settles(pid_t pid, const char *path_contains);

#endif

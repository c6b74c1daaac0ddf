/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Where the dynamic loader would find a library, in a given view of the file system. */
#ifndef UPM_LOCATE_LIBRARY_H
#define UPM_LOCATE_LIBRARY_H

#include "binary/binary.h"
#include "locate/view.h"

struct upm_library_search;

/** A file that a name stands for; fd becomes the callee's. @return UPM_OK or UPM_ERR_MEMORY. */
typedef int (*upm_library_fn)(int fd, const char *path, void *context);

/** @param view  must outlive the search */
int upm_library_search_new(const struct upm_view *view, struct upm_library_search **out);
void upm_library_search_free(struct upm_library_search *search);

/**
 * Find a library in the loader's order: DT_RPATH, LD_LIBRARY_PATH, DT_RUNPATH, ld.so.cache,
 * default directories. A name ends the search at the first place that has it; a
 * glob takes all places. Several files of one place (variants for newer CPUs) are
 * all visited, since any of them may be loaded.
 * @param needer  the file whose DT_RPATH and DT_RUNPATH count; NULL = none
 * @param found   receives how many files were visited
 */
int upm_library_find(struct upm_library_search *search, const char *name,
		     const struct upm_binary *needer, upm_library_fn visit, void *context,
		     size_t *found);
/** Find a command in the directories of PATH, as upm_library_find(). */
int upm_command_find(const struct upm_view *view, const char *name, upm_library_fn visit,
		     void *context, size_t *found);

#endif

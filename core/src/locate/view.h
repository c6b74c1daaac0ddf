/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * A file system as somebody sees it: this process, or another one in its own root
 * and mount namespace. In another's view no symlink leads out of its root.
 */
#ifndef UPM_LOCATE_VIEW_H
#define UPM_LOCATE_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/vector.h"

struct upm_view {
	int32_t pid;	   /* 0 = this process */
	int32_t directory; /* the thread whose /proc directory stands for pid */
	int root;	   /* its root, or -1 when that is ours too */
};

struct upm_paths {
	UPM_VECTOR(char *) list;
};

/** @param pid  thread group; 0 = this process. @return UPM_OK, UPM_ERR_NOT_FOUND, …_PERMISSION. */
int upm_view_open(struct upm_view *view, int32_t pid);
void upm_view_close(struct upm_view *view);

/** Open a file for reading, as base/regular.h does. @return a descriptor, or a negative upm_status
 * with the error recorded. */
int upm_view_open_file(const struct upm_view *view, const char *path);
/** As upm_view_open_file(), without recording: for trying. @return a descriptor or -errno. */
int upm_view_try(const struct upm_view *view, const char *path);
/** The same with flags of open(2), O_CLOEXEC added. */
int upm_view_try_flags(const struct upm_view *view, const char *path, int flags);
/** All paths that fit a pattern, as by glob(3), sorted; none when nothing does. Give them to
 * upm_paths_clear(). @return UPM_OK or UPM_ERR_MEMORY */
int upm_view_glob(const struct upm_view *view, const char *pattern, struct upm_paths *paths);
void upm_paths_clear(struct upm_paths *paths);
/** Read a file into memory, with a NUL behind. @return free() it, or NULL. */
char *upm_view_read(const struct upm_view *view, const char *path, size_t limit, size_t *size);
/** The value of an environment variable. @return free() it, or NULL when it is not set. */
char *upm_view_environment(const struct upm_view *view, const char *name);
/** A path that may be relative made absolute. @return free() it, or NULL. */
char *upm_view_absolute(const struct upm_view *view, const char *path);
/** The path of an open file as /proc/PID/maps would show it to us. @return free() it, or NULL. */
char *upm_path_of_fd(int fd);

#endif

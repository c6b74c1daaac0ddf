/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Directories of a BPF file system that hold pins: how these are made, found and taken away. */
#ifndef UPM_ATTACH_PINS_H
#define UPM_ATTACH_PINS_H

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>

#include "attach/link.h"

/* Where mounting is missing. */
#define UPM_MOUNT_HINT "mount one (mount -t bpf bpf /sys/fs/bpf) and name a path below it"

/*
 * A directory of pins that is open. Whoever may write to a BPF file system can put symbolic links
 * there and exchange directories at any moment. So what lies in one is reached and removed through
 * the descriptor alone; the path is for errors.
 */
struct upm_pins {
	int fd; /* a negative errno when it is not open */
	char path[PATH_MAX];
};

/** The path of a pin; of one that is too long "", which the kernel refuses. */
void upm_pins_path(char out[PATH_MAX], const char *directory, const char *name);
/** @return whether path exists and lies in a BPF file system. */
bool upm_pins_possible(const char *path);
/** @return whether a descriptor is of a BPF file system; errno is 0 where it is of another one. */
bool upm_pins_possible_at(int fd);
/** Pin any BPF object. @return UPM_OK or the error */
int upm_pins_add(const char *operation, int fd, const char *path);
/** Pin the kernel links of a link as "0", "1", …; on error the first ones stay. */
int upm_pins_add_link(const char *operation, const struct upm_link *link, const char *directory);
/**
 * Open a directory of pins: one of a BPF file system, and not behind a symbolic link.
 * @param above  what name lies in; NULL = name is a path
 * @return 0; -ENOTDIR, also for a symbolic link; -EXDEV in another file system; a negative errno
 */
int upm_pins_enter(struct upm_pins *pins, const struct upm_pins *above, const char *name);
void upm_pins_leave(const struct upm_pins *pins);
/** Open any pin, unless it is a symbolic link. @return UPM_OK with its descriptor, or the error */
int upm_pins_open(const char *operation, const struct upm_pins *pins, const char *name, int *fd);
/** Open pin number index of a link. @return UPM_OK or the error */
int upm_pins_open_number(const char *operation, const struct upm_pins *pins, size_t index, int *fd);
/** @return whether there is, or may be, anything of this name; a symbolic link is, too. */
bool upm_pins_has(const struct upm_pins *pins, const char *name);
/** @return whether the name is one that upm_pins_add_link() gives. */
bool upm_pins_is_number(const char *name);
/** List the directory: closedir() it. @return NULL with errno */
DIR *upm_pins_read(const struct upm_pins *pins);
/** @return the next entry; NULL at the end, with errno 0, and in error, with the error's. */
const struct dirent *upm_pins_next(DIR *opened);
/** @return number of pins of a link, or a negative errno. */
long upm_pins_count(const struct upm_pins *pins);
/**
 * Take away the pins of a directory, as far as it can be done. The links that nobody else holds
 * have ended on return; those of perf events end in a process of their own: see
 * upm_shelter_close_behind().
 * @param mine  says which names to take; NULL = all
 * @return 0, or the negative errno for which the directory could not be read
 */
int upm_pins_remove(const struct upm_pins *pins, bool (*mine)(const char *name));
/** Take away one pin. */
void upm_pins_remove_one(const struct upm_pins *pins, const char *name);

#endif

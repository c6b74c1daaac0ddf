/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Directories of a BPF file system that hold pins: how these are made, found and taken away. */
#ifndef UPM_ATTACH_PINS_H
#define UPM_ATTACH_PINS_H

#include <limits.h>
#include <stdbool.h>

#include "attach/link.h"

/* Where mounting is missing. */
#define UPM_MOUNT_HINT "mount one (mount -t bpf bpf /sys/fs/bpf) and name a path below it"

/** The path of a pin; one that is cut for its length is refused by the kernel. */
void upm_pins_path(char out[PATH_MAX], const char *directory, const char *name);
/** @return whether path exists and lies in a BPF file system. */
bool upm_pins_possible(const char *path);
/** Pin any BPF object. @return UPM_OK or the error */
int upm_pins_add(const char *operation, int fd, const char *path);
/** Pin the kernel links of a link as "0", "1", …; on error the first ones stay. */
int upm_pins_add_link(const char *operation, const struct upm_link *link, const char *directory);
/** Open any pin. @return UPM_OK with its descriptor, or the error */
int upm_pins_open(const char *operation, const char *path, int *fd);
/** Open pin number index of a link. @return UPM_OK or the error */
int upm_pins_open_number(const char *operation, const char *directory, size_t index, int *fd);
/** @return whether the name is one that upm_pins_add_link() gives. */
bool upm_pins_is_number(const char *name);
/** @return number of pins of a link, or a negative errno. */
long upm_pins_count(const char *directory);
/**
 * Take away the pins of a directory, as far as it can be done, and the directory once it is
 * empty. The links that nobody else holds have ended on return; those of perf events end in a
 * process of their own: see upm_shelter_close_behind().
 * @param mine  says which names to take; NULL = all
 * @return 0, or the negative errno for which the directory could not be read
 */
int upm_pins_remove(const char *directory, bool (*mine)(const char *name));
/** Take away one pin. */
void upm_pins_remove_one(const char *path);

#endif

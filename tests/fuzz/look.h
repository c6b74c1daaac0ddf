/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* To read all that a parser has handed out, so that sanitizers see what is not there. */
#ifndef UPM_TESTS_FUZZ_LOOK_H
#define UPM_TESTS_FUZZ_LOOK_H

#include "uprobe_multi.h"

void look(const char *text);
void look_at_bytes(const void *bytes, size_t size);
/** Every probe with its aliases and arguments. */
void look_at_set(const struct upm_probe_set *set);
/** Resolve all functions, returns and USDT probes of a file, find their sites, and look. The
 *  descriptor is closed. */
void look_at_file(int fd);

#endif

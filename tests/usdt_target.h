/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The target of USDT tests, and whether a program read from it what it passes. */
#ifndef UPM_TESTS_USDT_TARGET_H
#define UPM_TESTS_USDT_TARGET_H

#include "live_target.h"

#include "bpf/usdt_result.h"

/** The builds of the target: each compiler at each level, and one that is not
 * position-independent; NULL-terminated. */
extern const char *const usdt_builds[];

/** @return path of a build; static buffer of its own. */
const char *usdt_path(const char *build);
/** Start a build of the target. */
void usdt_start(struct target *target, const char *build);
/** Resolve "usdt:BUILD:PROVIDER:NAME" in the view of a process, or with pid 0 in our own. */
struct upm_probe_set *usdt_resolve(const char *build, const char *place, int32_t pid);
/** The same in any file, "usdt:PATH:PROVIDER:NAME". */
struct upm_probe_set *usdt_resolve_in(const char *path, const char *place, int32_t pid);
/** Have every probe of the target hit once. */
void usdt_fire(struct target *target, int round);
/** Wait until the semaphore of forms:many has this value. */
void usdt_await_semaphore(struct target *target, int value);
/** The results of a program for the probe of this number. */
struct usdt_result usdt_result_of(int results_fd, uint32_t probe);

/** Whether the program's reader can read an argument that the note has as this text. */
typedef bool (*usdt_reads_fn)(const char *text);
/**
 * Check the results of set (usdt:BUILD:*:*) after so many rounds, of which the last was this one:
 * each probe hit once a round, values read equal to the values passed.
 * @return how many arguments could not be read and were reported so
 */
size_t usdt_check(const struct upm_probe_set *set, int results_fd, int rounds, int last_round,
		  usdt_reads_fn reads);

#endif

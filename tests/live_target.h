/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The shared test target as a live process, and what live tests of the attach ask again and again.
 */
#ifndef UPM_TESTS_LIVE_TARGET_H
#define UPM_TESTS_LIVE_TARGET_H

#include "support.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/types.h>

#define KNOWN_COUNT 1000 /* known_0000 … in the program, shared_0000 … in libknown.so */

struct target {
	pid_t pid;
	FILE *commands, *answers;
	char answer[512];
};

/** Start build/target/known and wait until it is ready. */
void target_start(struct target *target);
/** Start another program that says "ready PID" and obeys lines. */
void target_start_program(struct target *target, const char *path);
/** Start a program with arguments, NULL-terminated; it need not say anything. */
void target_start_command(struct target *target, const char *const *command);
/** Send a command without waiting for its answer. */
void target_send(struct target *target, const char *command);
/** @return the next answer, without its newline; lives until the next one. */
const char *target_answer(struct target *target);
/** Send a command and check its answer. */
void target_expect(struct target *target, const char *command, const char *answer);
/** End it, and check that it was still well. */
void target_stop(struct target *target);

/** Resolve one spec "known:PATTERN" of the target's program; kind as "uprobe" or "uretprobe". */
struct upm_probe_set *resolve_known(const char *kind, const char *pattern);
/** Options limited to one process; pid must live as long as the options. */
struct upm_attach_options options_for(const int32_t *pid);
/** Every probe has had exactly so many hits. */
void assert_hits(const struct upm_observer *observer, size_t probes, uint64_t each);
uint64_t total_hits(const struct upm_observer *observer, size_t probes);
/** Whether this kernel has multi links, and whether it has sessions. */
bool has_multi(void);
bool has_sessions(void);
/** Leave a test that is about multi links where the kernel has none. */
#define skip_without_multi()                                                                       \
	do {                                                                                       \
		if (!has_multi())                                                                  \
			skip_because("this kernel has no uprobe multi links");                     \
	} while (0)

/**
 * How many of the known_ functions a test is to take that wants many, and that many of them.
 * All, unless the environment has UPM_TEST_SCALE=10 or 100: a tenth, a hundredth, for machines
 * on which a probe costs much more than here (emulated ones, perf events).
 */
size_t many_count(void);
struct upm_probe_set *resolve_many(const char *kind);
/** Divided by UPM_TEST_SCALE, but at least 1: how often something is done. */
unsigned long scaled(unsigned long times);
/** Have these functions called so often, and check the answer. */
void target_call_many(struct target *target, unsigned long times);

/** Open descriptors of this process; the events that a perf detach leaves to a thread count. */
size_t descriptors_open(void);
/** Wait until so many are open again, as after a perf detach. */
void wait_for_descriptors(size_t count);
/** The code of our targets and their libraries is in the process what it is in their files. */
bool text_is_clean(pid_t pid);
/** The same within five minutes: a killed process's links end in its shelter, those of removed
 * pins when the kernel gets round to it. */
bool text_becomes_clean(pid_t pid);
/** After a detach: at once where the kernel has multi links, but it takes perf events back one by
 * one. */
void assert_clean(pid_t pid);
/** A program that does nothing, of this expected attach type. */
int load_nop(uint32_t attach_type);

#endif

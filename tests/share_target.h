/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What tests of pinned observers share: a place for pins, owners that are killed, what is left
 * behind. */
#ifndef UPM_TESTS_SHARE_TARGET_H
#define UPM_TESTS_SHARE_TARGET_H

#include "live_target.h"

/** cmocka set-up: a mount namespace of the test's own, with a BPF file system in the usual place.
 */
int share_mount_bpffs(void **state);
/** cmocka tear-down: each test leaves nothing pinned, not even the directory of pins. */
int share_check_nothing_is_left(void **state);
#define SHARE_TEST(name) cmocka_unit_test_teardown(name, share_check_nothing_is_left)

/* The kernel's objects behind an observer. */
enum { MOST_IDS = 32 };

struct behind {
	uint32_t links[MOST_IDS], maps[MOST_IDS], program;
	size_t link_count;
	uint32_t map_count;
};

void look_behind(const struct upm_observer *observer, struct behind *behind);
/** Wait until none of them is left: the kernel frees programs and maps after a grace period. */
void assert_gone(const struct behind *behind);

struct owner {
	pid_t pid;
	int tells;
};

typedef void (*owner_fn)(const void *context);

/** A process that does something, says so, and sleeps. */
void owner_start(struct owner *owner, owner_fn work, const void *context);
void owner_kill(struct owner *owner);
/** In a process of its own, which has to end well. */
void run_in_child(void (*work)(void));

/* What to observe and how. */
struct plan {
	int32_t pid;
	uint32_t flags, backend;
	const char *pattern, *name;
	enum upm_observer_kind kind;
	uint32_t probes_per_link;
};

/** End this process with a message unless the status is UPM_OK: for children, which cmocka does not
 * see. */
void share_must(int32_t status);
struct upm_observer *share_start(const struct plan *plan);
/** For owner_start(), with a struct plan. */
void observe_and_pin(const void *plan);
/** Count known_0000 … known_0099 of a target, and pin it. */
struct upm_observer *count_pinned(const struct target *target, const char *name);

#endif

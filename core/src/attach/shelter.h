/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Where kill -9 does no harm.
 *
 * A task that has a fatal signal pending can not take a breakpoint out of another process: the
 * kernel (6.18) needs that process's page, gives up the moment a SIGKILL waits, logs
 * "failed to unregister, leaking uprobe", and the breakpoint stays in the program's text for
 * good. So a tool that is killed while it makes or ends a link changes the program that
 * it observes. A tool killed at any other time does not, because the kernel takes the signal off
 * before it closes the descriptors of a dying process.
 *
 * So whatever makes or ends a link runs in a child of its own, which shares memory and
 * descriptors with the caller (vfork(2)'s way) but belongs to another thread group, process
 * group and session, with all signals blocked. A kill of the caller does not reach it: it finishes
 * the call, exits, and with it goes the last reference to the descriptors. What reaches it all the
 * same is a kill of the whole control group; attaching the same probes again and
 * detaching them mends what that leaves.
 */
#ifndef UPM_ATTACH_SHELTER_H
#define UPM_ATTACH_SHELTER_H

#include <stddef.h>

/**
 * Call work(context) in the shelter and return when it has returned.
 * @param work  makes system calls and touches memory; no allocation, no lock, no callback of the
 * user's. errno is the caller's. Called directly where no child can be had.
 */
void upm_shelter(void (*work)(void *context), void *context);

/** Close one descriptor in the shelter; a negative one is passed over. */
void upm_shelter_close(int fd);

/**
 * Close descriptors side by side, negative ones passed over: each may wait for a grace period of
 * the kernel, tens of milliseconds in which no processor works, and a hundred at once take
 * as long as one.
 */
void upm_shelter_close_all(const int *fds, size_t count);

/**
 * Have a process of its own close descriptors one after another, and return at once.
 * This process's descriptors are closed; the other one ends by itself when it is through.
 * @param fds  sorted by this function
 */
void upm_shelter_close_behind(int *fds, size_t count);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Which calls of the table will never return.
 *
 * Those of threads that have ended; and those that their thread has left (longjmp(), exceptions),
 * or that lie deeper than the kernel follows. Where return addresses are on the stack these are
 * seen by the place of theirs: while the kernel follows a call its trampoline is there, which
 * begins a page, and other return addresses hardly ever do. The kernel writes it right after the
 * program at the entry has run, so that young calls are left alone. What may go wrong is told as
 * unreturned: a call that begins at such a place in the instant before the old one is taken out.
 */
#include "trace/sweep.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "observe/process_filter.h"
#include "trace/layout.h"

#define PAUSE_S 1 /* between sweeps, which read the whole table */
#define YOUNG_NS 1000000000

static bool is_gone(const struct upm_trace_record *call)
{
	return call->pid && syscall(SYS_tgkill, call->pid, call->tid, 0) && errno == ESRCH;
}

/* @return whether the place of its return address holds something else, or is no more */
static bool is_left(const struct upm_trace_record *call, uint64_t place, int64_t clock_offset_ns)
{
	uint64_t caller = 0;
	struct iovec here = {&caller, sizeof(caller)}, there = {(void *)place, sizeof(caller)};
	ssize_t bytes;

	if (!call->pid || call->time_ns + (uint64_t)clock_offset_ns + YOUNG_NS > upm_now_ns())
		return false;
	bytes = process_vm_readv((pid_t)call->pid, &here, 1, &there, 1, 0);
	if (bytes != sizeof(caller))
		return bytes < 0 && errno == EFAULT;
	return !caller || caller % UPM_TRACE_PAGE;
}

/* The same call as before, not one that began at its place meanwhile. */
static bool is_there(int fd, const struct upm_trace_call *key, uint64_t time_ns,
		     struct upm_trace_record *call)
{
	return bpf_map_lookup_elem(fd, key, call) == 0 && call->time_ns == time_ns;
}

static void sweep(const struct upm_trace *state, int fd, struct upm_trace_record *call)
{
	bool on_stack = state->config.registers.popped;
	struct upm_trace_call key, next;
	int end = bpf_map_get_next_key(fd, NULL, &next);

	while (!end) {
		key = next;
		end = bpf_map_get_next_key(fd, &key, &next);
		if (bpf_map_lookup_elem(fd, &key, call) == 0 &&
		    (is_gone(call) ||
		     (on_stack && is_left(call, key.place, state->clock_offset_ns))) &&
		    is_there(fd, &key, call->time_ns, call))
			bpf_map_delete_elem(fd, &key);
	}
}

/* Their ids mean something here. */
static bool in_its_namespace(const struct upm_filter_config *ids)
{
	struct upm_pid_namespace space;

	if (upm_pid_namespace_of_self(&space))
		return false;
	return space.initial ? !ids->namespaced
			     : ids->namespaced && space.inode == ids->namespace_inode;
}

static bool is_due(const struct upm_observer *observer, struct upm_trace *state)
{
	struct upm_trace_shared shared;
	const uint32_t key = 0;
	struct timespec now;

	if (bpf_map_lookup_elem(upm_observer_map(observer, "upm_shared"), &key, &shared) ||
	    shared.calls_refused == state->swept_at)
		return false;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (state->swept_s && now.tv_sec - state->swept_s < PAUSE_S)
		return false;
	state->swept_at = shared.calls_refused;
	state->swept_s = now.tv_sec;
	return in_its_namespace(&state->config.ids);
}

void upm_trace_sweep(const struct upm_observer *observer)
{
	struct upm_trace *state = observer->state;
	struct upm_trace_record *call;

	if (!state->config.returns || !is_due(observer, state))
		return;
	call = malloc(upm_trace_record_size(&state->config));
	if (call)
		sweep(state, upm_observer_map(observer, "upm_calls"), call);
	free(call);
}

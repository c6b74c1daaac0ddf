/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "trace/sweep.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "observe/process_filter.h"
#include "trace/layout.h"

#define PAUSE_S 1 /* between sweeps, which read the whole table */

static bool is_gone(const struct upm_trace_record *call)
{
	return call->pid && syscall(SYS_tgkill, call->pid, call->tid, 0) && errno == ESRCH;
}

static void sweep(int fd, struct upm_trace_record *call)
{
	struct upm_trace_call key, next;
	int end = bpf_map_get_next_key(fd, NULL, &next);

	while (!end) {
		key = next;
		end = bpf_map_get_next_key(fd, &key, &next);
		if (bpf_map_lookup_elem(fd, &key, call) == 0 && is_gone(call))
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
		sweep(upm_observer_map(observer, "upm_calls"), call);
	free(call);
}

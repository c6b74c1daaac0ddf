/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "attach/scope.h"

#include <stdio.h>
#include <string.h>

#include "attach/features.h"
#include "base/error.h"
#include "locate/process.h"

static const char operation[] = "limit probes to processes";

static bool listed(const struct upm_scope *scope, int32_t process)
{
	for (size_t i = 0; i < scope->processes.count; i++)
		if (scope->processes.items[i] == process)
			return true;
	return false;
}

static int add(struct upm_scope *scope, int32_t pid)
{
	int32_t process;
	bool leader;
	int status;

	if (pid <= 0)
		return upm_fail(UPM_ERR_INVALID, 0, operation, NULL,
				"give process ids above 0; none at all for every process",
				"%d is no process id", pid);
	status = upm_process_group(pid, &process);
	if (status || listed(scope, process))
		return status;
	status = upm_process_leader_alive(process, &leader);
	if (status)
		return status;
	if (!leader)
		scope->leaderless = process;
	if (!upm_vector_push(&scope->processes, process))
		return upm_fail_memory(operation);
	return UPM_OK;
}

int upm_scope_open(struct upm_scope *scope, const struct upm_attach_options *options)
{
	int status = UPM_OK;

	memset(scope, 0, sizeof(*scope));
	scope->children = options->flags & UPM_ATTACH_CHILDREN && options->pid_count;
	if (options->pid_count && !options->pids)
		return upm_fail(UPM_ERR_INVALID, 0, operation, NULL, "set pids and pid_count",
				"pid_count is %zu but pids is NULL", options->pid_count);
	for (size_t i = 0; i < options->pid_count && !status; i++)
		status = add(scope, options->pids[i]);
	if (status)
		upm_scope_close(scope);
	return status;
}

static bool kernel_filter_is_wrong(enum upm_backend backend)
{
	return backend == UPM_BACKEND_UPROBE_MULTI && upm_kernel_features()->pid_filter != UPM_YES;
}

static bool is_beyond_kernel(const struct upm_scope *scope, enum upm_backend backend)
{
	return scope->processes.count &&
	       (scope->children || scope->leaderless || kernel_filter_is_wrong(backend));
}

/* A perf event is for the memory of the main thread: none, from its exit on. */
bool upm_scope_needs_program(const struct upm_scope *scope, enum upm_backend backend)
{
	return is_beyond_kernel(scope, backend) ||
	       (scope->processes.count && backend == UPM_BACKEND_PERF_EVENT);
}

int upm_scope_check_kernel(const struct upm_scope *scope, enum upm_backend backend)
{
	char process[32];

	if (!is_beyond_kernel(scope, backend))
		return UPM_OK;
	snprintf(process, sizeof(process), "process %d",
		 scope->leaderless ? scope->leaderless : scope->processes.items[0]);
	if (scope->children)
		return upm_fail(UPM_ERR_UNSUPPORTED, 0, operation, process,
				"attach for every process and filter by pid in the program",
				"the kernel can not follow forks: only the shipped observers can");
	if (scope->leaderless)
		return upm_fail(UPM_ERR_UNSUPPORTED, 0, operation, process,
				"attach for every process and filter by pid in the program",
				"its main thread has exited, and the kernel's filter never "
				"matches such a process");
	return upm_fail(UPM_ERR_UNSUPPORTED, 0, operation, process,
			"attach for every process and filter by pid in the program, or use a "
			"kernel with commit 46ba0e49b642 (6.10, 6.9.5, 6.6.35)",
			"this kernel's filter misses hits of threads beside the main one");
}

void upm_scope_close(struct upm_scope *scope)
{
	upm_vector_clear(&scope->processes);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Processes that a shipped program selects by itself, where the kernel's filter can
 * not: a set in a BPF map, kept up to date by tracepoints at fork and exit.
 */
#ifndef UPM_OBSERVE_PROCESS_FILTER_H
#define UPM_OBSERVE_PROCESS_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "attach/scope.h"
#include "upm_observe.h"

struct bpf_object;

/* The PID namespace whose ids this process uses. */
struct upm_pid_namespace {
	bool initial;
	uint64_t device, inode;
};

struct upm_process_filter {
	struct bpf_object *object; /* the tracepoint programs; NULL = none needed */
	int fork_fd, exit_fd;
	int lost_fd; /* the map that counts children beyond UPM_SCOPE_MAX; -1 = none */
};

/** @return UPM_OK or UPM_ERR_SYSTEM, for a process without /proc. */
int upm_pid_namespace_of_self(struct upm_pid_namespace *space);
/**
 * The constants of a program that observes this scope.
 * @param selects  whether the program has to select processes by itself
 * @return UPM_OK or UPM_ERR_SYSTEM
 */
int upm_process_filter_configure(bool selects, const struct upm_scope *scope,
				 struct upm_filter_config *config);
/** @return whether the set holds ids of this namespace, not of the initial one. */
bool upm_process_filter_namespaced(const struct upm_scope *scope,
				   const struct upm_pid_namespace *space);
/**
 * Fill the set and keep it up to date.
 * @param map_fd  the counting program's map upm_scope; stays the caller's
 * @return UPM_OK; UPM_ERR_UNSUPPORTED where forks can not be followed; UPM_ERR_NOT_FOUND;
 *         upm_process_filter_close() is due in every case
 */
int upm_process_filter_open(struct upm_process_filter *filter, const struct upm_scope *scope,
			    int map_fd);
/** @return number of children that the full set could not take. */
uint64_t upm_process_filter_lost(const struct upm_process_filter *filter);
void upm_process_filter_close(struct upm_process_filter *filter);

#endif

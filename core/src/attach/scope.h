/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Whose hits count. The kernel's filter takes one live thread group per link and follows no
 * fork; where that is not what was asked for, a program of ours is attached for
 * every process and filters by itself.
 */
#ifndef UPM_ATTACH_SCOPE_H
#define UPM_ATTACH_SCOPE_H

#include <stdbool.h>

#include "base/vector.h"
#include "uprobe_multi.h"

struct upm_scope {
	UPM_VECTOR(int32_t) processes; /* thread groups, each once; none = every process */
	bool children;		       /* UPM_ATTACH_CHILDREN */
	int32_t leaderless;	       /* a process of the list whose leader has exited; 0 = none */
};

/** @return UPM_OK; UPM_ERR_INVALID; UPM_ERR_NOT_FOUND; UPM_ERR_MEMORY. */
int upm_scope_open(struct upm_scope *scope, const struct upm_attach_options *options);
/**
 * @return whether a shipped program has to select the processes: the kernel's own filter can
 *         not express the scope, or may cease to (perf events, once a main thread exits).
 */
bool upm_scope_needs_program(const struct upm_scope *scope, enum upm_backend backend);
/** Refuse a scope that only a filtering program can serve. @return UPM_OK or UPM_ERR_UNSUPPORTED */
int upm_scope_check_kernel(const struct upm_scope *scope, enum upm_backend backend);
void upm_scope_close(struct upm_scope *scope);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A program that calls one function as often as it is told. */
#ifndef UPM_TESTS_BENCH_OBSERVE_H
#define UPM_TESTS_BENCH_OBSERVE_H

#include <stdbool.h>
#include <stdio.h>

#include "bench.h"

struct caller {
	pid_t pid;
	FILE *commands, *answers;
	char path[4096];		     /* of the program */
	struct upm_probe_set *set, *returns; /* its function: entry and return */
	const char *command;		     /* what it is told, with %lu for the times */
	struct upm_attach_options options;
};

/** Start the target of the trace tests, which calls counted(). */
void caller_start(struct caller *caller);
/** Start a function in a child of ours instead. caller->path is filled in, the rest is 0. */
void caller_start_function(struct caller *caller, void (*run)(void *));
/** Choose the function that is probed, and the command that has it called. */
void caller_watch(struct caller *caller, const char *symbol, const char *command);
/** Have the function called so often. @return time until all was done, ns */
uint64_t caller_run(struct caller *caller, unsigned long times);
/** @return whether the kernel's breakpoint is on its function */
bool caller_is_armed(const struct caller *caller);
void caller_stop(struct caller *caller);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Functions that a process has made itself: run-time compilers (Node.js, Java agents, LuaJIT,
 * .NET) list them in /tmp/perf-PID.map, "START SIZE NAME" a line, in hexadecimal.
 *
 * Anybody can make files in /tmp, so only a file of the process's user or root is believed, and
 * only where no symbolic link leads to it. It grows while the process runs: what is new is
 * read when an address is in none of its functions.
 */
#ifndef UPM_STACK_JIT_H
#define UPM_STACK_JIT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/strings.h"
#include "base/vector.h"

struct upm_jit_function {
	uint64_t start, size;
	uint32_t order; /* of two that overlap the later one holds */
	const char *name;
};

struct upm_jit {
	UPM_VECTOR(struct upm_jit_function) functions; /* by start, then order */
	struct upm_strings *names;
	char path[64]; /* as the process sees it */
	uint64_t read; /* bytes of the file */
	ino_t inode;
};

/** Read what is new; what there is no memory for is left out. */
void upm_jit_update(struct upm_jit *jit, int32_t pid);
/** Read on where the last reading ended; there must be names. */
void upm_jit_read(struct upm_jit *jit, FILE *file);
/** @return the function at an address, or NULL. */
const struct upm_jit_function *upm_jit_find(const struct upm_jit *jit, uint64_t address);
void upm_jit_close(struct upm_jit *jit);

#endif

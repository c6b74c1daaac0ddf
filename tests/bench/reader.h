/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A process that reads the events of counted(): this program, or one in Python or Lua. */
#ifndef UPM_TESTS_BENCH_READER_H
#define UPM_TESTS_BENCH_READER_H

#include <stdbool.h>
#include <stdio.h>

#include "observe.h"

struct reader {
	const char *name;	 /* in the table */
	const char *interpreter; /* NULL: the environment of the tests has it */
	const char *script;	 /* in bindings/LANGUAGE/bench; NULL: the C library reads */
	pid_t pid;
	FILE *commands, *answers;
	char reason[512]; /* why it is left out */
};

struct reading {
	uint64_t events, lost;
	uint64_t cpu_ns; /* of the reader's process, for all of them */
};

/* Become a script of bindings/LANGUAGE/bench, given the target; argv[0] of it is the interpreter.
 */
void run_script(const char *interpreter, const char *script, const struct caller *caller);

/** @return false, with a reason, where such a reader can not run */
bool reader_start(struct reader *reader, const struct caller *caller);
void reader_attach(struct reader *reader);
void reader_begin(struct reader *reader, unsigned long events);
struct reading reader_end(struct reader *reader);
void reader_stop(struct reader *reader);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What a user of the library does from beginning to end, as one function for each kind of use. */
#ifndef UPM_TESTS_CYCLES_H
#define UPM_TESTS_CYCLES_H

#include <stdint.h>
#include <sys/types.h>

struct cycle {
	const char *name;
	/* UPM_OK when all was well and every result right; else what a call gave. Results
	 * that are wrong without an error end the process with a message. */
	int32_t (*run)(void);
};

extern const struct cycle fault_cycles[];
extern const size_t fault_cycle_count;

/** Start the program that the cycles observe. */
void cycles_begin(void);
/** Is its code what the file has? */
int cycles_target_is_clean(void);
void cycles_end(void);
/** The last call of a cycle that was tried. */
const char *cycles_step(void);
/** End this process with a message for the report. */
void cycles_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif

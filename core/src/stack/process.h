/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The code that a process maps, as far as it has been seen.
 *
 * Stacks are looked at some time after they were taken. Meanwhile the process can have loaded a
 * library, replaced itself by execve(2), or ended and lent its id to another. So:
 *
 *  - what was read stays, as long as nothing speaks against it, also after the end;
 *  - an address in no mapping has the mappings read again, but not all the time: a stack
 *    without frame pointers is full of such addresses;
 *  - now and then /proc/PID/stat is asked whether it is still the same process and program: by
 *    the time it started, and by where its stack and code begin, which exec changes.
 */
#ifndef UPM_STACK_PROCESS_H
#define UPM_STACK_PROCESS_H

#include "stack/image.h"
#include "stack/jit.h"

/* An executable mapping. */
struct upm_region {
	struct upm_mapping mapping; /* its path is the region's own */
	struct upm_image *image;    /* NULL when there is none, or it was not asked for yet */
	bool asked; /* since the mappings were read: the file can have been written anew */
};

/* Which program a process runs. */
struct upm_incarnation {
	uint64_t started;		  /* clock ticks since boot */
	uint64_t code_start, stack_start; /* 0 for one that has ended */
};

struct upm_stack_process {
	int32_t pid;
	uint64_t used;	     /* the symbolizer's clock at the last use */
	uint64_t checked;    /* CLOCK_MONOTONIC, ns */
	uint64_t not_before; /* CLOCK_MONOTONIC, ns: no reading of mappings before */
	struct upm_incarnation incarnation;
	UPM_VECTOR(struct upm_region) regions; /* by address */
	struct upm_jit jit;
};

struct upm_stack_process *upm_stack_process_new(int32_t pid);
/** Notice an exec or another process of this id. @return UPM_OK or UPM_ERR_MEMORY */
int upm_stack_process_check(struct upm_stack_process *process);
/**
 * The region of an address; mappings are read again where there is none and it is time.
 * @param region  receives NULL when there is none
 * @return UPM_OK or UPM_ERR_MEMORY
 */
int upm_stack_process_region(struct upm_stack_process *process, uint64_t address,
			     struct upm_region **region);
/** A function of the process's own making. @return NULL when none is known */
const struct upm_jit_function *upm_stack_process_jit(struct upm_stack_process *process,
						     uint64_t address);
void upm_stack_process_free(struct upm_stack_process *process);

#endif

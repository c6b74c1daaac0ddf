/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Faults on order: the Nth allocation or the Nth system call of a stretch of code fails.
 *
 * Allocations are those of the whole process, libbpf and libelf among them: this program defines
 * malloc() and its kin itself (not under the address sanitizer, which has its own). System calls
 * go through a seccomp filter whose listener is the process that made the child, so that calls
 * from inside the C library and from the library's own children are among them.
 */
#ifndef UPM_TESTS_FAULTS_H
#define UPM_TESTS_FAULTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum fault_kind { FAULT_NONE, FAULT_ALLOCATION, FAULT_CALL };

/* Which errno a refused call gives: the one that comes with scarce resources, or one of rights. */
enum fault_error { FAULT_SCARCE, FAULT_FORBIDDEN };

/* Shared by the process that runs the code and the one that watches it. */
struct fault_page {
	_Atomic(uint64_t) at;	 /* the first is 1; 0 = none fails */
	_Atomic(uint64_t) count; /* so many have passed while armed */
	atomic_int kind;	 /* enum fault_kind */
	atomic_int error;	 /* enum fault_error */
	atomic_bool armed;
	atomic_bool lasting; /* all from that one on fail, not it alone */
	atomic_bool fired;
	atomic_int listener; /* descriptor in the child; -1 = not yet */
	atomic_bool taken;
	bool mistaken;	 /* libbpf has remembered wrongly */
	char what[64];	 /* the call that was refused */
	char said[1024]; /* by the child, for the report */
	int64_t kept;	 /* blocks of memory more than before */
	int32_t status;	 /* of the code */
};

extern struct fault_page *faults;

/** Map the page. Once, before everything else. */
void faults_begin(void);
/** Get ready for the next child. */
void faults_reset(enum fault_kind kind, uint64_t at, enum fault_error error, bool lasting);
/** Faults happen between these two, in one thread's view. */
void faults_arm(void);
void faults_disarm(void);
/** Blocks of memory that are allocated now; 0 when allocations are not watched. */
int64_t faults_blocks(void);
/** Can allocations be made to fail in this build? */
bool faults_of_allocation(void);

/** In the child: put its system calls under watch. */
void faults_watch_me(void);
/** In its parent: watch until the child and all that it started have ended. */
void faults_watch(pid_t child);

#endif

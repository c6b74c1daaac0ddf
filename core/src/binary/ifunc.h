/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Indirect functions (STT_GNU_IFUNC): the symbol is a resolver that the dynamic
 * loader calls once; the implementation that it chose stands in the relocated
 * slots of processes. An R_*_IRELATIVE relocation names the resolver in its addend,
 * so reading its slot in a process tells the implementation.
 */
#ifndef UPM_BINARY_IFUNC_H
#define UPM_BINARY_IFUNC_H

#include "binary/binary.h"

enum upm_ifunc_answer {
	UPM_IFUNC_RESOLVED,  /* *offset is the implementation, in the same file */
	UPM_IFUNC_ELSEWHERE, /* it lies in no file (the vDSO) or in another one */
	UPM_IFUNC_UNKNOWN    /* no slot that a process has bound, or memory not readable */
};

struct upm_ifunc_resolver;

/**
 * Read the slots of one process.
 * @param pid  a process that maps the binary; 0 = this process, if it does
 * @param out  NULL is stored when the process does not map the binary or may not be read
 * @return UPM_OK or UPM_ERR_MEMORY
 */
int upm_ifunc_open(struct upm_binary *binary, int pid, struct upm_ifunc_resolver **out);
enum upm_ifunc_answer upm_ifunc_target(struct upm_ifunc_resolver *resolver,
				       uint64_t resolver_address, uint64_t *offset);
void upm_ifunc_close(struct upm_ifunc_resolver *resolver);

#endif

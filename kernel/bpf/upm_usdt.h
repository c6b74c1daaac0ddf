/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * How the arguments of USDT probes are read, as programs and user space agree on it.
 *
 * Every form of argument is one sum: value, plus the base register, plus the index register
 * shifted by scale, plus the thread pointer, each only where its flag is set. The sum is the
 * argument, or with UPM_READ_MEMORY the address that it lies at. The argument is then cut to
 * its width. A variable of the program's own is found relative to the probe, whose
 * address the register ip has, so that one list serves every process.
 */
#ifndef UPM_BPF_USDT_H
#define UPM_BPF_USDT_H

#include <linux/types.h>

#define UPM_READ_ARGUMENTS_MAX 12 /* of one probe: what <sys/sdt.h> can express */

enum upm_read_flag {
	UPM_READ_VALID = 1, /* else the argument can not be read */
	UPM_READ_BASE = 2,
	UPM_READ_INDEX = 4,
	UPM_READ_THREAD = 8, /* never with an index */
	UPM_READ_MEMORY = 16,
	UPM_READ_SIGNED = 32
};

struct upm_usdt_read {
	__s64 value;
	__u8 flags;  /* enum upm_read_flag */
	__u8 unused; /* bits of a 64-bit word that the argument has not: 64 - 8 * width */
	__u8 scale;
	__u8 reserved;
	__u16 base;  /* byte offset in struct pt_regs */
	__u16 index; /* likewise; with UPM_READ_THREAD of the pointer in struct task_struct */
};

/* The arguments of a call site; call sites with equal ones share a list. */
struct upm_usdt_list {
	struct upm_usdt_read arguments[UPM_READ_ARGUMENTS_MAX];
	__u32 count;
	__u32 reserved;
};

_Static_assert(sizeof(struct upm_usdt_read) == 16, "no padding: lists are compared as bytes");
_Static_assert(sizeof(struct upm_usdt_list) == 200, "no padding: lists are compared as bytes");

#endif

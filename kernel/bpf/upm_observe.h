/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What all shipped programs and user space agree on. Both include it, so there is no
 * second copy to keep in step.
 */
#ifndef UPM_BPF_OBSERVE_H
#define UPM_BPF_OBSERVE_H

#include <linux/types.h>

/*
 * Counters are rows of 64-bit numbers, one row for each CPU (or a few CPUs), each
 * beginning a cache line: counter = row * stride + number of the probe.
 */
#define UPM_COUNTERS_PER_LINE 8

struct upm_counters_shape {
	__u32 rows;
	__u32 stride;
};

/* Most processes that a filter follows at once. */
#define UPM_SCOPE_MAX 65536

/* Whose hits a program takes, and how it numbers processes. */
struct upm_filter_config {
	__u32 selects;	  /* only processes that the map upm_scope holds */
	__u32 namespaced; /* ids are those of the PID namespace below, not the initial one */
	__u64 namespace_device;
	__u64 namespace_inode;
};

/* The .rodata of the programs: constants to the verifier, which drops what they switch off. */
struct upm_count_config {
	struct upm_filter_config filter;
	struct upm_counters_shape counters;
};

/* The .rodata of children.bpf.c. */
struct upm_children_config {
	__u32 follow_forks; /* else only the end of processes is watched */
	__u32 namespaced;   /* upm_scope holds ids of the PID namespace below */
	__u32 namespace_inode;
	__u32 reserved;
};

#endif

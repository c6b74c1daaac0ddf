/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* System calls as functions: each returns a descriptor or 0, or a negative errno. */
#ifndef UPM_ATTACH_SYS_H
#define UPM_ATTACH_SYS_H

#include <stddef.h>
#include <stdint.h>

#include "attach/bpf_uapi.h"

struct bpf_insn;
struct perf_event_attr;

int upm_sys_bpf(enum upm_bpf_command command, void *attr, size_t size);

/* One multi link. Arrays have count elements; ref_ctr_offsets and cookies may be NULL. */
struct upm_multi_link {
	int program_fd;
	uint32_t attach_type;
	const char *path;
	const uint64_t *paths; /* NULL, or in place of path a pointer to one for each probe */
	const uint64_t *offsets;
	const uint64_t *ref_ctr_offsets;
	const uint64_t *cookies;
	size_t count;
	uint32_t flags;
	int32_t pid;
};
int upm_sys_link_multi(const struct upm_multi_link *request);

/** Link a program to an open perf event. */
int upm_sys_link_perf(int program_fd, int event_fd, uint64_t cookie);

int upm_sys_program_load(uint32_t type, uint32_t attach_type, const struct bpf_insn *insns,
			 size_t count);
/** A program of type kprobe that does nothing, for trial links. */
int upm_sys_program_load_nop(uint32_t attach_type);
int upm_sys_map_create(uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t entries,
		       uint32_t flags);
int upm_sys_object_info(int fd, void *info, uint32_t size);
int upm_sys_object_pin(int fd, const char *path);
int upm_sys_object_get(const char *path);
int upm_sys_perf_event_open(struct perf_event_attr *attr, int32_t pid, int cpu);

#endif

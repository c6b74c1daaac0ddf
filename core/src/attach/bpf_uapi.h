/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The part of bpf(2)'s interface that this library uses and that headers of
 * older distributions lack. The kernel takes a structure with its size: a longer one is
 * fine as long as the tail it does not know is zero, so one layout serves all.
 */
#ifndef UPM_ATTACH_BPF_UAPI_H
#define UPM_ATTACH_BPF_UAPI_H

#include <stdint.h>

enum upm_bpf_command {
	UPM_BPF_MAP_CREATE = 0,
	UPM_BPF_PROG_LOAD = 5,
	UPM_BPF_OBJ_PIN = 6,
	UPM_BPF_OBJ_GET = 7,
	UPM_BPF_OBJ_GET_INFO_BY_FD = 15,
	UPM_BPF_RAW_TRACEPOINT_OPEN = 17,
	UPM_BPF_LINK_CREATE = 28
};

enum upm_bpf_attach_type {
	UPM_BPF_ATTACH_PLAIN = 0,
	UPM_BPF_PERF_EVENT = 41,
	UPM_BPF_TRACE_UPROBE_MULTI = 48,
	UPM_BPF_TRACE_UPROBE_SESSION = 57
};

enum upm_bpf_link_type { UPM_BPF_LINK_PERF_EVENT = 7, UPM_BPF_LINK_UPROBE_MULTI = 12 };

enum upm_bpf_perf_type { UPM_BPF_PERF_UPROBE = 1, UPM_BPF_PERF_URETPROBE = 2 };

#define UPM_BPF_PROG_TYPE_KPROBE 2
#define UPM_BPF_MAP_TYPE_ARRAY 2
#define UPM_BPF_MAP_TYPE_RINGBUF 27
#define UPM_BPF_F_MMAPABLE (1U << 10)
#define UPM_BPF_F_SLEEPABLE (1U << 4)
#define UPM_BPF_F_UPROBE_MULTI_RETURN (1U << 0)
#define UPM_BPF_F_UPROBE_MULTI_PATH_FD (1U << 1)
#define UPM_BPF_F_UPROBE_MULTI_PATHS (1U << 16) /* of kernel/patches/paths */
#define UPM_BPF_UPROBE_MULTI_MAX (1U << 20)	/* probes in one link */
#define UPM_ENOTSUPP 524			/* the kernel's own, not in errno.h */

/* BPF_LINK_CREATE */
struct upm_bpf_link_create {
	uint32_t program_fd;
	uint32_t target_fd;
	uint32_t attach_type;
	uint32_t flags;
	union {
		struct {
			uint64_t cookie;
		} perf_event;
		struct {
			uint64_t path;
			uint64_t offsets;
			uint64_t ref_ctr_offsets;
			uint64_t cookies;
			uint32_t count;
			uint32_t flags;
			uint32_t pid;
			uint32_t path_fd;
		} multi;
	};
};

/* What BPF_OBJ_GET_INFO_BY_FD tells about a link. */
struct upm_bpf_link_info {
	uint32_t type;
	uint32_t id;
	uint32_t program_id;
	uint32_t padding;
	union {
		struct {
			uint64_t path;
			uint64_t offsets;
			uint64_t ref_ctr_offsets;
			uint64_t cookies;
			uint32_t path_size; /* in: of the buffer; out: with the NUL */
			uint32_t count;	    /* in: of the arrays; out: of the link */
			uint32_t flags;
			uint32_t pid;
		} multi;
		struct {
			uint32_t type; /* enum upm_bpf_perf_type */
			uint32_t padding;
			uint64_t file_name;
			uint32_t name_length;
			uint32_t offset;
			uint64_t cookie;
			uint64_t ref_ctr_offset;
		} perf_event;
		uint64_t room[16];
	};
};

_Static_assert(sizeof(struct upm_bpf_link_create) == 64, "bpf(2) fixes this layout");
_Static_assert(sizeof(struct upm_bpf_link_info) == 144, "bpf(2) fixes this layout");

#endif

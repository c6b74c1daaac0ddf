/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "attach/sys.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach/shelter.h"

#define LOAD_ATTEMPTS 5 /* the verifier gives EAGAIN when a signal arrives */

static uint64_t pointer(const void *address)
{
	return (uint64_t)(uintptr_t)address;
}

int upm_sys_bpf(enum upm_bpf_command command, void *attr, size_t size)
{
	long result = syscall(SYS_bpf, command, attr, size);

	return result < 0 ? -errno : (int)result;
}

struct link_creation {
	struct upm_bpf_link_create attr;
	int result;
};

static void create_link(void *context)
{
	struct link_creation *creation = context;

	creation->result =
		upm_sys_bpf(UPM_BPF_LINK_CREATE, &creation->attr, sizeof(creation->attr));
}

int upm_sys_link_multi(const struct upm_multi_link *request)
{
	struct link_creation creation = {
		.attr = {
			.program_fd = (uint32_t)request->program_fd,
			.attach_type = request->attach_type,
			.multi.path =
				request->paths ? pointer(request->paths) : pointer(request->path),
			.multi.offsets = pointer(request->offsets),
			.multi.ref_ctr_offsets = pointer(request->ref_ctr_offsets),
			.multi.cookies = pointer(request->cookies),
			.multi.count = (uint32_t)request->count,
			.multi.flags = request->flags |
				       (request->paths ? UPM_BPF_F_UPROBE_MULTI_PATHS : 0),
			.multi.pid = (uint32_t)request->pid,
		}};

	upm_shelter(create_link, &creation);
	return creation.result;
}

int upm_sys_link_perf(int program_fd, int event_fd, uint64_t cookie)
{
	struct upm_bpf_link_create attr = {
		.program_fd = (uint32_t)program_fd,
		.target_fd = (uint32_t)event_fd,
		.attach_type = UPM_BPF_PERF_EVENT,
		.perf_event.cookie = cookie,
	};

	return upm_sys_bpf(UPM_BPF_LINK_CREATE, &attr, sizeof(attr));
}

int upm_sys_program_load(uint32_t type, uint32_t attach_type, const struct bpf_insn *insns,
			 size_t count)
{
	union bpf_attr attr;
	int result = -EAGAIN;

	for (int attempt = 0; result == -EAGAIN && attempt < LOAD_ATTEMPTS; attempt++) {
		memset(&attr, 0, sizeof(attr));
		attr.prog_type = type;
		attr.expected_attach_type = attach_type;
		attr.insns = pointer(insns);
		attr.insn_cnt = (uint32_t)count;
		attr.license = pointer("Dual BSD/GPL");
		result = upm_sys_bpf(UPM_BPF_PROG_LOAD, &attr, sizeof(attr));
	}
	return result;
}

int upm_sys_program_load_nop(uint32_t attach_type)
{
	static const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return upm_sys_program_load(UPM_BPF_PROG_TYPE_KPROBE, attach_type, insns, 2);
}

int upm_sys_map_create(uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t entries,
		       uint32_t flags)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = type;
	attr.key_size = key_size;
	attr.value_size = value_size;
	attr.max_entries = entries;
	attr.map_flags = flags;
	return upm_sys_bpf(UPM_BPF_MAP_CREATE, &attr, sizeof(attr));
}

int upm_sys_object_info(int fd, void *info, uint32_t size)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = size;
	attr.info.info = pointer(info);
	return upm_sys_bpf(UPM_BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr));
}

int upm_sys_object_pin(int fd, const char *path)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.pathname = pointer(path);
	attr.bpf_fd = (uint32_t)fd;
	return upm_sys_bpf(UPM_BPF_OBJ_PIN, &attr, sizeof(attr));
}

int upm_sys_object_get(const char *path)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.pathname = pointer(path);
	return upm_sys_bpf(UPM_BPF_OBJ_GET, &attr, sizeof(attr));
}

int upm_sys_perf_event_open(struct perf_event_attr *attr, int32_t pid, int cpu)
{
	long fd = syscall(SYS_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : (int)fd;
}

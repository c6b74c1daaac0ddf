/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* upm_check(): what the kernel answers, and what this user may do. */
#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach/features.h"
#include "attach/shelter.h"
#include "attach/sys.h"
#include "base/options.h"

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#define CAP_BPF 39
#endif

static struct {
	uint32_t link_info, fdinfo;
} link_answers = {UPM_UNKNOWN, UPM_UNKNOWN};
static pthread_once_t link_answers_once = PTHREAD_ONCE_INIT;

/* e56fdbfb06e2 "bpf: Add link_info support for uprobe multi link" */
static uint32_t has_link_info(int link_fd)
{
	struct upm_bpf_link_info info = {0};

	if (upm_sys_object_info(link_fd, &info, sizeof(info)))
		return UPM_UNKNOWN;
	return info.multi.count == 1 ? UPM_YES : UPM_NO;
}

/* b4dfe26fbf56 "bpf: Add show_fdinfo for uprobe_multi" */
static uint32_t has_fdinfo(int link_fd)
{
	char path[64], line[256];
	uint32_t found = UPM_NO;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", link_fd);
	file = fopen(path, "re");
	if (!file)
		return UPM_UNKNOWN;
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, "uprobe_cnt:", 11) == 0)
			found = UPM_YES;
	fclose(file);
	return found;
}

/* A link on a byte of a memory file that nobody maps: it can not hit anything. */
static int make_harmless_link(int program_fd)
{
	char path[64];
	const uint64_t offset = 0;
	struct upm_multi_link request = {
		.program_fd = program_fd,
		.attach_type = UPM_BPF_TRACE_UPROBE_MULTI,
		.path = path,
		.offsets = &offset,
		.count = 1,
	};
	int memory_fd = memfd_create("uprobe_multi", MFD_CLOEXEC);
	int link_fd = -1;

	if (memory_fd < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", memory_fd);
	if (ftruncate(memory_fd, 4096) == 0)
		link_fd = upm_sys_link_multi(&request);
	close(memory_fd);
	return link_fd;
}

static void ask_link(void)
{
	int program_fd = upm_sys_program_load_nop(UPM_BPF_TRACE_UPROBE_MULTI);
	int link_fd;

	if (program_fd < 0)
		return;
	link_fd = make_harmless_link(program_fd);
	close(program_fd);
	if (link_fd < 0)
		return;
	link_answers.link_info = has_link_info(link_fd);
	link_answers.fdinfo = has_fdinfo(link_fd);
	upm_shelter_close(link_fd);
}

static void ask_about_links(struct upm_features *features)
{
	if (features->uprobe_multi == UPM_YES)
		pthread_once(&link_answers_once, ask_link);
	features->link_info = features->uprobe_multi == UPM_NO ? UPM_NO : link_answers.link_info;
	features->fdinfo = features->uprobe_multi == UPM_NO ? UPM_NO : link_answers.fdinfo;
}

static bool has(const struct __user_cap_data_struct *data, unsigned capability)
{
	return data[capability / 32].effective & (1U << capability % 32);
}

static void ask_about_user(struct upm_features *features)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};
	bool admin;

	if (syscall(SYS_capget, &header, data)) {
		features->cap_bpf = features->cap_perfmon = UPM_UNKNOWN;
		features->cap_sys_admin = features->cap_sys_ptrace = UPM_UNKNOWN;
		return;
	}
	admin = has(data, CAP_SYS_ADMIN);
	features->cap_bpf = admin || has(data, CAP_BPF) ? UPM_YES : UPM_NO;
	features->cap_perfmon = admin || has(data, CAP_PERFMON) ? UPM_YES : UPM_NO;
	features->cap_sys_admin = admin ? UPM_YES : UPM_NO;
	features->cap_sys_ptrace = has(data, CAP_SYS_PTRACE) ? UPM_YES : UPM_NO;
}

int32_t upm_check(struct upm_features *features)
{
	struct upm_features found = *upm_kernel_features();

	ask_about_links(&found);
	ask_about_user(&found);
	return upm_options_write(features, &found, sizeof(found), "struct upm_features");
}

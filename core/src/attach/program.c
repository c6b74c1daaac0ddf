/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The kernel does not tell a program's expected attach type, and never changes it. But it
 * compares it before it looks at anything else of a link, so asking for an
 * impossible link ("/" is no regular file, descriptor -1 no event) tells: EBADF means that
 * the type matches, EINVAL that it does not.
 */
#include "attach/program.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>

#include "attach/features.h"
#include "attach/privilege.h"
#include "attach/sys.h"
#include "base/error.h"

static const char operation[] = "examine the BPF program";
static const char hint[] = "load it as BPF_PROG_TYPE_KPROBE from a section uprobe.multi, "
			   "uprobe.session or uprobe";

static int try_multi(int program_fd, enum upm_bpf_attach_type type)
{
	const uint64_t offset = 0;
	const struct upm_multi_link request = {
		.program_fd = program_fd,
		.attach_type = type,
		.path = "/",
		.offsets = &offset,
		.count = 1,
	};

	return upm_sys_link_multi(&request);
}

/* Kernels before perf links refuse the question whatever the program: then it is taken as plain. */
static int try_perf(int program_fd)
{
	return upm_kernel_features()->perf_cookie == UPM_YES ? upm_sys_link_perf(program_fd, -1, 0)
							     : -EBADF;
}

static int check_type(int program_fd)
{
	struct bpf_prog_info info = {0};
	int failure = upm_sys_object_info(program_fd, &info, sizeof(info));

	if (failure == -EPERM)
		return upm_fail(UPM_ERR_PERMISSION, EPERM, operation, NULL, upm_privilege_hint(),
				"not allowed");
	if (upm_errno_is_scarcity(-failure))
		return upm_fail(upm_status_of_errno(-failure), -failure, operation, NULL, NULL,
				"the kernel can not be asked about it");
	if (failure)
		return upm_fail(UPM_ERR_PROGRAM, -failure, operation, NULL, hint,
				"descriptor %d is no BPF program", program_fd);
	if (info.type != UPM_BPF_PROG_TYPE_KPROBE)
		return upm_fail(UPM_ERR_PROGRAM, 0, operation, NULL, hint,
				"the program of descriptor %d has type %u, not "
				"BPF_PROG_TYPE_KPROBE (2)",
				program_fd, info.type);
	return UPM_OK;
}

int upm_program_kind_of(int program_fd, enum upm_program_kind *kind)
{
	static const enum upm_program_kind kinds[] = {UPM_PROGRAM_MULTI, UPM_PROGRAM_SESSION,
						      UPM_PROGRAM_PLAIN};
	int status = check_type(program_fd), result;

	if (status)
		return status;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		*kind = kinds[i];
		result = *kind == UPM_PROGRAM_PLAIN
				 ? try_perf(program_fd)
				 : try_multi(program_fd, upm_program_attach_type(*kind));
		if (result == -EBADF)
			return UPM_OK;
		if (upm_errno_is_scarcity(-result))
			return upm_fail(upm_status_of_errno(-result), -result, operation, NULL,
					NULL, "the kernel can not be asked about it");
	}
	return upm_fail(UPM_ERR_PROGRAM, 0, operation, NULL, hint,
			"the program of descriptor %d was not loaded for uprobes", program_fd);
}

enum upm_bpf_attach_type upm_program_attach_type(enum upm_program_kind kind)
{
	return kind == UPM_PROGRAM_SESSION ? UPM_BPF_TRACE_UPROBE_SESSION
					   : UPM_BPF_TRACE_UPROBE_MULTI;
}

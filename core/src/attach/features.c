/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "attach/features.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach/perf_pmu.h"
#include "attach/sys.h"
#include "base/error.h"

#define SYSCALL_UPROBE 336 /* x86-64 */

/*
 * What is found out stays known, unless a question failed because something was short: then the
 * answers hold for the thread that asked, until it asks again.
 */
static struct upm_features kernel_features;
static atomic_bool kernel_features_known;
static pthread_mutex_t asking = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local struct upm_features doubtful_features;
static _Thread_local int doubt; /* errno of the question that failed, or 0 */

static uint32_t answer(bool yes)
{
	return yes ? UPM_YES : UPM_NO;
}

/* Is nothing to be learned from this result? */
static bool unanswered(int result)
{
	if (result < 0 && upm_errno_is_scarcity(-result))
		doubt = -result;
	return result == -EPERM || result == -EACCES || (result < 0 && doubt == -result);
}

/*
 * Asks with arguments that are wrong in one late-checked respect: "/" is no regular
 * file. EBADF then says that all before was understood, and nothing is ever created.
 */
static int try_multi(int program_fd, uint32_t attach_type, int32_t pid)
{
	const uint64_t offset = 0;
	const struct upm_multi_link request = {
		.program_fd = program_fd,
		.attach_type = attach_type,
		.path = "/",
		.offsets = &offset,
		.count = 1,
		.pid = pid,
	};

	return upm_sys_link_multi(&request);
}

static uint32_t ask_multi_type(uint32_t attach_type)
{
	int program_fd = upm_sys_program_load_nop(attach_type);
	int result;

	if (program_fd < 0)
		return unanswered(program_fd) ? UPM_UNKNOWN : UPM_NO;
	result = try_multi(program_fd, attach_type, 0);
	close(program_fd);
	if (unanswered(result))
		return UPM_UNKNOWN;
	return answer(result == -EBADF);
}

/* 89ae89f53d20 "bpf: Add multi uprobe link" */
static uint32_t ask_uprobe_multi(void)
{
	return ask_multi_type(UPM_BPF_TRACE_UPROBE_MULTI);
}

/* d920179b3d48 "bpf: Add support for uprobe multi session attach" */
static uint32_t ask_session(void)
{
	return ask_multi_type(UPM_BPF_TRACE_UPROBE_SESSION);
}

/* 46ba0e49b642 "bpf: fix multi-uprobe PID filtering logic": the same change refuses pid -1 early */
static uint32_t ask_pid_filter(uint32_t uprobe_multi)
{
	int program_fd, result;

	if (uprobe_multi != UPM_YES)
		return uprobe_multi;
	program_fd = upm_sys_program_load_nop(UPM_BPF_TRACE_UPROBE_MULTI);
	if (program_fd < 0)
		return unanswered(program_fd), UPM_UNKNOWN;
	result = try_multi(program_fd, UPM_BPF_TRACE_UPROBE_MULTI, -1);
	close(program_fd);
	return unanswered(result) ? UPM_UNKNOWN : answer(result == -EINVAL);
}

/* BPF_F_UPROBE_MULTI_PATH_FD of 7.2; older kernels refuse the flag with EINVAL */
static uint32_t ask_path_fd(uint32_t uprobe_multi)
{
	const uint64_t offset = 0;
	struct upm_bpf_link_create attr = {
		.attach_type = UPM_BPF_TRACE_UPROBE_MULTI,
		.multi.offsets = (uint64_t)(uintptr_t)&offset,
		.multi.count = 1,
		.multi.flags = UPM_BPF_F_UPROBE_MULTI_PATH_FD,
		.multi.path_fd = UINT32_MAX,
	};
	int program_fd, result;

	if (uprobe_multi != UPM_YES)
		return uprobe_multi;
	program_fd = upm_sys_program_load_nop(UPM_BPF_TRACE_UPROBE_MULTI);
	if (program_fd < 0)
		return unanswered(program_fd), UPM_UNKNOWN;
	attr.program_fd = (uint32_t)program_fd;
	result = upm_sys_bpf(UPM_BPF_LINK_CREATE, &attr, sizeof(attr));
	close(program_fd);
	return unanswered(result) ? UPM_UNKNOWN : answer(result == -EBADF);
}

/* BPF_F_UPROBE_MULTI_PATHS of kernel/patches/paths; other kernels refuse the flag with EINVAL */
static uint32_t ask_paths(uint32_t uprobe_multi)
{
	const uint64_t offset = 0, path = (uint64_t)(uintptr_t) "/";
	struct upm_multi_link request = {
		.attach_type = UPM_BPF_TRACE_UPROBE_MULTI,
		.paths = &path,
		.offsets = &offset,
		.count = 1,
	};
	int result;

	if (uprobe_multi != UPM_YES)
		return uprobe_multi;
	request.program_fd = upm_sys_program_load_nop(UPM_BPF_TRACE_UPROBE_MULTI);
	if (request.program_fd < 0)
		return unanswered(request.program_fd), UPM_UNKNOWN;
	result = upm_sys_link_multi(&request);
	close(request.program_fd);
	return unanswered(result) ? UPM_UNKNOWN : answer(result == -EBADF);
}

/* e12f03d7031a "perf/core: Implement the 'perf_kprobe' PMU" and 33ea4b24277b, its twin for uprobes
 */
static uint32_t ask_perf_event(void)
{
	struct upm_perf_pmu pmu;
	struct perf_event_attr attr = {.size = PERF_ATTR_SIZE_VER1};
	int result = upm_perf_pmu_read(&pmu);

	if (result)
		return !unanswered(result) && result == -ENOENT ? UPM_NO : UPM_UNKNOWN;
	attr.type = pmu.type;
	attr.config1 = (uint64_t)(uintptr_t) "/proc/self/fd/no-such-descriptor";
	result = upm_sys_perf_event_open(&attr, -1, 0);
	if (result >= 0)
		close(result);
	return unanswered(result) ? UPM_UNKNOWN : answer(result == -ENOENT);
}

/* 82e6b1eee6a8 "bpf: Allow to specify user-provided bpf_cookie for BPF perf links" */
static uint32_t ask_perf_cookie(void)
{
	int program_fd = upm_sys_program_load_nop(UPM_BPF_ATTACH_PLAIN);
	int result;

	if (program_fd < 0)
		return unanswered(program_fd) ? UPM_UNKNOWN : UPM_NO;
	result = upm_sys_link_perf(program_fd, -1, 1);
	close(program_fd);
	return unanswered(result) ? UPM_UNKNOWN : answer(result == -EBADF);
}

/*
 * 56101b69c919 "uprobes/x86: Add uprobe syscall to speed up uprobe". Called from anywhere
 * but its trampoline it only says no: ENXIO where the trampoline is reached by a CALL
 * that pushes onto the red zone, EPROTO where the site was made to step over it.
 */
static int ask_uprobe_syscall(void)
{
#if defined(__x86_64__)
	if (prctl(PR_GET_SECCOMP) != SECCOMP_MODE_DISABLED)
		return -EPERM;
	return syscall(SYSCALL_UPROBE) < 0 ? -errno : 0;
#else
	return -ENOSYS;
#endif
}

/* 457f44363a88 "bpf: Implement BPF ring buffer"; fc9702273e2e "bpf: Add mmap() support for ARRAY"
 */
static uint32_t ask_map(uint32_t type, uint32_t key_size, uint32_t entries, uint32_t flags)
{
	uint32_t value_size = key_size ? sizeof(uint64_t) : 0;
	int fd = upm_sys_map_create(type, key_size, value_size, entries, flags);

	if (fd >= 0)
		close(fd);
	return unanswered(fd) ? UPM_UNKNOWN : answer(fd >= 0);
}

static uint32_t choose_backend(const struct upm_features *features)
{
	if (features->uprobe_multi == UPM_YES)
		return UPM_BACKEND_UPROBE_MULTI;
	if (features->uprobe_multi == UPM_UNKNOWN)
		return 0;
	return features->perf_event == UPM_YES ? UPM_BACKEND_PERF_EVENT : 0;
}

static void ask_kernel(struct upm_features *f)
{
	int uprobe_syscall = ask_uprobe_syscall();

	f->size = sizeof(*f);
	f->uprobe_multi = ask_uprobe_multi();
	f->session = ask_session();
	f->pid_filter = ask_pid_filter(f->uprobe_multi);
	f->path_fd = ask_path_fd(f->uprobe_multi);
	f->paths = ask_paths(f->uprobe_multi);
	f->perf_event = ask_perf_event();
	f->perf_cookie = ask_perf_cookie();
	f->uprobe_syscall = uprobe_syscall == -EPERM
				    ? UPM_UNKNOWN
				    : answer(uprobe_syscall == -ENXIO || uprobe_syscall == -EPROTO);
	f->nop5_red_zone_safe =
		uprobe_syscall == -EPERM ? UPM_UNKNOWN : answer(uprobe_syscall == -EPROTO);
	f->ringbuf = ask_map(UPM_BPF_MAP_TYPE_RINGBUF, 0, (uint32_t)sysconf(_SC_PAGESIZE), 0);
	f->mmapable_array =
		ask_map(UPM_BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), 1, UPM_BPF_F_MMAPABLE);
	f->link_info = UPM_UNKNOWN;
	f->fdinfo = UPM_UNKNOWN;
	f->backend = choose_backend(f);
}

/* Rights may come, and what was forbidden once may have been an accident. */
static bool is_answered(const struct upm_features *f)
{
	return !doubt && f->uprobe_multi != UPM_UNKNOWN && f->session != UPM_UNKNOWN &&
	       f->pid_filter != UPM_UNKNOWN && f->path_fd != UPM_UNKNOWN &&
	       f->paths != UPM_UNKNOWN && f->perf_event != UPM_UNKNOWN &&
	       f->perf_cookie != UPM_UNKNOWN;
}

const struct upm_features *upm_kernel_features(void)
{
	struct upm_features *answers = &doubtful_features;

	if (atomic_load_explicit(&kernel_features_known, memory_order_acquire))
		return &kernel_features;
	pthread_mutex_lock(&asking);
	if (!kernel_features_known) {
		doubt = 0;
		ask_kernel(answers);
		if (is_answered(answers)) {
			kernel_features = *answers;
			atomic_store_explicit(&kernel_features_known, true, memory_order_release);
		}
	}
	if (kernel_features_known)
		answers = &kernel_features;
	pthread_mutex_unlock(&asking);
	return answers;
}

int upm_kernel_doubt(void)
{
	return atomic_load_explicit(&kernel_features_known, memory_order_acquire) ? 0 : doubt;
}

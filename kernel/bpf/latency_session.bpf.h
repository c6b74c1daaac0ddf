/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Measure calls by a session: the kernel keeps 8 bytes for each running call, in which the time
 * of its entry waits for its return. So nothing is looked up, and recursion, tail calls
 * and calls that are left by longjmp() are right without any care.
 *
 * fork() copies the calls that run in the thread, so that one which forks returns twice. The one
 * in the child is none that was counted: it is older than its thread.
 *
 * The kernel's functions take a context since 7.0 ("bpf: change prototype of
 * bpf_session_{cookie,is_return}"), and a program has to be built for either form.
 */
#include "latency.bpf.h"

#if defined(UPM_SESSION_CONTEXT)
extern _Bool bpf_session_is_return(void *context) __ksym;
extern __u64 *bpf_session_cookie(void *context) __ksym;
#define SESSION(function, context) function(context)
#else
extern _Bool bpf_session_is_return(void) __ksym;
extern __u64 *bpf_session_cookie(void) __ksym;
#define SESSION(function, context) function()
#endif

struct task_struct {
	__u64 start_time;
} __attribute__((preserve_access_index));

static __always_inline int forked_since(__u64 time)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();

	return task->start_time > time;
}

SEC("uprobe.session")
int session(void *context)
{
	__u32 probe = (__u32)bpf_get_attach_cookie(context);
	__u64 *began = SESSION(bpf_session_cookie, context);

	if (SESSION(bpf_session_is_return, context)) {
		__u64 now = bpf_ktime_get_ns();

		if (!forked_since(*began))
			count_return(probe, *began, now);
		return 0;
	}
	if (!count_entry(probe))
		return 1; /* the kernel then leaves the return alone */
	*began = bpf_ktime_get_ns();
	return 0;
}

char _license[] SEC("license") = "GPL";

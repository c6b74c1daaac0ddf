// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keep the set of processes that are counted: a forked process joins its parent, and a
 * process leaves with its last thread.
 *
 * Raw tracepoints need no tracefs, which is not mounted everywhere. Their arguments are
 * tasks; where the fields lie in a task, the kernel's own BTF tells (CO-RE).
 *
 * Exactness. The fork is reported in the parent, before the child runs for the first
 * time, so no hit of a child is missed; new threads share their process's id and
 * change nothing. The exit of a thread is reported after it left user space for good;
 * signal->live then tells whether others live on, so a main thread that ends first
 * takes nothing with it, and neither does a thread that calls execve() and so inherits
 * the process's id. The id can be used again only after the last exit was reported.
 *
 * Whose ids. Children may live in PID namespaces below the observer's, where helpers know no
 * id of the observer's namespace. So where forks are followed, the set holds the ids of the
 * initial namespace, which every process has; an iterator over the tasks finds those of
 * the processes to begin with. Otherwise it holds the ids that the observer uses.
 */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "upm_observe.h"

#define NAMESPACE_LEVELS 32 /* MAX_PID_NS_LEVEL of the kernel */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
typedef struct {
	int counter;
} atomic_t;
struct ns_common {
	unsigned int inum;
};
struct pid_namespace {
	struct ns_common ns;
};
struct upid {
	int nr;
	struct pid_namespace *ns;
};
struct pid {
	unsigned int level;
	struct upid numbers[1];
};
enum pid_type { PIDTYPE_TGID = 1 };
struct signal_struct {
	atomic_t live;
	struct pid *pids[4];
};
struct task_struct {
	int tgid;
	struct signal_struct *signal;
};
struct bpf_iter__task {
	struct task_struct *task;
};
#pragma clang attribute pop

const volatile struct upm_children_config config = {};
__u64 lost; /* children that the full set could not take */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, UPM_SCOPE_MAX);
	__type(key, __u32);
	__type(value, __u8);
} upm_scope SEC(".maps");

/* Processes to begin with: from the observer's id to the one in upm_scope; 0 = not found. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* set before the load */
	__type(key, __u32);
	__type(value, __u32);
} upm_wanted SEC(".maps");

/* The process's id in the namespace of whoever observes; 0 = it has none there. */
static __always_inline __u32 namespaced_id(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]);
	__u32 level = BPF_CORE_READ(pid, level);

	for (__u32 i = 0; i < NAMESPACE_LEVELS && i <= level; i++) {
		const char *base = (const char *)pid + bpf_core_field_offset(struct pid, numbers);
		const struct upid *upid =
			(const void *)(base + i * bpf_core_type_size(struct upid));
		struct pid_namespace *space = BPF_CORE_READ(upid, ns);

		if (BPF_CORE_READ(space, ns.inum) == config.namespace_inode)
			return BPF_CORE_READ(upid, nr);
	}
	return 0;
}

static __always_inline __u32 process_of(struct task_struct *task)
{
	return config.namespaced ? namespaced_id(task) : BPF_CORE_READ(task, tgid);
}

/* It may end just now: live falls before the exit is reported, so one of both takes it out. */
SEC("iter/task")
int adopt(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	__u32 wanted, process;
	__u8 present = 1;

	if (!task)
		return 0;
	wanted = namespaced_id(task);
	process = BPF_CORE_READ(task, tgid);
	if (!bpf_map_lookup_elem(&upm_wanted, &wanted))
		return 0;
	bpf_map_update_elem(&upm_wanted, &wanted, &process, BPF_ANY);
	bpf_map_update_elem(&upm_scope, &process, &present, BPF_ANY);
	if (BPF_CORE_READ(task, signal, live.counter) <= 0)
		bpf_map_delete_elem(&upm_scope, &process);
	return 0;
}

SEC("raw_tp/sched_process_fork")
int follow_fork(struct bpf_raw_tracepoint_args *context)
{
	__u32 parent = process_of((struct task_struct *)context->args[0]);
	__u32 child = process_of((struct task_struct *)context->args[1]);
	__u8 present = 1;

	if (parent == child || !child || !bpf_map_lookup_elem(&upm_scope, &parent))
		return 0;
	if (bpf_map_update_elem(&upm_scope, &child, &present, BPF_ANY))
		__sync_fetch_and_add(&lost, 1);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int follow_exit(struct bpf_raw_tracepoint_args *context)
{
	struct task_struct *task = (struct task_struct *)context->args[0];
	__u32 process;

	if (BPF_CORE_READ(task, signal, live.counter) > 0)
		return 0;
	process = process_of(task);
	bpf_map_delete_elem(&upm_scope, &process);
	return 0;
}

char _license[] SEC("license") = "GPL";

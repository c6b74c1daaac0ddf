// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measure calls by two programs, where the kernel has no sessions: one at the entry notes the
 * time, one at the return looks it up.
 *
 * A call is known by its thread, its probe and the place of its return address on the stack,
 * which is the same at both ends. Calls of one function can have that place in common: when it
 * tail-calls itself, at some remove, and after a call was left by longjmp() and never returned. The
 * kernel runs the returns of tail calls innermost first, and none for calls that were left. So
 * the times of a place are a stack: a return takes the top; what is left below it hurts
 * nobody, and falls out when new ones need its room, or with the place, when the map
 * needs room and it is the one used least recently.
 */
#include <asm/ptrace.h>

#include "latency.bpf.h"

#define PLACES 65536
#define TIMES 8 /* of one place */

struct place {
	__u32 tid;
	__u32 probe;
	__u64 address;
};

struct running {
	__u32 top;   /* where the next time goes, modulo TIMES */
	__u32 count; /* times below it */
	__u64 began[TIMES];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PLACES);
	__type(key, struct place);
	__type(value, struct running);
} upm_running SEC(".maps");

#if defined(__TARGET_ARCH_x86)
typedef struct pt_regs registers;
/* A call pushes the return address, and the return has taken it off again. */
#define PLACE_AT_ENTRY(registers) ((registers)->rsp)
#define PLACE_AT_RETURN(registers) ((registers)->rsp - sizeof(__u64))
#elif defined(__TARGET_ARCH_arm64)
typedef struct user_pt_regs registers;
/* The return address is in a register, but the stack pointer tells calls apart as well. */
#define PLACE_AT_ENTRY(registers) ((registers)->sp)
#define PLACE_AT_RETURN(registers) ((registers)->sp)
#else
#error "tell where the return address of a call is"
#endif

static __always_inline struct place place_of(void *context, __u64 address)
{
	return (struct place){
		.tid = (__u32)bpf_get_current_pid_tgid(),
		.probe = (__u32)bpf_get_attach_cookie(context),
		.address = address,
	};
}

static __always_inline int enter(registers *context)
{
	struct place place = place_of(context, PLACE_AT_ENTRY(context));
	struct running *running;

	if (!count_entry(place.probe))
		return 0;
	running = bpf_map_lookup_elem(&upm_running, &place);
	if (!running) {
		struct running nothing = {};

		bpf_map_update_elem(&upm_running, &place, &nothing, BPF_ANY);
		running = bpf_map_lookup_elem(&upm_running, &place);
	}
	if (!running)
		return 0;
	if (running->count < TIMES)
		running->count++;
	running->began[running->top++ % TIMES] = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int leave(registers *context)
{
	__u64 now = bpf_ktime_get_ns();
	struct place place = place_of(context, PLACE_AT_RETURN(context));
	struct running *running = bpf_map_lookup_elem(&upm_running, &place);
	__u64 began;

	if (!running || !running->count)
		return 0;
	began = running->began[--running->top % TIMES];
	if (--running->count == 0)
		bpf_map_delete_elem(&upm_running, &place);
	count_return(place.probe, began, now);
	return 0;
}

SEC("uprobe.multi")
int enter_multi(registers *context)
{
	return enter(context);
}

SEC("uretprobe.multi")
int leave_multi(registers *context)
{
	return leave(context);
}

SEC("uprobe")
int enter_plain(registers *context)
{
	return enter(context);
}

SEC("uretprobe")
int leave_plain(registers *context)
{
	return leave(context);
}

char _license[] SEC("license") = "GPL";

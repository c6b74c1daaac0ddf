/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "place/block.h"

#include <sys/syscall.h>

#include "uprobe_multi.h"

/*
 * A nop may be a USDT call site, whose reference counter another probe at the same place must not
 * lack; and in mid-function a kernel may turn one into a call that writes over the red zone.
 */
static bool is_cheap(const struct upm_insn_rules *rules, const struct upm_flow *flow, bool calls,
		     const uint8_t *code, size_t available, uint64_t address)
{
	struct upm_insn insn;

	if (flow->kind == UPM_FLOW_CALL && !calls)
		return false;
	upm_insn_judge(rules, code, available, address, &insn);
	return insn.probeable && insn.cost == UPM_COST_EMULATED && !insn.nop;
}

/*
 * System calls that answer at once, to whoever asked, so that a count behind them differs from one
 * before them by nothing but what a signal does in between: none that waits for others or for
 * devices, ends or replaces the program, or comes back twice.
 */
#if defined(__x86_64__)
/* clang-format off */
static const uint16_t prompt_calls[] = {
	SYS_mprotect, SYS_munmap, SYS_brk, SYS_rt_sigprocmask,
	SYS_sched_yield, SYS_mincore, SYS_dup, SYS_getitimer,
	SYS_alarm, SYS_setitimer, SYS_getpid, SYS_socket,
	SYS_bind, SYS_listen, SYS_getsockname, SYS_getpeername,
	SYS_socketpair, SYS_setsockopt, SYS_getsockopt, SYS_uname,
	SYS_semget, SYS_shmget, SYS_msgget, SYS_umask,
	SYS_getrusage, SYS_sysinfo, SYS_times, SYS_getuid,
	SYS_getgid, SYS_geteuid, SYS_getegid, SYS_setpgid,
	SYS_getppid, SYS_getpgrp, SYS_setsid, SYS_getgroups,
	SYS_getresuid, SYS_getresgid, SYS_getpgid, SYS_setfsuid,
	SYS_setfsgid, SYS_getsid, SYS_capget, SYS_capset,
	SYS_rt_sigpending, SYS_sigaltstack, SYS_personality, SYS_getpriority,
	SYS_setpriority, SYS_sched_setparam, SYS_sched_getparam, SYS_sched_setscheduler,
	SYS_sched_getscheduler, SYS_sched_get_priority_max, SYS_sched_get_priority_min, SYS_sched_rr_get_interval,
	SYS_arch_prctl, SYS_gettid, SYS_sched_setaffinity, SYS_sched_getaffinity,
	SYS_epoll_create, SYS_clock_getres, SYS_epoll_ctl, SYS_inotify_init,
	SYS_timerfd_create, SYS_timerfd_settime, SYS_timerfd_gettime, SYS_signalfd4,
	SYS_eventfd2, SYS_epoll_create1, SYS_pipe2, SYS_inotify_init1,
	SYS_prlimit64, SYS_memfd_create, SYS_pkey_alloc, SYS_pkey_free,
	SYS_pidfd_open,
};
/* clang-format on */

static bool comes_back(uint32_t number)
{
	for (size_t i = 0; i < sizeof(prompt_calls) / sizeof(prompt_calls[0]); i++)
		if (prompt_calls[i] == number)
			return true;
	return false;
}
#else
static bool comes_back(uint32_t number)
{
	(void)number;
	return false;
}
#endif

/* Whether the block goes on, for one that needs nothing. */
static bool passes(const struct upm_flow *flow, const uint8_t *code, size_t left, bool *known,
		   uint32_t *eax, const struct upm_insn_rules *rules)
{
	bool system = flow->kind == UPM_FLOW_SYSTEM && flow->target == 1;

	if (system && *known)
		return comes_back(*eax);
	if (left >= UPM_INSN_MAX && upm_sets_eax(code, eax))
		*known = true;
	else if (*known && upm_state_changed(rules, code, left) & 1)
		*known = false;
	return flow->kind == UPM_FLOW_ON;
}

uint8_t upm_block_site(const struct upm_insn_rules *rules, uint32_t needs, bool calls,
		       const uint8_t *code, size_t available, uint64_t size, uint64_t address)
{
	size_t end = size && size < available ? (size_t)size : available;
	bool known = false; /* what eax holds */
	uint32_t eax = 0;
	size_t at = 0;

	while (at < end && at <= UPM_BLOCK_BYTES) {
		size_t left = available - at;
		struct upm_flow flow;

		if (!upm_flow_of(rules, code + at, left, &flow))
			return 0;
		if (at && is_cheap(rules, &flow, calls, code + at, left, address + at))
			return (uint8_t)at;
		if (!passes(&flow, code + at, left, &known, &eax, rules) ||
		    (needs && (flow.kind != UPM_FLOW_ON ||
			       upm_state_changed(rules, code + at, left) & needs)))
			return 0;
		at += flow.length;
	}
	return 0;
}

// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* System calls that fail: a seccomp filter in the child, whose parent answers for each call. */
#include "faults/faults.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct watched {
	int number;
	const char *name;
	int scarce, forbidden; /* errno */
};

static const struct watched watched[] = {
	{SYS_bpf, "bpf", ENOMEM, EPERM},
	{SYS_openat, "openat", EMFILE, EACCES},
	{SYS_openat2, "openat2", EMFILE, EACCES},
	{SYS_mmap, "mmap", ENOMEM, EPERM},
	{SYS_read, "read", EIO, EACCES},
	{SYS_pread64, "pread64", EIO, EACCES},
	{SYS_clone, "clone", EAGAIN, EPERM},
	{SYS_clone3, "clone3", EAGAIN, EPERM},
	{SYS_perf_event_open, "perf_event_open", EMFILE, EACCES},
	{SYS_ioctl, "ioctl", ENOMEM, EPERM},
	{SYS_pipe2, "pipe2", EMFILE, EPERM},
	{SYS_memfd_create, "memfd_create", EMFILE, EPERM},
	{SYS_getdents64, "getdents64", EIO, EACCES},
	{SYS_newfstatat, "newfstatat", EIO, EACCES},
	{SYS_readlink, "readlink", EIO, EACCES},
	{SYS_mkdir, "mkdir", ENOSPC, EACCES},
	{SYS_epoll_ctl, "epoll_ctl", ENOMEM, EPERM},
	{SYS_epoll_create1, "epoll_create1", EMFILE, EPERM},
	{SYS_prlimit64, "prlimit64", EINVAL, EPERM},
};

void faults_reset(enum fault_kind kind, uint64_t at, enum fault_error error, bool lasting)
{
	memset(faults, 0, sizeof(*faults));
	faults->kind = kind;
	faults->at = at;
	faults->error = error;
	faults->lasting = lasting;
	faults->listener = -1;
}

void faults_arm(void)
{
	faults->armed = true;
}

void faults_disarm(void)
{
	faults->armed = false;
}

/* ---- the child */

static int install_filter(void)
{
	struct sock_filter code[COUNT_OF(watched) + 3];
	struct sock_fprog program = {.len = COUNT_OF(code), .filter = code};
	size_t count = COUNT_OF(watched);

	code[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					       offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < count; i++)
		code[i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							   (uint32_t)watched[i].number,
							   (uint8_t)(count - i), 0);
	code[count + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[count + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			    &program);
}

void faults_watch_me(void)
{
	int fd = install_filter();

	if (fd < 0)
		abort();
	faults->listener = fd;
	while (!faults->taken)
		usleep(200);
	close(fd);
}

/* ---- its parent */

static const struct watched *find(int number)
{
	for (size_t i = 0; i < COUNT_OF(watched); i++)
		if (watched[i].number == number)
			return &watched[i];
	return NULL;
}

static int answer(const struct seccomp_notif *question)
{
	const struct watched *call = find(question->data.nr);
	uint64_t number;

	if (!call || !faults->armed || faults->kind != FAULT_CALL)
		return 0;
	number = ++faults->count;
	if (!faults->at || (faults->lasting ? number < faults->at : number != faults->at))
		return 0;
	faults->fired = true;
	if (!faults->what[0])
		snprintf(faults->what, sizeof(faults->what), "%s(%lld)", call->name,
			 question->data.nr == SYS_bpf ? (long long)question->data.args[0] : 0);
	return faults->error == FAULT_FORBIDDEN ? call->forbidden : call->scarce;
}

/* The end of the child is asked for too: the listener alone does not tell on 6.1, which releases
 * the filter when the child is waited for, as 6.12 does when it exits (kernel/exit.c).
 * @return false when nobody is left who could ask */
static bool serve(int listener, int child)
{
	struct seccomp_notif question;
	struct seccomp_notif_resp response = {0};
	struct pollfd waiting[] = {{.fd = listener, .events = POLLIN},
				   {.fd = child, .events = POLLIN}};

	if (poll(waiting, 2, -1) < 0)
		return errno == EINTR;
	if (!(waiting[0].revents & POLLIN))
		return !waiting[0].revents && !waiting[1].revents;
	memset(&question, 0, sizeof(question));
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &question))
		return errno == EINTR || errno == ENOENT;
	response.id = question.id;
	response.error = -answer(&question);
	response.flags = response.error ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
	return true;
}

void faults_watch(pid_t child)
{
	int pidfd = (int)syscall(SYS_pidfd_open, child, 0), listener;

	while (faults->listener < 0)
		usleep(200);
	listener = (int)syscall(SYS_pidfd_getfd, pidfd, (int)faults->listener, 0);
	if (listener < 0)
		abort();
	faults->taken = true;
	while (serve(listener, pidfd))
		;
	close(listener);
	close(pidfd);
}

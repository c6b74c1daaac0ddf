/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "attach/shelter.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/parallel.h"
#include "base/pid_namespace.h"

#define STACK_SIZE ((size_t)64 << 10)

/* The child runs on a small stack of its own, which sanitizers would take for an overflow. */
#define IN_CHILD __attribute__((no_sanitize("address", "undefined")))

struct errand {
	void (*work)(void *context);
	void *context;
};

IN_CHILD static int run(void *argument)
{
	const struct errand *errand = argument;

	syscall(SYS_setsid);
	errand->work(errand->context);
	syscall(SYS_exit, 0);
	return 0;
}

/* @return false when there is no child to be had */
static bool send_child(void (*work)(void *context), void *context)
{
	struct errand errand = {.work = work, .context = context};
	sigset_t all, before;
	char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	int child;

	if (stack == MAP_FAILED)
		return false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	child = clone(run, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | CLONE_FILES, &errand);
	while (child > 0 && waitpid(child, NULL, __WALL) < 0 && errno == EINTR)
		;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	munmap(stack, STACK_SIZE);
	return child > 0;
}

void upm_shelter(void (*work)(void *context), void *context)
{
	if (!send_child(work, context))
		work(context);
}

/*
 * Written while a copy of this process has descriptors of others: a link that is closed meanwhile
 * would not end before the copy closes it, too.
 */
static pthread_rwlock_t copying = PTHREAD_RWLOCK_INITIALIZER;

/* In a process that is forked while somebody has the lock, nobody would give it back. */
static void renew_lock(void)
{
	copying = (pthread_rwlock_t)PTHREAD_RWLOCK_INITIALIZER;
}

__attribute__((constructor)) static void renew_lock_after_fork(void)
{
	pthread_atfork(NULL, NULL, renew_lock);
}

IN_CHILD static void close_fd(void *context)
{
	syscall(SYS_close, *(const int *)context);
}

void upm_shelter_close(int fd)
{
	if (fd < 0)
		return;
	pthread_rwlock_rdlock(&copying);
	upm_shelter(close_fd, &fd);
	pthread_rwlock_unlock(&copying);
}

static void close_one(void *context, size_t index)
{
	const int *fds = context;

	upm_shelter_close(fds[index]);
}

void upm_shelter_close_all(const int *fds, size_t count)
{
	upm_parallel(count, SIZE_MAX, close_one, (void *)fds);
}

/* ------------------------------------------------------------ closing behind */

/*
 * Two ends of a socket, to give a word from one process to the other. By a byte each time: the
 * socket's end alone would wait for every process that was forked meanwhile.
 */
struct remains {
	const int *fds; /* rising */
	size_t count;
	int caller, copy; /* the ends; -1 = none */
	bool left;	  /* there is a copy */
};

/* From first to last, but for the one that is kept. */
IN_CHILD static void close_between(unsigned int first, unsigned int last, unsigned int kept)
{
	if (kept < first || kept > last) {
		if (first <= last)
			syscall(SYS_close_range, first, last, 0);
		return;
	}
	if (kept > first)
		syscall(SYS_close_range, first, kept - 1, 0);
	if (kept < last)
		syscall(SYS_close_range, kept + 1, last, 0);
}

/*
 * A process that lives for minutes must not keep the caller's pipes, sockets and files open, nor
 * what others of its kind wait for.
 */
IN_CHILD static void keep_only(const struct remains *remains)
{
	unsigned int next = 0, own = (unsigned int)remains->copy;

	for (size_t i = 0; i < remains->count; i++) {
		unsigned int fd = (unsigned int)remains->fds[i];

		if (fd > next)
			close_between(next, fd - 1, own);
		next = fd + 1;
	}
	close_between(next, UINT_MAX, own);
}

/*
 * The caller waits until the copy has nothing but its own; the copy waits until the caller has
 * closed its descriptors: whoever closes one last has to wait for its end, and that must not be the
 * caller.
 */
IN_CHILD static void wait_for_caller(const struct remains *remains)
{
	char word = 0;

	if (remains->copy < 0)
		return;
	syscall(SYS_write, remains->copy, &word, 1); /* SIGPIPE is blocked, like all signals */
	syscall(SYS_read, remains->copy, &word, 1);
	syscall(SYS_close, remains->copy);
}

/*
 * Within the shelter: a copy of the process, whose parent, the shelter, ends at once, so that
 * it is init's to reap. It has the one thread that made it and makes system calls only.
 */
IN_CHILD static void leave_behind(void *context)
{
	struct remains *remains = context;
	long copy = syscall(SYS_clone, 0L, 0L, 0L, 0L, 0L);

	if (copy) {
		remains->left = copy > 0;
		return;
	}
	syscall(SYS_setsid);
	syscall(SYS_prctl, PR_SET_NAME, "upm-detach", 0, 0, 0);
	keep_only(remains);
	wait_for_caller(remains);
	for (size_t i = 0; i < remains->count; i++)
		syscall(SYS_close, remains->fds[i]);
	syscall(SYS_exit_group, 0);
}

IN_CHILD static void close_all(void *context)
{
	const struct remains *remains = context;

	for (size_t i = 0; i < remains->count; i++)
		syscall(SYS_close, remains->fds[i]);
}

static int rising(const void *left, const void *right)
{
	const int *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static void wait_for_copy(struct remains *remains)
{
	char word;

	if (remains->copy < 0)
		return;
	close(remains->copy);
	while (remains->left && read(remains->caller, &word, 1) < 0 && errno == EINTR)
		;
}

static void let_copy_go_on(const struct remains *remains)
{
	if (remains->caller < 0)
		return;
	while (send(remains->caller, "", 1, MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
	close(remains->caller);
}

static void copy_and_close(struct remains *remains)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0) {
		remains->caller = ends[0];
		remains->copy = ends[1];
	}
	pthread_rwlock_wrlock(&copying);
	send_child(leave_behind, remains); /* the caller's own child nobody would reap */
	wait_for_copy(remains);
	pthread_rwlock_unlock(&copying);
	upm_shelter(close_all, remains);
	let_copy_go_on(remains);
}

/*
 * The end of a PID namespace kills what is in it, in the midst of taking breakpoints out; a
 * subreaper would be given a child that it never made.
 */
static bool may_leave_behind(void)
{
	struct stat space;
	int subreaper = 0;

	return stat("/proc/self/ns/pid", &space) == 0 &&
	       space.st_ino == UPM_PID_NAMESPACE_INITIAL && getpid() != 1 &&
	       prctl(PR_GET_CHILD_SUBREAPER, &subreaper, 0, 0, 0) == 0 && !subreaper;
}

void upm_shelter_close_behind(int *fds, size_t count)
{
	struct remains remains = {.fds = fds, .count = count, .caller = -1, .copy = -1};

	qsort(fds, count, sizeof(*fds), rising);
	if (may_leave_behind())
		copy_and_close(&remains);
	else
		upm_shelter(close_all, &remains);
}

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
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/parallel.h"

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
static bool send_child(struct errand *errand)
{
	sigset_t all, before;
	char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	int child;

	if (stack == MAP_FAILED)
		return false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	child = clone(run, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | CLONE_FILES, errand);
	while (child > 0 && waitpid(child, NULL, __WALL) < 0 && errno == EINTR)
		;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	munmap(stack, STACK_SIZE);
	return child > 0;
}

void upm_shelter(void (*work)(void *context), void *context)
{
	struct errand errand = {.work = work, .context = context};

	if (!send_child(&errand))
		work(context);
}

IN_CHILD static void close_fd(void *context)
{
	syscall(SYS_close, *(const int *)context);
}

void upm_shelter_close(int fd)
{
	if (fd >= 0)
		upm_shelter(close_fd, &fd);
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

struct remains {
	const int *fds; /* rising */
	size_t count;
	int gate[2]; /* a pipe: a byte, or its end, says that this process has closed them; -1 =
			none */
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
 * the gates of others of its kind, which wait for them.
 */
IN_CHILD static void keep_only(const struct remains *remains)
{
	unsigned int next = 0, gate = (unsigned int)remains->gate[0];

	for (size_t i = 0; i < remains->count; i++) {
		unsigned int fd = (unsigned int)remains->fds[i];

		if (fd > next)
			close_between(next, fd - 1, gate);
		next = fd + 1;
	}
	close_between(next, UINT_MAX, gate);
}

/* Whoever closes a descriptor last has to wait for its end, and that must not be the caller. */
IN_CHILD static void wait_for_caller(const struct remains *remains)
{
	char word;

	if (remains->gate[0] < 0)
		return;
	syscall(SYS_read, remains->gate[0], &word, 1);
	syscall(SYS_close, remains->gate[0]);
}

/*
 * Within the shelter: a copy of the process, whose parent, the shelter, ends at once, so that
 * it is init's to reap. It has the one thread that made it and makes system calls only.
 */
IN_CHILD static void leave_behind(void *context)
{
	const struct remains *remains = context;

	if (syscall(SYS_clone, 0L, 0L, 0L, 0L, 0L))
		return;
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

/* By a byte: the pipe's end alone would wait for every process that was forked meanwhile. */
static void open_gate(const int gate[2])
{
	while (gate[1] >= 0 && write(gate[1], "", 1) < 0 && errno == EINTR)
		;
	for (size_t i = 0; i < 2; i++) {
		if (gate[i] >= 0)
			close(gate[i]);
	}
}

void upm_shelter_close_behind(int *fds, size_t count)
{
	struct remains remains = {.fds = fds, .count = count, .gate = {-1, -1}};

	qsort(fds, count, sizeof(*fds), rising);
	if (pipe2(remains.gate, O_CLOEXEC))
		remains.gate[0] = remains.gate[1] = -1;
	upm_shelter(leave_behind, &remains);
	upm_shelter(close_all, &remains);
	open_gate(remains.gate);
}

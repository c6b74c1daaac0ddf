// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "wait.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "report.h"
#include "signals.h"

enum { SLOT_SIGNAL, SLOT_COMMAND, SLOT_EVENTS, SLOT_OUTPUT, SLOT_PROCESSES };

/* @return the process that a thread id belongs to; the id itself when it can not be told. */
static int32_t process_of(int32_t tid)
{
	char path[64], line[128];
	int tgid = tid;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "Tgid: %d", &tgid) == 1)
			break;
	if (status)
		fclose(status);
	return tgid;
}

/*
 * Watch a process by a descriptor. One that lives and can not have one, because descriptors
 * have run out, is asked for by its id from time to time.
 * @return false when it has ended.
 */
static bool watch_process(struct cli_wait *wait, int32_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd >= 0)
		wait->fds[wait->count++] = (struct pollfd){.fd = fd, .events = POLLIN};
	else if (errno != ESRCH && (kill(pid, 0) == 0 || errno != ESRCH))
		wait->unwatched[wait->unwatched_count++] = pid;
	else
		return false;
	return true;
}

int cli_wait_open(struct cli_wait *wait, const struct cli_options *options,
		  const struct cli_launch *launch)
{
	*wait = (struct cli_wait){.end_ns = UINT64_MAX};
	wait->watches_pids = options->pid_count && !launch;
	wait->fds = calloc(SLOT_PROCESSES + options->pid_count, sizeof(*wait->fds));
	wait->unwatched = calloc(options->pid_count + 1, sizeof(*wait->unwatched));
	if (!wait->fds || !wait->unwatched)
		return cli_fail("watch", "the processes", strerror(ENOMEM), "");
	wait->fds[SLOT_SIGNAL] = (struct pollfd){.fd = cli_signals_fd(), .events = POLLIN};
	wait->fds[SLOT_COMMAND] =
		(struct pollfd){.fd = launch ? launch->pidfd : -1, .events = POLLIN};
	wait->fds[SLOT_EVENTS] = (struct pollfd){.fd = -1, .events = POLLIN};
	wait->fds[SLOT_OUTPUT] = (struct pollfd){.fd = -1};
	wait->count = SLOT_PROCESSES;
	if (!wait->watches_pids)
		return 0;
	for (size_t i = 0; i < options->pid_count; i++)
		watch_process(wait, process_of(options->pids[i]));
	return 0;
}

void cli_wait_watch_events(struct cli_wait *wait, int fd)
{
	wait->fds[SLOT_EVENTS].fd = fd;
}

void cli_wait_watch_output(struct cli_wait *wait, int fd)
{
	wait->fds[SLOT_OUTPUT].fd = fd;
}

void cli_wait_start(struct cli_wait *wait, const struct cli_options *options)
{
	if (options->duration_ns)
		wait->end_ns = cli_now_ns() + options->duration_ns;
}

/* Keep only those that go on: ppoll() refuses more entries than descriptors are allowed. */
static void note_ended(struct cli_wait *wait)
{
	size_t kept = SLOT_PROCESSES;

	for (size_t i = SLOT_PROCESSES; i < wait->count; i++) {
		if (wait->fds[i].revents)
			close(wait->fds[i].fd);
		else
			wait->fds[kept++] = wait->fds[i];
	}
	wait->count = kept;
}

/* Those that ended drop out; descriptors that have become free serve the others. */
static void ask_for_unwatched(struct cli_wait *wait)
{
	size_t asked = wait->unwatched_count;

	wait->unwatched_count = 0;
	for (size_t i = 0; i < asked; i++)
		watch_process(wait, wait->unwatched[i]);
}

static uint64_t earlier(uint64_t left, uint64_t right)
{
	return left < right ? left : right;
}

static int poll_until(struct cli_wait *wait, uint64_t when_ns)
{
	uint64_t now = cli_now_ns();
	uint64_t left = when_ns > now ? when_ns - now : 0;
	struct timespec time;

	if (wait->unwatched_count)
		left = earlier(left, CLI_SECOND_NS);
	time = (struct timespec){(time_t)(left / CLI_SECOND_NS), (long)(left % CLI_SECOND_NS)};
	return ppoll(wait->fds, wait->count, left > UINT64_MAX / 2 ? NULL : &time, NULL);
}

static bool all_have_ended(const struct cli_wait *wait)
{
	return wait->watches_pids && wait->count == SLOT_PROCESSES && !wait->unwatched_count;
}

enum cli_event cli_wait_next(struct cli_wait *wait, uint64_t tick_ns)
{
	while (!all_have_ended(wait)) {
		int ready = poll_until(wait, earlier(tick_ns, wait->end_ns));
		int reason = errno;
		uint64_t now = cli_now_ns();

		if (cli_signals_caught())
			return CLI_EVENT_SIGNAL;
		if (ready < 0 && reason != EINTR) {
			cli_fail("wait for", "the end", strerror(reason), "");
			return CLI_EVENT_ERROR;
		}
		if (ready > 0 && wait->fds[SLOT_COMMAND].revents)
			return CLI_EVENT_COMMAND;
		if (ready > 0 && wait->fds[SLOT_OUTPUT].revents)
			return CLI_EVENT_OUTPUT;
		if (ready > 0)
			note_ended(wait);
		ask_for_unwatched(wait);
		if (now >= wait->end_ns)
			return CLI_EVENT_DURATION;
		if (now >= tick_ns || (ready > 0 && wait->fds[SLOT_EVENTS].revents))
			return CLI_EVENT_TICK;
	}
	return CLI_EVENT_PROCESSES;
}

void cli_wait_close(struct cli_wait *wait)
{
	for (size_t i = SLOT_PROCESSES; i < wait->count; i++)
		close(wait->fds[i].fd);
	free(wait->fds);
	free(wait->unwatched);
}

const char *cli_event_name(enum cli_event event)
{
	static const char *const names[] = {"tick",	 "signal", "duration", "command",
					    "processes", "output", "enough",   "error"};

	return names[event];
}

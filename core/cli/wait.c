// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "wait.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "report.h"
#include "signals.h"

enum { SLOT_SIGNAL, SLOT_COMMAND, SLOT_PROCESSES };

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

/* A process that can not be watched for another reason than its end counts as living. */
static void watch_process(struct cli_wait *wait, int32_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, process_of(pid), 0);

	wait->fds[wait->count++] = (struct pollfd){.fd = fd, .events = POLLIN};
	if (fd >= 0 || errno != ESRCH)
		wait->alive++;
}

int cli_wait_open(struct cli_wait *wait, const struct cli_options *options,
		  const struct cli_launch *launch)
{
	*wait = (struct cli_wait){.end_ns = UINT64_MAX};
	wait->fds = calloc(SLOT_PROCESSES + options->pid_count, sizeof(*wait->fds));
	if (!wait->fds)
		return cli_fail("watch", "the processes", strerror(ENOMEM), "");
	wait->fds[SLOT_SIGNAL] = (struct pollfd){.fd = cli_signals_fd(), .events = POLLIN};
	wait->fds[SLOT_COMMAND] =
		(struct pollfd){.fd = launch ? launch->pidfd : -1, .events = POLLIN};
	wait->count = SLOT_PROCESSES;
	for (size_t i = 0; i < options->pid_count; i++)
		watch_process(wait, options->pids[i]);
	wait->watches_pids = options->pid_count && !launch;
	return 0;
}

void cli_wait_start(struct cli_wait *wait, const struct cli_options *options)
{
	if (options->duration_ns)
		wait->end_ns = cli_now_ns() + options->duration_ns;
}

static void note_ended(struct cli_wait *wait)
{
	for (size_t i = SLOT_PROCESSES; i < wait->count; i++) {
		if (wait->fds[i].fd >= 0 && wait->fds[i].revents) {
			close(wait->fds[i].fd);
			wait->fds[i].fd = -1;
			wait->alive--;
		}
	}
}

static int poll_until(struct cli_wait *wait, uint64_t when_ns)
{
	uint64_t now = cli_now_ns();
	uint64_t left = when_ns > now ? when_ns - now : 0;
	struct timespec time = {(time_t)(left / CLI_SECOND_NS), (long)(left % CLI_SECOND_NS)};

	return ppoll(wait->fds, wait->count, when_ns == UINT64_MAX ? NULL : &time, NULL);
}

enum cli_event cli_wait_next(struct cli_wait *wait, uint64_t tick_ns)
{
	for (;;) {
		int ready;

		if (wait->watches_pids && !wait->alive)
			return CLI_EVENT_PROCESSES;
		ready = poll_until(wait, tick_ns < wait->end_ns ? tick_ns : wait->end_ns);
		if (cli_signals_caught())
			return CLI_EVENT_SIGNAL;
		if (ready > 0 && wait->fds[SLOT_COMMAND].revents)
			return CLI_EVENT_COMMAND;
		if (ready > 0)
			note_ended(wait);
		else if (ready == 0)
			return cli_now_ns() >= wait->end_ns ? CLI_EVENT_DURATION : CLI_EVENT_TICK;
	}
}

void cli_wait_close(struct cli_wait *wait)
{
	for (size_t i = SLOT_PROCESSES; i < wait->count; i++)
		if (wait->fds[i].fd >= 0)
			close(wait->fds[i].fd);
	free(wait->fds);
}

const char *cli_event_name(enum cli_event event)
{
	static const char *const names[] = {"tick", "signal", "duration", "command", "processes"};

	return names[event];
}

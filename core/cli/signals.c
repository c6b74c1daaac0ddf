// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "clock.h"

/* timeout(1) and a terminal that is closed send a signal twice at once: that asks once. */
#define SAME_REQUEST_NS (CLI_SECOND_NS / 2)
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const int handled[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
static struct sigaction before[LENGTH(handled)];
static volatile sig_atomic_t caught;
static uint64_t caught_ns;
static int wake[2] = {-1, -1};

static void on_signal(int number)
{
	int saved = errno;

	if (!caught) {
		caught = number;
		caught_ns = cli_now_ns();
		/* The pipe is empty, so one byte always fits. */
		(void)!write(wake[1], "", 1);
	} else if (cli_now_ns() - caught_ns >= SAME_REQUEST_NS) {
		signal(number, SIG_DFL);
		raise(number);
	}
	errno = saved;
}

/* nohup stays in force; a broken pipe is seen as EPIPE where the output is written. */
static int install_one(int number, struct sigaction *old)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	if (sigaction(number, NULL, old) < 0)
		return -1;
	if (number == SIGHUP && old->sa_handler == SIG_IGN)
		return 0;
	if (number == SIGPIPE)
		action.sa_handler = SIG_IGN;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < LENGTH(handled); i++)
		sigaddset(&action.sa_mask, handled[i]);
	return sigaction(number, &action, NULL);
}

int cli_signals_install(void)
{
	if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	for (size_t i = 0; i < LENGTH(handled); i++)
		if (install_one(handled[i], &before[i]) < 0)
			return -1;
	return 0;
}

int cli_signals_fd(void)
{
	return wake[0];
}

int cli_signals_caught(void)
{
	return caught;
}

void cli_signals_release(void)
{
	for (size_t i = 0; i < LENGTH(handled); i++)
		if (handled[i] != SIGPIPE)
			sigaction(handled[i], &before[i], NULL);
}

void cli_signals_restore(void)
{
	for (size_t i = 0; i < LENGTH(handled); i++)
		sigaction(handled[i], &before[i], NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What an observation waits for: a signal, its time, its processes, its command. */
#ifndef UPM_CLI_WAIT_H
#define UPM_CLI_WAIT_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#include "launch.h"
#include "options.h"

enum cli_event {
	CLI_EVENT_TICK,	     /**< the time given to cli_wait_next() has come */
	CLI_EVENT_SIGNAL,    /**< Ctrl-C or a request to end */
	CLI_EVENT_DURATION,  /**< the time of -d is over */
	CLI_EVENT_COMMAND,   /**< the command has ended */
	CLI_EVENT_PROCESSES, /**< every process of -p has ended */
	CLI_EVENT_OUTPUT,    /**< nobody reads the output any more */
	CLI_EVENT_ENOUGH,    /**< as many events as were asked for have come */
	CLI_EVENT_ERROR,     /**< waiting failed; the message has been printed */
};

struct cli_wait {
	struct pollfd *fds; /**< signal, command, events, output (-1 = none), then processes */
	size_t count;
	int32_t *unwatched; /**< processes without a descriptor: asked for each second */
	size_t unwatched_count;
	bool watches_pids; /**< the end of all processes ends the observation */
	uint64_t end_ns;   /**< UINT64_MAX = never */
};

/** Begin to watch. @param launch NULL = no command. @return 0, or CLI_FAILED after a message. */
int cli_wait_open(struct cli_wait *wait, const struct cli_options *options,
		  const struct cli_launch *launch);

/** Start the time of -d. */
void cli_wait_start(struct cli_wait *wait, const struct cli_options *options);

/** A tick comes also when this descriptor is readable; it stays the caller's. */
void cli_wait_watch_events(struct cli_wait *wait, int fd);

/** It ends also when nobody reads the other end of this pipe. */
void cli_wait_watch_output(struct cli_wait *wait, int fd);

/** @param tick_ns a time of CLOCK_MONOTONIC, or UINT64_MAX = no tick wanted */
enum cli_event cli_wait_next(struct cli_wait *wait, uint64_t tick_ns);

void cli_wait_close(struct cli_wait *wait);

/** @return "signal", "duration", "command", "processes", "output", "enough", "error"; for JSON. */
const char *cli_event_name(enum cli_event event);

#endif

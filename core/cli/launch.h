/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The COMMAND behind "--": forked first and held before its exec, so that probes can be
 * attached to its process id; then released. The kernel's filter follows the process
 * over the exec, so the very first instruction of the new program is observed.
 *
 *     cli_launch_find() → resolve → cli_launch_hold() → attach → cli_launch_release()
 *
 * Nobody kills it: when the observation ends first, the command goes on alone.
 */
#ifndef UPM_CLI_LAUNCH_H
#define UPM_CLI_LAUNCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct cli_launch {
	char *const *argv;
	char *path;	/**< the executable that argv[0] names */
	char *program;	/**< what is really loaded: path, or the interpreter of a script */
	pid_t pid;	/**< 0 = not forked */
	int pidfd;	/**< readable when it has ended */
	int release_fd; /**< a byte here lets it go on to exec */
	int failure_fd; /**< gives the errno of a failed exec, or end of file */
	int status;	/**< of waitpid(), once ended */
	bool ended;
};

/** Find the executable on PATH. @return 0, or CLI_FAILED after a message. */
int cli_launch_find(struct cli_launch *launch, char *const *argv);

/** Fork; the child waits. @return 0, or CLI_FAILED after a message. */
int cli_launch_hold(struct cli_launch *launch);

/** Let it run. @return 0, or CLI_FAILED after a message when it could not be executed. */
int cli_launch_release(struct cli_launch *launch);

/** Note how it ended, waiting for that at most so many milliseconds. @return ended */
bool cli_launch_reap(struct cli_launch *launch, int milliseconds);

/** Free; a child that was never released ends without having run anything. */
void cli_launch_free(struct cli_launch *launch);

#endif

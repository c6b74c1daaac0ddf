/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Failures told to the user, and where the output goes. */
#ifndef UPM_CLI_REPORT_H
#define UPM_CLI_REPORT_H

#include <stdio.h>

#define CLI_NAME "uprobe-multi"

enum cli_exit {
	CLI_DONE = 0,
	CLI_FAILED = 1, /**< nothing could be attached, or the run failed */
	CLI_USAGE = 2
};

/** Print "uprobe-multi: operation object: message" and the hint below. @return CLI_FAILED */
int cli_fail(const char *operation, const char *object, const char *message, const char *hint);

/** Print the library's last error. @return CLI_FAILED */
int cli_fail_library(void);

/** @return stdout, or path opened for writing; NULL after a message. */
FILE *cli_output_open(const char *path);

/** Flush; cli_output_close() tells why that failed. */
void cli_output_flush(FILE *output);

/**
 * Flush, and close what cli_output_open() opened.
 * @return CLI_DONE; CLI_FAILED when something could not be written, after a message
 *         unless it is only that the reader of a pipe has gone.
 */
int cli_output_close(FILE *output, const char *path);

/** For atexit(): close standard output where nobody has, as after a --help that ends the process.
 */
void cli_output_close_at_exit(void);

#endif

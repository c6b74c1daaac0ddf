// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "report.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "text.h"
#include "uprobe_multi.h"

int cli_fail(const char *operation, const char *object, const char *message, const char *hint)
{
	fputs(CLI_NAME ": ", stderr);
	cli_text_put(stderr, operation, 0, 0);
	if (*object) {
		fputc(' ', stderr);
		cli_text_put(stderr, object, 0, 0);
	}
	fputs(": ", stderr);
	cli_text_put(stderr, message, 0, 0);
	fputc('\n', stderr);
	if (*hint) {
		fputs("  ", stderr);
		cli_text_put(stderr, hint, 0, 0);
		fputc('\n', stderr);
	}
	return CLI_FAILED;
}

int cli_fail_library(void)
{
	const struct upm_error *error = upm_error_last();

	if (error->code == UPM_ERR_CANCELLED)
		return cli_fail(error->operation, error->object, "interrupted",
				"nothing is left attached");
	if (error->code == UPM_ERR_STRICT)
		return cli_fail(error->operation, error->object, error->message,
				"leave this probe out, or go on without --strict");
	return cli_fail(error->operation, error->object, error->message, error->hint);
}

FILE *cli_output_open(const char *path)
{
	FILE *output;

	if (!path)
		return stdout;
	output = fopen(path, "we");
	if (!output)
		cli_fail("write to", path, strerror(errno), "");
	return output;
}

/* Whether standard output has been closed: what there was to tell of it is told. */
static bool is_closed;

/* Why a write failed before; a stream forgets, and drops what it could not write. */
static int write_error;

void cli_output_flush(FILE *output)
{
	if (fflush(output) == EOF)
		write_error = errno;
}

/* A pipe whose reader has had enough, as in `| head`, is nobody's fault. */
static bool reader_is_gone(int fd)
{
	struct pollfd end = {.fd = fd, .events = POLLOUT};

	return poll(&end, 1, 0) == 1 && (end.revents & POLLERR);
}

int cli_output_close(FILE *output, const char *path)
{
	bool failed, is_silent;

	cli_output_flush(output);
	failed = ferror(output);
	is_silent = failed && reader_is_gone(fileno(output));
	is_closed |= !path;
	if (path && fclose(output) == EOF && !failed) {
		failed = true;
		write_error = errno;
	}
	if (failed && !is_silent)
		cli_fail("write to", path ? path : "the standard output",
			 write_error ? strerror(write_error) : "not everything could be written",
			 "");
	return failed ? CLI_FAILED : CLI_DONE;
}

void cli_output_close_at_exit(void)
{
	if (!is_closed && cli_output_close(stdout, NULL))
		_exit(CLI_FAILED);
}

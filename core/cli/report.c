// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "report.h"

#include <errno.h>
#include <string.h>

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

	return cli_fail(error->operation, error->object, error->message, error->hint);
}

FILE *cli_output_open(const char *path)
{
	FILE *output = path ? fopen(path, "we") : stdout;

	if (!output)
		cli_fail("write to", path, strerror(errno), "");
	return output;
}

int cli_output_close(FILE *output, const char *path)
{
	int failed = ferror(output);
	int reason = 0;

	if (fflush(output) == EOF) {
		failed = 1;
		reason = errno;
	}
	if (path && fclose(output) == EOF && !failed) {
		failed = 1;
		reason = errno;
	}
	if (failed && reason && reason != EPIPE)
		cli_fail("write to", path ? path : "the standard output", strerror(reason), "");
	return failed ? CLI_FAILED : CLI_DONE;
}

// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEFAULT_ROWS 24
#define DEFAULT_COLUMNS 80

static bool is_dumb(void)
{
	const char *name = getenv("TERM");

	return !name || !*name || strcmp(name, "dumb") == 0;
}

static bool colour_is_welcome(void)
{
	const char *refusal = getenv("NO_COLOR");

	return !refusal || !*refusal;
}

struct cli_window cli_window_of(int fd)
{
	struct cli_window window = {0};
	struct winsize size = {0};

	if (!isatty(fd))
		return window;
	if (ioctl(fd, TIOCGWINSZ, &size) < 0)
		memset(&size, 0, sizeof(size));
	window.rows = size.ws_row ? size.ws_row : DEFAULT_ROWS;
	window.columns = size.ws_col ? size.ws_col : DEFAULT_COLUMNS;
	window.terminal = !is_dumb();
	window.colour = window.terminal && colour_is_welcome();
	return window;
}

const char *cli_bold(const struct cli_window *window)
{
	return window->colour ? "\x1b[1m" : "";
}

const char *cli_red(const struct cli_window *window)
{
	return window->colour ? "\x1b[31m" : "";
}

const char *cli_green(const struct cli_window *window)
{
	return window->colour ? "\x1b[32m" : "";
}

const char *cli_plain(const struct cli_window *window)
{
	return window->colour ? "\x1b[0m" : "";
}

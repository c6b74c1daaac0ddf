/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What is known about the terminal behind a descriptor. */
#ifndef UPM_CLI_TERMINAL_H
#define UPM_CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

struct cli_window {
	bool terminal; /**< a terminal that can move its cursor */
	bool colour;   /**< and colours are welcome: NO_COLOR is not set */
	size_t rows;   /**< 0 when it is no terminal */
	size_t columns;
};

struct cli_window cli_window_of(int fd);

/** @return the sequence that switches to bold, red, …; "" where colours are not welcome. */
const char *cli_bold(const struct cli_window *window);
const char *cli_red(const struct cli_window *window);
const char *cli_green(const struct cli_window *window);
const char *cli_plain(const struct cli_window *window);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Collapsed stacks, as flame-graph tools read them: a line for each different stack, with
 * its frames from the root on, joined by ';', and behind a blank how often it came.
 */
#ifndef UPM_CLI_FOLDED_H
#define UPM_CLI_FOLDED_H

#include <stdint.h>
#include <stdio.h>

struct cli_folded {
	void *tree; /**< of tsearch(3) */
};

/** Count one more of a line, which is copied. @return 0 or -1: no memory. */
int cli_folded_add(struct cli_folded *folded, const char *line);

/** Print all, ordered by line. */
void cli_folded_print(FILE *out, const struct cli_folded *folded);

void cli_folded_free(struct cli_folded *folded);

#endif

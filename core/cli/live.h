/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * A live table, drawn in place: each frame moves the cursor up over the one before, and is
 * one write. No mode of the terminal is changed, so nothing is left to restore, however the
 * command ends.
 */
#ifndef UPM_CLI_LIVE_H
#define UPM_CLI_LIVE_H

#include "table.h"

struct cli_live {
	struct cli_window window; /**< as it was at the frame before */
	size_t lines;		  /**< drawn, above the cursor */
	uint64_t drawn_ns;	  /**< when; 0 = not yet */
	struct cli_widths widths; /**< columns never shrink, so that the eye can rest */
};

/**
 * Make a title that fits into the window: "HEAD DETAIL, TIME; Ctrl-C ends". Where it is narrow the
 * detail is left out first, then the hint.
 */
void cli_live_title(char *title, size_t size, const char *head, const char *detail,
		    const char *time);

/** @return rows that the window of the standard output has room for. */
size_t cli_live_rows(void);

/** Draw a frame on the standard output: a title and a table. */
void cli_live_draw(struct cli_live *live, const char *title, struct cli_table *table);

/** Take the frame away. */
void cli_live_clear(struct cli_live *live);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The table of functions by their hits, live or final.
 *
 * The live table is drawn in place: each frame moves the cursor up over the one before,
 * and is one write. No mode of the terminal is changed, so nothing is left to restore,
 * however the command ends.
 */
#ifndef UPM_CLI_TABLE_H
#define UPM_CLI_TABLE_H

#include "count.h"
#include "terminal.h"

struct cli_live {
	struct cli_window window; /**< as it was at the frame before */
	size_t lines;		  /**< drawn, above the cursor */
	size_t symbol_width;	  /**< columns never shrink, so that the eye can rest */
	size_t path_width;
	uint64_t drawn_ns;
};

/** Draw a frame on the standard output, from hits that were just read. */
void cli_live_draw(struct cli_live *live, struct cli_count *count);

/** Take the frame away. */
void cli_live_clear(struct cli_live *live);

/** Print the final table. @param window of the output */
void cli_table_print(FILE *out, struct cli_count *count, const struct cli_window *window);

#endif

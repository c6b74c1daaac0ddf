/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Stacks of events, by name. */
#ifndef UPM_CLI_FRAMES_H
#define UPM_CLI_FRAMES_H

#include <stdio.h>

#include "names.h"
#include "uprobe_multi.h"

struct cli_frames {
	struct upm_symbolizer *symbolizer; /**< made when the first stack comes */
	struct cli_names *names;	   /**< readable or raw, as the user wants */
};

/** One frame of a stack. */
struct cli_frame {
	uint64_t address;
	struct upm_place place;
};

/**
 * Find out what a frame is.
 * @param index  0 … event->stack_count-1, innermost first
 * @param probe  of the event: it is known to be the first frame of an entry
 */
struct cli_frame cli_frame_of(struct cli_frames *frames, const struct upm_event *event,
			      const char *text, uint32_t index, const struct upm_probe *probe);

/** Print such as "libc.so.6:open64+0x10", or the address. */
void cli_frame_print(FILE *out, struct cli_frames *frames, const struct cli_frame *frame);

/** @return the function alone, or "[libc.so.6]" or "[unknown]", which may be in the buffer. */
const char *cli_frame_short(struct cli_frames *frames, const struct cli_frame *frame, char *buffer,
			    size_t size);

void cli_frames_free(struct cli_frames *frames);

#endif

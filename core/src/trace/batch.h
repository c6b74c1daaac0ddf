/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Events side by side, and the text area with what is longer than a number. */
#ifndef UPM_TRACE_BATCH_H
#define UPM_TRACE_BATCH_H

#include <stdbool.h>

#include "uprobe_multi.h"

struct upm_batch {
	struct upm_event *events;
	size_t count, capacity;
	char *text; /* aligned for addresses */
	size_t text_size, text_capacity;
};

void upm_batch_clear(struct upm_batch *batch);
/** @return whether one more event with so many bytes of text, alignment included, has room. */
bool upm_batch_has_room(const struct upm_batch *batch, size_t text);
/** Add bytes and a NUL behind them. There must be room. @return their place: see struct upm_event
 */
uint64_t upm_batch_add_text(struct upm_batch *batch, const void *bytes, uint32_t length);
/** Room for so many addresses. @return the first one's; *offset receives its place */
uint64_t *upm_batch_add_stack(struct upm_batch *batch, uint32_t count, uint32_t *offset);

#endif

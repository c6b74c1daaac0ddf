/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* From a record of the ring buffer to an event of a batch. */
#ifndef UPM_TRACE_DECODE_H
#define UPM_TRACE_DECODE_H

#include "trace/batch.h"
#include "upm_trace.h"

enum upm_decoded {
	UPM_DECODED,
	UPM_DECODE_NO_ROOM, /* in the batch, which has other events */
	UPM_DECODE_DAMAGED  /* no record of this layout: nothing was added */
};

/** Append the event of a record of size bytes. */
enum upm_decoded upm_trace_decode(const struct upm_trace_config *config, const void *record,
				  uint32_t size, struct upm_batch *batch);

#endif

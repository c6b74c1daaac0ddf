/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* How large an event is in the ring buffer, and how large the maps are. */
#ifndef UPM_TRACE_LAYOUT_H
#define UPM_TRACE_LAYOUT_H

#include "trace/lists.h"
#include "upm_trace.h"

/** Read and check a caller's options; what is 0 for a default gets it. @return UPM_OK or
 * UPM_ERR_INVALID */
int upm_trace_options_read(struct upm_trace_options *ours, const struct upm_trace_options *theirs);
/** Fill in what options and lists decide; nothing of processes and counters. */
void upm_trace_layout(const struct upm_trace_options *trace, const struct upm_trace_lists *lists,
		      struct upm_trace_config *config);
/** @return whether the layout in a configuration, which pins may have given, is one of ours. */
bool upm_trace_layout_is_sound(const struct upm_trace_config *config);
/** @return bytes of the ring buffer: a power of two, room for several events. */
uint32_t upm_trace_ring_bytes(const struct upm_trace_options *trace,
			      const struct upm_trace_config *config);
/** @return calls that can run at once; 1 where none are followed. */
uint32_t upm_trace_calls(const struct upm_trace_config *config);
/** @return bytes of the largest event. */
uint32_t upm_trace_record_size(const struct upm_trace_config *config);

#endif

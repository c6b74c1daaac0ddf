/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * From probes, signatures and filter to what the tracing program reads and keeps, and to what the
 * readers of its events are told about them.
 */
#ifndef UPM_TRACE_LISTS_H
#define UPM_TRACE_LISTS_H

#include "base/bytes.h"
#include "base/vector.h"
#include "resolve/probe_table.h"
#include "trace/signature.h"

struct upm_trace_lists {
	UPM_VECTOR(struct upm_trace_list) lists;
	UPM_VECTOR(struct upm_signature) signatures; /* one for each list */
	struct upm_trace_probe *probes;		     /* one for each probe of the set */
	size_t probe_count;
	uint32_t most_texts; /* of a list */
};

/**
 * Work out every probe of a table.
 * @param trace  checked options: signatures, filter, flags
 * @return UPM_OK; UPM_ERR_SPEC; UPM_ERR_INVALID; UPM_ERR_MEMORY. upm_trace_lists_close() is due
 */
int upm_trace_lists_open(struct upm_trace_lists *lists, const struct upm_probe_table *table,
			 const struct upm_trace_options *trace);
/** @return the signature of a probe's events. */
const struct upm_signature *upm_trace_lists_signature(const struct upm_trace_lists *lists,
						      size_t probe);
/** As bytes for another process, and back: of which only signatures and probes are set. */
void upm_trace_lists_store(const struct upm_trace_lists *lists, struct upm_bytes *bytes);
int upm_trace_lists_restore(struct upm_trace_lists *lists, struct upm_bytes_reader *reader);
void upm_trace_lists_close(struct upm_trace_lists *lists);

#endif

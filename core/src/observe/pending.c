/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Functions of the header that are being written: whoever writes one takes it out here. */
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include "base/error.h"
#include "uprobe_multi.h"

int32_t upm_trace(const struct upm_probe_set *set, const struct upm_trace_options *trace,
			  const struct upm_attach_options *options, struct upm_observer **out) { return upm_fail(UPM_ERR_UNSUPPORTED, 0, "upm_trace", NULL, NULL, "not written yet"); }
int32_t upm_trace_argument(const struct upm_observer *observer, size_t probe,
				   uint32_t argument, struct upm_event_argument *out) { return upm_fail(UPM_ERR_UNSUPPORTED, 0, "upm_trace_argument", NULL, NULL, "not written yet"); }
int32_t upm_trace_counts(const struct upm_observer *observer,
				 struct upm_trace_count *counts, size_t count) { return upm_fail(UPM_ERR_UNSUPPORTED, 0, "upm_trace_counts", NULL, NULL, "not written yet"); }
int32_t upm_batch_new(size_t events, size_t text_bytes, struct upm_batch **out) { return upm_fail(UPM_ERR_UNSUPPORTED, 0, "upm_batch_new", NULL, NULL, "not written yet"); }
size_t upm_batch_size(const struct upm_batch *batch) { return 0; }
const struct upm_event * upm_batch_events(const struct upm_batch *batch) { return NULL; }
size_t upm_batch_event_size(void) { return 0; }
const char * upm_batch_text(const struct upm_batch *batch) { return NULL; }
size_t upm_batch_text_size(const struct upm_batch *batch) { return 0; }
void upm_batch_free(struct upm_batch *batch) {  }
int32_t upm_trace_read(struct upm_observer *observer, struct upm_batch *batch,
			       int32_t timeout_ms) { return upm_fail(UPM_ERR_UNSUPPORTED, 0, "upm_trace_read", NULL, NULL, "not written yet"); }
int32_t upm_trace_next(struct upm_observer *observer, struct upm_event *event,
			       const char **text, int32_t timeout_ms) { return upm_fail(UPM_ERR_UNSUPPORTED, 0, "upm_trace_next", NULL, NULL, "not written yet"); }
int32_t upm_trace_run(struct upm_observer *observer, upm_event_fn function, void *context,
			      int32_t timeout_ms) { return upm_fail(UPM_ERR_UNSUPPORTED, 0, "upm_trace_run", NULL, NULL, "not written yet"); }
int32_t upm_trace_fd(const struct upm_observer *observer) { return upm_fail(UPM_ERR_UNSUPPORTED, 0, "upm_trace_fd", NULL, NULL, "not written yet"); }
int32_t upm_symbolizer_new(struct upm_symbolizer **out) { return upm_fail(UPM_ERR_UNSUPPORTED, 0, "upm_symbolizer_new", NULL, NULL, "not written yet"); }
int32_t upm_symbolizer_find(struct upm_symbolizer *symbolizer, int32_t pid,
				    uint64_t address, int32_t after_call, struct upm_place *place) { return upm_fail(UPM_ERR_UNSUPPORTED, 0, "upm_symbolizer_find", NULL, NULL, "not written yet"); }
void upm_symbolizer_free(struct upm_symbolizer *symbolizer) {  }
int32_t upm_pinned_list(const char *directory, struct upm_pinned_list **out) { return upm_fail(UPM_ERR_UNSUPPORTED, 0, "upm_pinned_list", NULL, NULL, "not written yet"); }
size_t upm_pinned_list_size(const struct upm_pinned_list *list) { return 0; }
int32_t upm_pinned_list_get(const struct upm_pinned_list *list, size_t index,
				    struct upm_pinned *pinned) { return upm_fail(UPM_ERR_UNSUPPORTED, 0, "upm_pinned_list_get", NULL, NULL, "not written yet"); }
void upm_pinned_list_free(struct upm_pinned_list *list) {  }

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Functions of the header that are being written: whoever writes one takes it out here. */
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include "base/error.h"
#include "uprobe_multi.h"

int32_t upm_symbolizer_new(struct upm_symbolizer **out) { return upm_fail(UPM_ERR_UNSUPPORTED, 0, "upm_symbolizer_new", NULL, NULL, "not written yet"); }
int32_t upm_symbolizer_find(struct upm_symbolizer *symbolizer, int32_t pid,
				    uint64_t address, int32_t after_call, struct upm_place *place) { return upm_fail(UPM_ERR_UNSUPPORTED, 0, "upm_symbolizer_find", NULL, NULL, "not written yet"); }
void upm_symbolizer_free(struct upm_symbolizer *symbolizer) {  }

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Shipped BPF objects: from the bytes inside the library to loaded programs. */
#ifndef UPM_OBSERVE_SHIPPED_H
#define UPM_OBSERVE_SHIPPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attach/bpf_uapi.h"
#include "observe/embedded.h"

struct bpf_object;

/** Parse it; none of its programs is chosen yet. @return UPM_OK or an error */
int upm_shipped_open(const char *operation, struct upm_embedded image, struct bpf_object **out);
/** Choose a program to be loaded, for this attach type. @return UPM_OK or UPM_ERR_FORMAT */
int upm_shipped_choose(const char *operation, struct bpf_object *object, const char *program,
		       enum upm_bpf_attach_type type);
/** Set the constants (.rodata). @return UPM_OK or UPM_ERR_SYSTEM */
int upm_shipped_constants(const char *operation, struct bpf_object *object, const void *constants,
			  size_t size);
/** Size a map; mapped = it shall be mapped into processes, where the kernel can. */
void upm_shipped_size_map(struct bpf_object *object, const char *map, uint32_t entries,
			  bool mapped);
/** @return UPM_OK; UPM_ERR_PERMISSION; UPM_ERR_MEMORY; UPM_ERR_PROGRAM with the verifier's reason.
 */
int upm_shipped_load(const char *operation, struct bpf_object *object);

#endif

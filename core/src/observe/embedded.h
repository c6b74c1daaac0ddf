/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The shipped BPF objects, inside the library. */
#ifndef UPM_OBSERVE_EMBEDDED_H
#define UPM_OBSERVE_EMBEDDED_H

#include <stddef.h>

struct upm_embedded {
	const char *name;
	const void *bytes;
	size_t size;
};

struct upm_embedded upm_embedded_count(void);
struct upm_embedded upm_embedded_children(void);
struct upm_embedded upm_embedded_trace(void);
struct upm_embedded upm_embedded_latency(void);
struct upm_embedded upm_embedded_latency_session(void);
struct upm_embedded upm_embedded_latency_context(void);

#endif

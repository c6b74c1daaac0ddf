/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "observe/embedded.h"

#define EMBED(name)                                                                                \
	__asm__(".pushsection .rodata\n"                                                           \
		".balign 16\n"                                                                     \
		"upm_embedded_" #name "_begin:\n"                                                  \
		".incbin \"" UPM_BPF_DIRECTORY "/" #name ".bpf.o\"\n"                              \
		"upm_embedded_" #name "_end:\n"                                                    \
		".popsection\n");                                                                  \
	extern const char upm_embedded_##name##_begin[] __attribute__((visibility("hidden")));     \
	extern const char upm_embedded_##name##_end[] __attribute__((visibility("hidden")));       \
                                                                                                   \
	struct upm_embedded upm_embedded_##name(void)                                              \
	{                                                                                          \
		return (struct upm_embedded){                                                      \
			"upm_" #name,                                                              \
			upm_embedded_##name##_begin,                                               \
			(size_t)(upm_embedded_##name##_end - upm_embedded_##name##_begin),         \
		};                                                                                 \
	}

EMBED(count)
EMBED(children)
EMBED(latency)
EMBED(latency_session)
EMBED(latency_context)
EMBED(trace)

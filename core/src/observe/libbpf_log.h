/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What libbpf prints while this thread works, caught instead of printed, so that an
 * error can end with what the verifier said last. Messages of other threads go where
 * the application wants them.
 */
#ifndef UPM_OBSERVE_LIBBPF_LOG_H
#define UPM_OBSERVE_LIBBPF_LOG_H

#include <stdbool.h>
#include <stddef.h>

#define UPM_LIBBPF_LOG_SIZE 4096

struct upm_libbpf_log {
	char tail[UPM_LIBBPF_LOG_SIZE]; /* the last that was printed, with a NUL */
	size_t length;
};

void upm_libbpf_log_begin(struct upm_libbpf_log *log);
void upm_libbpf_log_end(void);
/** Cut the log to its last telling line (the verifier's, where it spoke). @return it, or "" */
const char *upm_libbpf_log_verdict(struct upm_libbpf_log *log);

/**
 * libbpf asks the kernel once in a process for what it can do, and takes an answer that fails for
 * want of memory, descriptors or rights for a no. It then leaves constants and globals of programs
 * out.
 */
bool upm_libbpf_log_is_mistaken(const struct upm_libbpf_log *log);
/** Record that. @return UPM_ERR_SYSTEM */
int upm_fail_mistaken(const char *operation, const char *object);

#endif

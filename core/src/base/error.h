/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * One way to fail. The function that knows what went wrong records it and
 * returns the code; every caller above passes the code on and records nothing,
 * so that the most precise line is the one the user reads.
 */
#ifndef UPM_BASE_ERROR_H
#define UPM_BASE_ERROR_H

#include <stdbool.h>

#include "uprobe_multi.h"

/**
 * Record a failure on this thread.
 * @param code       enum upm_status, negative
 * @param sys_errno  errno behind it, or 0; its text is appended to the message
 * @param operation  what was tried: a static string, an infinitive ("open the binary")
 * @param object     what it was tried on; copied; NULL = none
 * @param hint       what to do next; copied; NULL = what is usual for the code
 * @param format     the message, printf-like
 * @return code, so that a caller can write `return upm_fail(...)`
 */
int upm_fail(int code, int sys_errno, const char *operation, const char *object, const char *hint,
	     const char *format, ...) __attribute__((format(printf, 6, 7)));

/** upm_fail() for a failed allocation. @return UPM_ERR_MEMORY */
static inline int upm_fail_memory(const char *operation)
{
	upm_fail(UPM_ERR_MEMORY, 0, operation, NULL, "free memory, or ask for fewer probes at once",
		 "out of memory");
	return UPM_ERR_MEMORY;
}

enum { UPM_ERROR_OBJECT_MAX = 512, UPM_ERROR_MESSAGE_MAX = 1024, UPM_ERROR_HINT_MAX = 512 };

/** This thread's record, with room for its strings: it has to work when memory is short. */
struct upm_error_copy {
	struct upm_error error;
	char object[UPM_ERROR_OBJECT_MAX];
	char message[UPM_ERROR_MESSAGE_MAX];
	char hint[UPM_ERROR_HINT_MAX];
};
/** Take a copy before cleaning up, and put it back after. */
void upm_error_take(struct upm_error_copy *copy);
void upm_error_put_back(const struct upm_error_copy *copy);

/** @return whether an errno says that something was short, which may pass: nothing is learned
 * from it about what the kernel can do. */
bool upm_errno_is_scarcity(int sys_errno);

/** @return enum upm_status that fits an errno of open(2) and its like. */
int upm_status_of_errno(int sys_errno);

#endif

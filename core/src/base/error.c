/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local struct upm_error_copy last;

static void store(char *to, size_t size, const char *text)
{
	if (to != text)
		snprintf(to, size, "%s", text ? text : "");
}

static void publish(int code, int sys_errno, const char *operation)
{
	last.error = (struct upm_error){
		.code = code,
		.sys_errno = sys_errno,
		.operation = operation,
		.object = last.object,
		.message = last.message,
		.hint = last.hint,
	};
}

/* What to do next where the function that fails knows no better. */
static const char *usual_hint(int code, int sys_errno)
{
	if (sys_errno == EMFILE)
		return "raise the limit of open files (ulimit -n)";
	switch (code) {
	case UPM_ERR_INVALID:
		return "correct the call: uprobe_multi.h says what the function takes";
	case UPM_ERR_NOT_FOUND:
		return "check the name";
	case UPM_ERR_FORMAT:
		return "use another copy of the file, or build it anew";
	case UPM_ERR_PERMISSION:
		return "run as root, or with CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE";
	case UPM_ERR_MEMORY:
		return "free memory, or ask for fewer probes at once";
	case UPM_ERR_CANCELLED:
		return "call again to begin anew";
	default:
		return "see what `uprobe-multi check` says of this kernel and this user";
	}
}

int upm_fail(int code, int sys_errno, const char *operation, const char *object, const char *hint,
	     const char *format, ...)
{
	char message[UPM_ERROR_MESSAGE_MAX];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	if (sys_errno && length >= 0 && (size_t)length < sizeof(message))
		snprintf(message + length, sizeof(message) - (size_t)length, "%s%s",
			 length ? ": " : "", strerror(sys_errno));
	store(last.object, sizeof(last.object), object);
	store(last.message, sizeof(last.message), message);
	store(last.hint, sizeof(last.hint), hint ? hint : usual_hint(code, sys_errno));
	publish(code, sys_errno, operation);
	return code;
}

void upm_error_take(struct upm_error_copy *copy)
{
	upm_error_last();
	*copy = last;
}

void upm_error_put_back(const struct upm_error_copy *copy)
{
	last = *copy;
	publish(copy->error.code, copy->error.sys_errno, copy->error.operation);
}

const struct upm_error *upm_error_last(void)
{
	if (!last.error.operation) {
		store(last.message, sizeof(last.message), "nothing has failed on this thread");
		publish(UPM_OK, 0, "");
	}
	return &last.error;
}

bool upm_errno_is_scarcity(int sys_errno)
{
	return sys_errno == ENOMEM || sys_errno == EMFILE || sys_errno == ENFILE ||
	       sys_errno == EAGAIN || sys_errno == EINTR || sys_errno == EIO;
}

int upm_status_of_errno(int sys_errno)
{
	switch (sys_errno) {
	case 0:
		return UPM_OK;
	case ENOENT:
	case ENOTDIR:
	case ESRCH:
		return UPM_ERR_NOT_FOUND;
	case EACCES:
	case EPERM:
		return UPM_ERR_PERMISSION;
	case ENOMEM:
		return UPM_ERR_MEMORY;
	case EMFILE:
	case ENFILE:
	case E2BIG:
		return UPM_ERR_LIMIT;
	default:
		return UPM_ERR_SYSTEM;
	}
}

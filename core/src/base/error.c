/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OBJECT_MAX = 512, MESSAGE_MAX = 1024, HINT_MAX = 512 };

struct error_record {
	struct upm_error error;
	char object[OBJECT_MAX];
	char message[MESSAGE_MAX];
	char hint[HINT_MAX];
};

static _Thread_local struct error_record last;

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

int upm_fail(int code, int sys_errno, const char *operation, const char *object, const char *hint,
	     const char *format, ...)
{
	char message[MESSAGE_MAX];
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
	store(last.hint, sizeof(last.hint), hint);
	publish(code, sys_errno, operation);
	return code;
}

void upm_error_take(struct upm_error_copy *copy)
{
	const struct upm_error *error = upm_error_last();

	copy->record = *error;
	copy->strings[0] = strdup(error->object);
	copy->strings[1] = strdup(error->message);
	copy->strings[2] = strdup(error->hint);
}

void upm_error_drop(struct upm_error_copy *copy)
{
	for (size_t i = 0; i < 3; i++)
		free(copy->strings[i]);
}

void upm_error_put_back(struct upm_error_copy *copy)
{
	store(last.object, sizeof(last.object), copy->strings[0]);
	store(last.message, sizeof(last.message), copy->strings[1]);
	store(last.hint, sizeof(last.hint), copy->strings[2]);
	publish(copy->record.code, copy->record.sys_errno, copy->record.operation);
	upm_error_drop(copy);
}

const struct upm_error *upm_error_last(void)
{
	if (!last.error.operation) {
		store(last.message, sizeof(last.message), "nothing has failed on this thread");
		publish(UPM_OK, 0, "");
	}
	return &last.error;
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

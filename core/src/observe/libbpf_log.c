/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "observe/libbpf_log.h"

#include <bpf/libbpf.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned users;
static libbpf_print_fn_t application_print;
static _Thread_local struct upm_libbpf_log *current;

static void append(struct upm_libbpf_log *log, const char *text)
{
	size_t room = sizeof(log->tail) - 1;
	size_t length = strlen(text);

	if (length > room) {
		text += length - room;
		length = room;
	}
	if (log->length + length > room) {
		size_t surplus = log->length + length - room;

		memmove(log->tail, log->tail + surplus, log->length - surplus);
		log->length -= surplus;
	}
	memcpy(log->tail + log->length, text, length + 1);
	log->length += length;
}

static int print(enum libbpf_print_level level, const char *format, va_list arguments)
{
	char start[256]; /* what there is room for when memory is what is short */
	char *text;
	va_list again;

	if (!current)
		return application_print ? application_print(level, format, arguments) : 0;
	if (level != LIBBPF_WARN)
		return 0;
	va_copy(again, arguments);
	if (vasprintf(&text, format, arguments) >= 0) {
		append(current, text);
		free(text);
	} else if (vsnprintf(start, sizeof(start), format, again) >= 0) {
		append(current, start);
	}
	va_end(again);
	return 0;
}

void upm_libbpf_log_begin(struct upm_libbpf_log *log)
{
	log->tail[0] = '\0';
	log->length = 0;
	current = log;
	pthread_mutex_lock(&lock);
	if (users++ == 0)
		application_print = libbpf_set_print(print);
	pthread_mutex_unlock(&lock);
}

void upm_libbpf_log_end(void)
{
	pthread_mutex_lock(&lock);
	if (--users == 0)
		libbpf_set_print(application_print);
	pthread_mutex_unlock(&lock);
	current = NULL;
}

static const char *last_line_before(char *text, char *end)
{
	while (end > text && (end[-1] == '\n' || end[-1] == ' '))
		end--;
	*end = '\0';
	end = strrchr(text, '\n');
	return end ? end + 1 : text;
}

/* The verifier's log ends with its reason, a line of statistics, and libbpf's own closing line. */
const char *upm_libbpf_log_verdict(struct upm_libbpf_log *log)
{
	char *end = strstr(log->tail, "\nprocessed ");

	if (!end)
		end = strstr(log->tail, "-- END PROG LOAD LOG --");
	return last_line_before(log->tail, end ? end : log->tail + log->length);
}

bool upm_libbpf_log_is_mistaken(const struct upm_libbpf_log *log)
{
	return strstr(log->tail, "rodata' is referenced but wasn't created") != NULL;
}

int upm_fail_mistaken(const char *operation, const char *object)
{
	return upm_fail(UPM_ERR_SYSTEM, 0, operation, object,
			"start this process anew, with memory and rights enough",
			"libbpf could not ask the kernel when it first had to, and remembers that "
			"as a no");
}

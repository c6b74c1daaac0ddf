/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A pool of strings that are freed together; several owners may share one. */
#ifndef UPM_BASE_STRINGS_H
#define UPM_BASE_STRINGS_H

#include <stdarg.h>
#include <stddef.h>

struct upm_strings;

/** @return a new pool with one reference, or NULL. */
struct upm_strings *upm_strings_new(void);
struct upm_strings *upm_strings_ref(struct upm_strings *strings);
void upm_strings_unref(struct upm_strings *strings);

/** @return a copy that lives as long as the pool, or NULL when out of memory. */
const char *upm_strings_add(struct upm_strings *strings, const char *text);
/** @return memory for any kind of data that lives as long as the pool, or NULL. */
void *upm_strings_reserve(struct upm_strings *strings, size_t size);
/** As upm_strings_add() of formatted text; a text equal to the last one added is shared. */
const char *upm_strings_format(struct upm_strings *strings, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif

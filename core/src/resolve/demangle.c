/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "resolve/demangle.h"

#include <stdlib.h>
#include <string.h>

#include <libiberty/demangle.h>

#include "uprobe_multi.h"

/* Longer names are not worth their time: a hostile one can make a demangler work for minutes. */
enum { LONGEST_NAME = 8192 };

char *upm_demangle_name(const char *name, bool parameters)
{
	if (!upm_is_mangled(name) || strnlen(name, LONGEST_NAME) == LONGEST_NAME)
		return NULL;
	return cplus_demangle(name, DMGL_ANSI | (parameters ? DMGL_PARAMS : DMGL_NO_OPTS));
}

size_t upm_demangle(const char *symbol, char *buffer, size_t length)
{
	char *readable = symbol ? upm_demangle_name(symbol, true) : NULL;
	const char *text = readable ? readable : symbol ? symbol : "";
	size_t whole = readable ? strlen(readable) : 0;
	size_t copied = strlen(text);

	if (length) {
		if (copied > length - 1)
			copied = length - 1;
		memcpy(buffer, text, copied);
		buffer[copied] = '\0';
	}
	free(readable);
	return whole;
}

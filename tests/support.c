/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "support.h"

#include <stdlib.h>

/* A program that crashes shall have printed everything before: tests/run reads a pipe or file. */
__attribute__((constructor)) static void print_by_line(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
}

void test_expect(int32_t got, int32_t wanted, const char *call, const char *file, int line)
{
	const struct upm_error *error = upm_error_last();

	if (got == wanted)
		return;
	print_error("%s gave %s, wanted %s\n  %s (%s): %s; %s\n", call, upm_status_name(got),
		    upm_status_name(wanted), error->operation, error->object, error->message,
		    error->hint);
	_fail(file, line);
}

const char *test_build_path(const char *name)
{
	static char path[4096];
	const char *build = getenv("UPM_BUILD");

	snprintf(path, sizeof(path), "%s/%s", build ? build : "build", name);
	return path;
}

size_t test_from_hex(const char *hex, uint8_t *bytes)
{
	size_t count = 0;
	unsigned int byte;
	int used;

	while (sscanf(hex, "%x%n", &byte, &used) == 1) {
		bytes[count++] = byte;
		hex += used;
	}
	return count;
}

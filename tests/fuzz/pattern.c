/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A regex or a glob, and many names that grow: no pattern may run away, whatever it is. */
#include "fuzz.h"

#include <stdio.h>

#include "resolve/pattern.h"
#include "resolve/spec.h"

#define LONGEST 4096

/* The name again and again, and once something else. */
static void grow(const struct upm_pattern *pattern, const char *name)
{
	static char text[LONGEST + 2];
	size_t length = strlen(name);

	if (!length)
		return;
	for (size_t size = 1; size <= LONGEST; size *= 4) {
		for (size_t i = 0; i < size; i++)
			text[i] = name[i % length];
		text[size] = '!';
		text[size + 1] = '\0';
		upm_pattern_match(pattern, text);
	}
	snprintf(text, sizeof(text), "_ZN%zu%.500sEv", length < 500 ? length : 500, name);
	upm_pattern_match_demangled(pattern, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *name = strchr(text, '\n'), *spec_text;
	struct upm_pattern *pattern;
	struct upm_spec spec;

	if (!size || !name) {
		free(text);
		return 0;
	}
	*name++ = '\0';
	fuzz_check(asprintf(&spec_text, *data & 1 ? "x:/%s/" : "x:%s", text + 1) > 0);
	if (*text && upm_spec_parse(spec_text, &spec) == 0) {
		if (spec.form != UPM_SPEC_OFFSET && !upm_pattern_compile(&spec, &pattern)) {
			grow(pattern, name);
			upm_pattern_free(pattern);
		}
		upm_spec_clear(&spec);
	}
	free(spec_text);
	free(text);
	return 0;
}

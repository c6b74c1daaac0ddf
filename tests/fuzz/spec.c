/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A spec, a line feed, and a name for its pattern to be compared with. */
#include "fuzz.h"

#include "resolve/pattern.h"
#include "resolve/spec.h"

static void compare(const struct upm_spec *spec, const char *name)
{
	struct upm_pattern *pattern;

	if (upm_pattern_compile(spec, &pattern))
		return;
	upm_pattern_match(pattern, name);
	upm_pattern_match(pattern, "inflate_fast");
	upm_pattern_match_demangled(pattern, name);
	upm_pattern_match_demangled(pattern, "_ZN5boost6system14error_categoryD2Ev");
	if (upm_pattern_matches_all(pattern))
		fuzz_check(upm_pattern_match(pattern, name) == UPM_MATCH_YES);
	upm_pattern_free(pattern);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *name = strchr(text, '\n');
	struct upm_spec spec;

	if (name)
		*name++ = '\0';
	if (upm_spec_parse(text, &spec) == 0) {
		fuzz_check(spec.binary && spec.pattern);
		if (spec.form != UPM_SPEC_OFFSET)
			compare(&spec, name ? name : "");
		upm_spec_clear(&spec);
	}
	free(text);
	return 0;
}

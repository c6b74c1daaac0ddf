/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A signature, a line feed, and a filter on what it names. */
#include "fuzz.h"

#include "trace/condition.h"
#include "trace/signature.h"
#include "uprobe_multi.h"

static void check_parameter(const struct upm_signature *signature,
			    const struct upm_parameter *parameter)
{
	fuzz_check(memchr(parameter->name, '\0', sizeof(parameter->name)) != NULL);
	fuzz_check(memchr(parameter->type, '\0', sizeof(parameter->type)) != NULL);
	fuzz_check(parameter->width <= 8);
	if (parameter->text.source == UPM_TEXT_BYTES &&
	    parameter->text.length_argument != UPM_TEXT_LENGTH_CONSTANT)
		fuzz_check(parameter->text.length_argument < signature->count);
}

static void check_filter(const char *text, const struct upm_signature *signature)
{
	struct upm_trace_condition conditions[UPM_TRACE_CONDITIONS];
	uint32_t count;

	if (upm_conditions_parse(text, signature, UPM_EVENT_CALL, conditions, &count))
		return;
	fuzz_check(count >= 1 && count <= UPM_TRACE_CONDITIONS);
	for (uint32_t i = 0; i < count; i++) {
		fuzz_check(conditions[i].subject < signature->count ||
			   conditions[i].subject >= UPM_SUBJECT_RESULT);
		fuzz_check(conditions[i].length < UPM_TRACE_PATTERN);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *filter = strchr(text, '\n');
	struct upm_signature signature;

	if (filter)
		*filter++ = '\0';
	if (upm_signature_parse(text, &signature) == UPM_OK) {
		fuzz_check(signature.count <= UPM_TRACE_ARGUMENTS);
		check_parameter(&signature, &signature.result);
		for (uint32_t i = 0; i < signature.count; i++)
			check_parameter(&signature, &signature.parameters[i]);
		if (filter)
			check_filter(filter, &signature);
	}
	free(text);
	return 0;
}

// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "sites.h"

#include "output_json.h"
#include "text.h"

static const char *const places[] = {
	[UPM_ARGUMENT_UNREADABLE] = "unreadable",
	[UPM_ARGUMENT_CONSTANT] = "constant",
	[UPM_ARGUMENT_REGISTER] = "register",
	[UPM_ARGUMENT_MEMORY] = "memory",
};

static const char *place_of(const struct upm_argument *argument)
{
	return argument->place < sizeof(places) / sizeof(places[0]) ? places[argument->place] : "?";
}

static const char *type_of(const struct upm_argument *argument)
{
	if (argument->is_float)
		return "float";
	return argument->is_signed ? "signed" : "unsigned";
}

void cli_site_print(FILE *out, const struct upm_probe_set *set, size_t index,
		    const struct upm_probe *probe)
{
	for (uint32_t i = 0; i < probe->argument_count; i++) {
		struct upm_argument argument = {.size = sizeof(argument)};

		if (upm_probe_set_argument(set, index, i, &argument))
			continue;
		fputs(i ? " " : "args: ", out);
		cli_text_put(out, argument.text, 0, 0);
		if (*argument.reason) {
			fputs(" (", out);
			cli_text_put(out, argument.reason, 0, 0);
			fputs(")", out);
		}
	}
	if (probe->ref_ctr_offset)
		fprintf(out, "%ssemaphore %#llx", probe->argument_count ? "; " : "",
			(unsigned long long)probe->ref_ctr_offset);
}

static json_t *describe_argument(const struct upm_argument *argument)
{
	return json_pack("{s:o,s:s,s:s,s:i,s:o}", "text", cli_json_text(argument->text), "type",
			 type_of(argument), "place", place_of(argument), "width",
			 (int)argument->width, "reason", cli_json_text(argument->reason));
}

void cli_site_describe(json_t *value, const struct upm_probe_set *set, size_t index,
		       const struct upm_probe *probe)
{
	json_t *arguments = json_array();

	for (uint32_t i = 0; i < probe->argument_count; i++) {
		struct upm_argument argument = {.size = sizeof(argument)};

		if (upm_probe_set_argument(set, index, i, &argument) == UPM_OK)
			json_array_append_new(arguments, describe_argument(&argument));
	}
	json_object_set_new(value, "semaphore",
			    probe->ref_ctr_offset ? json_integer((json_int_t)probe->ref_ctr_offset)
						  : json_null());
	json_object_set_new(value, "arguments", arguments);
}

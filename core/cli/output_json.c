// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "output_json.h"

#include <stdlib.h>

#include "report.h"
#include "text.h"

#define JSON_STYLE (JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(12))

static void write_value(struct cli_json *json, json_t *value)
{
	if (value)
		json_dumpf(value, json->out, JSON_STYLE);
	else
		json->failed = true;
	json_decref(value);
}

static void write_key(struct cli_json *json, const char *key)
{
	fprintf(json->out, "%s\"%s\":", json->first ? "" : json->one_line ? "," : ",\n", key);
	json->first = false;
}

void cli_json_open(struct cli_json *json, FILE *out)
{
	*json = (struct cli_json){.out = out, .first = true};
	fputc('{', out);
}

void cli_json_member(struct cli_json *json, const char *key, json_t *value)
{
	write_key(json, key);
	write_value(json, value);
}

void cli_json_array(struct cli_json *json, const char *key)
{
	write_key(json, key);
	fputc('[', json->out);
	json->first = true;
}

void cli_json_element(struct cli_json *json, json_t *value)
{
	if (!json->first)
		fputc(',', json->out);
	if (!json->one_line)
		fputc('\n', json->out);
	json->first = false;
	write_value(json, value);
}

void cli_json_array_end(struct cli_json *json)
{
	fputc(']', json->out);
	json->first = false;
}

int cli_json_close(struct cli_json *json)
{
	fputs("}\n", json->out);
	if (json->failed)
		return cli_fail("write", "JSON", "out of memory", "ask for fewer probes");
	return CLI_DONE;
}

json_t *cli_json_text(const char *text)
{
	json_t *value = json_string(text);
	char *valid;

	if (value)
		return value;
	valid = cli_text_utf8(text);
	value = valid ? json_string(valid) : NULL;
	free(valid);
	return value;
}

json_t *cli_json_integer(uint64_t value)
{
	return json_integer((json_int_t)value);
}

json_t *cli_json_seconds(uint64_t nanoseconds)
{
	return json_real((double)nanoseconds / 1e9);
}

json_t *cli_json_answer(uint32_t answer)
{
	return answer == UPM_UNKNOWN ? json_null() : json_boolean(answer == UPM_YES);
}

json_t *cli_json_place(const struct upm_probe *probe)
{
	json_t *place =
		json_pack("{s:o,s:o,s:I}", "path", cli_json_text(probe->path), "symbol",
			  cli_json_text(probe->symbol), "offset", (json_int_t)probe->offset);

	if (*probe->provider)
		json_object_set_new(place, "provider", cli_json_text(probe->provider));
	return place;
}

json_t *cli_json_skipped(const struct upm_probe *probe)
{
	json_t *value = cli_json_place(probe);

	if (json_object_set_new(value, "verdict", cli_json_text(upm_verdict_name(probe->verdict))) <
		    0 ||
	    json_object_set_new(value, "reason", cli_json_text(probe->reason)) < 0) {
		json_decref(value);
		return NULL;
	}
	return value;
}

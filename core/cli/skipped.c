// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "skipped.h"

#include <string.h>

#include "report.h"
#include "text.h"

/* Named for each verdict; `list` shows all. */
#define MOST_NAMED 3
/* No enum upm_verdict reaches this. */
#define VERDICTS 64

size_t cli_skipped_count(const struct cli_skipped *skipped)
{
	return skipped->link ? upm_link_skipped(skipped->link) : upm_probe_set_size(skipped->set);
}

/* A probe that was judged good and yet is not attached was refused with the whole set. */
static bool get(const struct cli_skipped *skipped, size_t index, struct upm_probe *probe)
{
	probe->size = sizeof(*probe);
	if (skipped->link)
		return upm_link_skipped_get(skipped->link, index, probe) == UPM_OK;
	if (upm_probe_set_get(skipped->set, index, probe) != UPM_OK)
		return false;
	if (probe->verdict == UPM_VERDICT_OK && skipped->functions_only &&
	    probe->kind == UPM_KIND_USDT) {
		probe->verdict = UPM_VERDICT_NOT_ENTRY;
		probe->reason = "a call site is no function: nothing returns from it";
	} else if (probe->verdict == UPM_VERDICT_OK) {
		probe->verdict = UPM_VERDICT_REFUSED;
		probe->reason = upm_error_last()->message;
	}
	return true;
}

static void print_named(FILE *out, const struct upm_probe *probe, struct cli_names *names)
{
	fputs("    ", out);
	cli_text_put(out, cli_name_of(names, probe), CLI_MOST_LABEL, 0);
	if (*probe->symbol || probe->offset) {
		fputs(" in ", out);
		cli_text_put(out, probe->path, 0, 0);
	}
	if (*probe->reason) {
		fputs(": ", out);
		cli_text_put(out, probe->reason, 0, 0);
	}
	fputc('\n', out);
}

static void print_group(FILE *out, const struct cli_skipped *skipped, int32_t verdict, size_t size,
			struct cli_names *names)
{
	size_t total = cli_skipped_count(skipped);
	struct upm_probe probe;
	char number[CLI_NUMBER_SIZE];
	size_t named = 0;

	fprintf(out, "  %s %s\n", cli_text_number(number, size), upm_verdict_name(verdict));
	for (size_t i = 0; i < total && named < MOST_NAMED; i++) {
		if (get(skipped, i, &probe) && probe.verdict == verdict) {
			print_named(out, &probe, names);
			named++;
		}
	}
	if (size > named)
		fprintf(out, "    and %s more\n", cli_text_number(number, size - named));
}

void cli_skipped_print(FILE *out, const struct cli_skipped *skipped, struct cli_names *names)
{
	size_t total = cli_skipped_count(skipped);
	size_t sizes[VERDICTS] = {0};
	bool all_named = true;
	char number[CLI_NUMBER_SIZE];

	for (size_t i = 0; i < total; i++) {
		struct upm_probe probe;

		if (get(skipped, i, &probe) && (uint32_t)probe.verdict < VERDICTS)
			all_named &= ++sizes[probe.verdict] <= MOST_NAMED;
	}
	if (!total)
		return;
	fprintf(out, "skipped %s:\n", cli_text_number(number, total));
	for (int32_t verdict = 0; verdict < VERDICTS; verdict++)
		if (sizes[verdict])
			print_group(out, skipped, verdict, sizes[verdict], names);
	if (!all_named)
		fputs("  (" CLI_NAME " list with the same specs shows all)\n", out);
}

json_t *cli_skipped_describe(const struct cli_skipped *skipped, size_t index)
{
	struct upm_probe probe;

	return get(skipped, index, &probe) ? cli_json_skipped(&probe) : NULL;
}

void cli_skipped_json(struct cli_json *json, const struct cli_skipped *skipped)
{
	size_t total = cli_skipped_count(skipped);

	cli_json_array(json, "skipped");
	for (size_t i = 0; i < total; i++)
		cli_json_element(json, cli_skipped_describe(skipped, i));
	cli_json_array_end(json);
}

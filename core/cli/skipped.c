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

/*
 * Nothing was attached, and no link knows why: a probe that was judged good is none for what
 * was wanted, or was refused with the whole set.
 */
static void judge(const struct cli_skipped *skipped, struct upm_probe *probe)
{
	if (skipped->functions_only && probe->kind == UPM_KIND_USDT) {
		probe->verdict = UPM_VERDICT_NOT_ENTRY;
		probe->reason = "a call site is no function: nothing returns from it";
	} else if (skipped->with_returns && probe->return_verdict != UPM_VERDICT_OK) {
		probe->verdict = probe->return_verdict;
		probe->reason = probe->return_reason;
	} else {
		probe->verdict = UPM_VERDICT_REFUSED;
		probe->reason = upm_error_last()->message;
	}
}

static bool get(const struct cli_skipped *skipped, size_t index, struct upm_probe *probe)
{
	probe->size = sizeof(*probe);
	if (skipped->link)
		return upm_link_skipped_get(skipped->link, index, probe) == UPM_OK;
	if (upm_probe_set_get(skipped->set, index, probe) != UPM_OK)
		return false;
	if (probe->verdict == UPM_VERDICT_OK)
		judge(skipped, probe);
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

/* The library's reason for a function of C++ or Rust, which the user may know better. */
static bool is_about_exceptions(const struct upm_probe *probe)
{
	return probe->verdict == UPM_VERDICT_RETURN_UNSAFE &&
	       strstr(probe->reason, "accept unwinding");
}

struct tally {
	size_t sizes[VERDICTS];
	bool all_named;
	bool exceptions;
};

static void count(const struct cli_skipped *skipped, struct tally *tally)
{
	size_t total = cli_skipped_count(skipped);
	struct upm_probe probe;

	*tally = (struct tally){.all_named = true};
	for (size_t i = 0; i < total; i++) {
		if (!get(skipped, i, &probe) || (uint32_t)probe.verdict >= VERDICTS)
			continue;
		tally->all_named &= ++tally->sizes[probe.verdict] <= MOST_NAMED;
		tally->exceptions |= is_about_exceptions(&probe);
	}
}

/* `list` knows no observer, and shows those as good whose return alone is the trouble. */
static void print_way_out(FILE *out, const struct cli_skipped *skipped, const struct tally *tally)
{
	if (tally->exceptions)
		fputs("  (--accept-unwinding takes those of files that throw, clean up or switch "
		      "stacks: right where no exception and no switch leaves them)\n",
		      out);
	if (!tally->all_named && skipped->with_returns)
		fputs("  (--json shows all)\n", out);
	else if (!tally->all_named)
		fputs("  (" CLI_NAME " list with the same specs shows all)\n", out);
}

void cli_skipped_print(FILE *out, const struct cli_skipped *skipped, struct cli_names *names)
{
	size_t total = cli_skipped_count(skipped);
	char number[CLI_NUMBER_SIZE];
	struct tally tally;

	if (!total)
		return;
	count(skipped, &tally);
	fprintf(out, "skipped %s:\n", cli_text_number(number, total));
	for (int32_t verdict = 0; verdict < VERDICTS; verdict++)
		if (tally.sizes[verdict])
			print_group(out, skipped, verdict, tally.sizes[verdict], names);
	print_way_out(out, skipped, &tally);
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

// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "count.h"

#include "report.h"
#include "table.h"
#include "text.h"

static size_t functions_hit(const struct cli_count *count)
{
	size_t hit = 0;

	for (size_t i = 0; i < count->attached_count; i++)
		hit += count->hits[count->attached[i]] != 0;
	return hit;
}

static uint64_t hits_observed(const struct cli_count *count)
{
	uint64_t hits = 0;

	for (size_t i = 0; i < count->attached_count; i++)
		hits += count->window[count->attached[i]];
	return hits;
}

static uint64_t hits_per_second(const struct cli_count *count)
{
	return (uint64_t)((double)hits_observed(count) * 1e9 / (double)count->observed_ns + 0.5);
}

static void print_hits(FILE *out, const struct cli_count *count)
{
	char total[CLI_NUMBER_SIZE], rate[CLI_NUMBER_SIZE], functions[CLI_NUMBER_SIZE];

	fprintf(out, "hits     %s", cli_text_number(total, count->total));
	if (count->total && count->observed_ns)
		fprintf(out, " (%s/s) in %s", cli_text_number(rate, hits_per_second(count)),
			cli_text_counted(functions, functions_hit(count), "function"));
	fputc('\n', out);
}

/* Hits of the attach and the detach count, and would make a rate that no moment had. */
/* What the counts lack is said beside them, never left out. */
static void print_lost(FILE *out, const struct cli_count *count)
{
	uint64_t lost = upm_observer_lost_processes(count->observer);
	char number[CLI_NUMBER_SIZE];

	if (lost)
		fprintf(out,
			"lost     %s could not be followed, there were too many: the hits lack "
			"those of their processes and of all below these\n",
			cli_text_counted(number, lost, "fork"));
}

static void print_rates(FILE *out, const struct cli_count *count)
{
	uint64_t outside = count->total - hits_observed(count);
	char number[CLI_NUMBER_SIZE], observed[CLI_NUMBER_SIZE];

	if (outside)
		fprintf(out,
			"rates    are of the %s in which all probes were armed; %s came while "
			"attaching and detaching\n",
			cli_text_duration(observed, count->observed_ns),
			cli_text_counted(number, outside, "hit"));
}

static void print_probes(FILE *out, const struct cli_count *count)
{
	char attached[CLI_NUMBER_SIZE], skipped[CLI_NUMBER_SIZE], number[CLI_NUMBER_SIZE];

	fprintf(out, "probes   %s attached, %s skipped, %s (%s)\n",
		cli_text_number(attached, count->attached_count),
		cli_text_number(skipped, upm_link_skipped(count->link)),
		cli_text_counted(number, count->links, "link"),
		upm_backend_name(upm_link_backend(count->link)));
}

static void print_times(FILE *out, const struct cli_count *count)
{
	char attach[CLI_NUMBER_SIZE], observed[CLI_NUMBER_SIZE], detach[CLI_NUMBER_SIZE];

	fprintf(out, "time     attach %s, observed %s, detach %s\n",
		cli_text_duration(attach, upm_link_attach_ns(count->link)),
		cli_text_duration(observed, count->observed_ns),
		cli_text_duration(detach, count->detach_ns));
}

struct cli_skipped cli_count_skipped(const struct cli_count *count)
{
	return (struct cli_skipped){count->link, count->set};
}

void cli_count_print(FILE *out, struct cli_count *count, const struct cli_window *window)
{
	struct cli_skipped skipped = cli_count_skipped(count);

	cli_table_print(out, count, window);
	fputc('\n', out);
	print_hits(out, count);
	print_rates(out, count);
	print_lost(out, count);
	print_probes(out, count);
	print_times(out, count);
	cli_run_print_command(out, &count->run);
	cli_skipped_print(out, &skipped, &count->names);
}

static json_t *describe_hits(const struct cli_count *count, size_t at, struct cli_names *names)
{
	struct upm_probe probe = {.size = sizeof(probe)};
	const char *readable = "";
	json_t *value;

	if (upm_probe_set_get(count->set, at, &probe) != UPM_OK)
		return NULL;
	value = cli_json_place(&probe);
	json_object_set_new(value, "kind", json_string(upm_kind_name(probe.kind)));
	if (count->run.options->demangle == CLI_DEMANGLE_ALWAYS)
		readable = cli_demangled(names, &probe);
	if (*readable)
		json_object_set_new(value, "demangled", cli_json_text(readable));
	if (json_object_set_new(value, "hits", json_integer((json_int_t)count->hits[at])) == 0)
		return value;
	json_decref(value);
	return NULL;
}

int cli_count_json(FILE *out, struct cli_count *count)
{
	struct cli_skipped skipped = cli_count_skipped(count);
	uint32_t backend = upm_link_backend(count->link);
	struct cli_json json;

	cli_json_open(&json, out);
	cli_json_member(&json, "backend", json_string(upm_backend_name(backend)));
	cli_json_member(&json, "links", json_integer((json_int_t)count->links));
	cli_json_member(&json, "attached", json_integer((json_int_t)count->attached_count));
	cli_skipped_json(&json, &skipped);
	cli_run_json_unmapped(&json, &count->run);
	cli_json_member(&json, "attach_seconds", cli_json_seconds(upm_link_attach_ns(count->link)));
	cli_json_member(&json, "detach_seconds", cli_json_seconds(count->detach_ns));
	cli_json_member(&json, "interval_seconds", cli_json_seconds(count->observed_ns));
	cli_run_json(&json, &count->run);
	cli_json_member(&json, "total", json_integer((json_int_t)count->total));
	cli_json_member(&json, "lost_processes",
			json_integer((json_int_t)upm_observer_lost_processes(count->observer)));
	cli_json_array(&json, "probes");
	for (size_t i = 0; i < count->attached_count; i++)
		cli_json_element(&json, describe_hits(count, count->attached[i], &count->names));
	cli_json_array_end(&json);
	return cli_json_close(&json);
}

int cli_count_json_nothing(FILE *out, const struct cli_count *count)
{
	struct cli_skipped skipped = cli_count_skipped(count);
	const struct upm_error *error = upm_error_last();
	struct cli_json json;

	cli_json_open(&json, out);
	cli_json_member(&json, "error", cli_json_text(error->message));
	cli_json_member(&json, "links", json_integer(0));
	cli_json_member(&json, "attached", json_integer(0));
	cli_skipped_json(&json, &skipped);
	cli_run_json_unmapped(&json, &count->run);
	cli_json_member(&json, "total", json_integer(0));
	cli_json_array(&json, "probes");
	cli_json_array_end(&json);
	return cli_json_close(&json);
}

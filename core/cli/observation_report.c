// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "observation.h"

#include "report.h"
#include "text.h"

struct cli_skipped cli_observation_skipped(const struct cli_observation *observation)
{
	const struct cli_kind *kind = observation->kind;

	return (struct cli_skipped){
		.link = observation->link,
		.set = observation->set,
		.functions_only = kind->kind == UPM_OBSERVER_LATENCY,
		.with_returns = kind->with_returns && kind->with_returns(observation->run.options),
	};
}

void cli_print_amount(const struct cli_observation *observation, FILE *out, const char *title,
		      uint64_t total, uint64_t observed, size_t functions)
{
	char number[CLI_NUMBER_SIZE];

	fprintf(out, "%-8s %s", title, cli_text_number(number, total));
	if (total && observation->observed_ns)
		fprintf(out, " (%s/s)",
			cli_text_number(number,
					(uint64_t)((double)observed * 1e9 /
							   (double)observation->observed_ns +
						   0.5)));
	if (total)
		fprintf(out, " in %s", cli_text_counted(number, functions, "function"));
	fputc('\n', out);
}

/* Hits of the attach and the detach count, and would make a rate that no moment had. */
void cli_print_rates(const struct cli_observation *observation, FILE *out, uint64_t outside,
		     const char *noun)
{
	char number[CLI_NUMBER_SIZE], observed[CLI_NUMBER_SIZE];

	if (!outside || !observation->observed_ns)
		return;
	fprintf(out, "rates    are of the %s in which ",
		cli_text_duration(observed, observation->observed_ns));
	if (observation->pinned)
		fprintf(out, "it was watched; %s came before\n",
			cli_text_counted(number, outside, noun));
	else
		fprintf(out, "all probes were armed; %s came while attaching and detaching\n",
			cli_text_counted(number, outside, noun));
}

/* What the results lack is said beside them, never left out. */
static void print_lost_processes(FILE *out, const struct cli_observation *observation)
{
	uint64_t lost = upm_observer_lost_processes(observation->observer);
	char number[CLI_NUMBER_SIZE];

	if (lost)
		fprintf(out,
			"lost     %s could not be followed, there were too many: the result lacks "
			"what their processes and all below these did\n",
			cli_text_counted(number, lost, "fork"));
}

static void print_probes(FILE *out, const struct cli_observation *observation)
{
	char attached[CLI_NUMBER_SIZE], skipped[CLI_NUMBER_SIZE], number[CLI_NUMBER_SIZE];

	fprintf(out, "probes   %s attached, %s skipped, %s (%s)\n",
		cli_text_number(attached, observation->attached_count),
		cli_text_number(skipped, upm_link_skipped(observation->link)),
		cli_text_counted(number, observation->links, "link"),
		upm_backend_name(upm_link_backend(observation->link)));
}

static void print_times(FILE *out, const struct cli_observation *observation)
{
	char attach[CLI_NUMBER_SIZE], observed[CLI_NUMBER_SIZE], detach[CLI_NUMBER_SIZE];

	if (observation->pinned)
		return;
	fprintf(out, "time     attach %s, observed %s, detach %s\n",
		cli_text_duration(attach, upm_link_attach_ns(observation->link)),
		cli_text_duration(observed, observation->observed_ns),
		cli_text_duration(detach, observation->detach_ns));
}

void cli_print_begin(struct cli_observation *observation, const struct cli_window *window)
{
	struct cli_skipped skipped = cli_observation_skipped(observation);

	if (!window->rows || !cli_skipped_count(&skipped))
		return;
	cli_skipped_print(observation->out, &skipped, &observation->names);
	fputc('\n', observation->out);
	observation->skipped_told = true;
}

void cli_print_end(struct cli_observation *observation, FILE *out)
{
	struct cli_skipped skipped = cli_observation_skipped(observation);

	print_lost_processes(out, observation);
	print_probes(out, observation);
	print_times(out, observation);
	cli_run_print_command(out, &observation->run);
	if (!observation->skipped_told)
		cli_skipped_print(out, &skipped, &observation->names);
}

void cli_json_observation(struct cli_json *json, const struct cli_observation *observation)
{
	struct cli_skipped skipped = cli_observation_skipped(observation);
	const struct upm_link *link = observation->link;

	if (observation->pinned)
		cli_json_member(json, "pinned", cli_json_text(observation->pinned));
	cli_json_member(json, "backend", json_string(upm_backend_name(upm_link_backend(link))));
	cli_json_member(json, "links", cli_json_integer(observation->links));
	cli_json_member(json, "attached", cli_json_integer(observation->attached_count));
	cli_skipped_json(json, &skipped);
	cli_run_json_unmapped(json, &observation->run);
	if (!observation->pinned) {
		cli_json_member(json, "attach_seconds", cli_json_seconds(upm_link_attach_ns(link)));
		cli_json_member(json, "detach_seconds", cli_json_seconds(observation->detach_ns));
	}
	if (observation->observed_ns) {
		cli_json_member(json, "interval_seconds",
				cli_json_seconds(observation->observed_ns));
		cli_run_json(json, &observation->run);
	}
	cli_json_member(json, "lost_processes",
			cli_json_integer(upm_observer_lost_processes(observation->observer)));
}

json_t *cli_json_probe(struct cli_observation *observation, size_t position)
{
	struct upm_probe probe = {.size = sizeof(probe)};
	const char *readable = "";
	json_t *value;

	if (upm_probe_set_get(observation->set, position, &probe) != UPM_OK)
		return NULL;
	value = cli_json_place(&probe);
	json_object_set_new(value, "kind", json_string(upm_kind_name(probe.kind)));
	json_object_set_new(value, "site", cli_json_integer(probe.site_offset));
	json_object_set_new(value, "site_cost", json_string(upm_cost_name(probe.site_cost)));
	if (observation->run.options->demangle == CLI_DEMANGLE_ALWAYS)
		readable = cli_demangled(&observation->names, &probe);
	if (*readable)
		json_object_set_new(value, "demangled", cli_json_text(readable));
	return value;
}

static void print_nothing_json(struct cli_observation *observation)
{
	struct cli_skipped skipped = cli_observation_skipped(observation);
	struct cli_json json;

	cli_json_open(&json, observation->out);
	json.one_line = observation->kind->kind == UPM_OBSERVER_TRACE;
	cli_json_member(&json, "error", cli_json_text(upm_error_last()->message));
	cli_json_member(&json, "links", json_integer(0));
	cli_json_member(&json, "attached", json_integer(0));
	cli_skipped_json(&json, &skipped);
	cli_run_json_unmapped(&json, &observation->run);
	cli_json_member(&json, "total", json_integer(0));
	cli_json_array(&json, "probes");
	cli_json_array_end(&json);
	cli_json_close(&json);
}

/* Nothing attached is a result too: each probe has its reason. */
int cli_print_nothing(struct cli_observation *observation)
{
	struct cli_skipped skipped = cli_observation_skipped(observation);

	if (observation->run.options->json)
		print_nothing_json(observation);
	cli_fail_library();
	if (!observation->run.options->json)
		cli_skipped_print(stderr, &skipped, &observation->names);
	return CLI_FAILED;
}

static int print_pinned_json(struct cli_observation *observation)
{
	struct cli_json json;

	observation->pinned = observation->run.options->pin;
	cli_json_open(&json, observation->out);
	cli_json_observation(&json, observation);
	cli_json_member(&json, "kind",
			json_string(upm_observer_kind_name(observation->kind->kind)));
	return cli_json_close(&json);
}

int cli_print_pinned(struct cli_observation *observation)
{
	const char *name = observation->run.options->pin;
	struct cli_skipped skipped = cli_observation_skipped(observation);
	FILE *out = observation->out;
	char number[CLI_NUMBER_SIZE];

	if (observation->run.options->json)
		return print_pinned_json(observation);
	fputs("pinned as ", out);
	cli_text_put(out, name, 0, 0);
	fprintf(out, ": %s at %s until it is removed\n", observation->kind->doing,
		cli_text_counted(number, observation->attached_count, "probe"));
	fputs("  show it    " CLI_NAME " pinned show ", out);
	cli_text_put(out, name, 0, 0);
	fputs("\n  remove it  " CLI_NAME " pinned remove ", out);
	cli_text_put(out, name, 0, 0);
	fputc('\n', out);
	cli_skipped_print(out, &skipped, &observation->names);
	return CLI_DONE;
}

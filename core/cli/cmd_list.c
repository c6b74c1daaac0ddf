// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "output_json.h"
#include "report.h"
#include "run.h"
#include "signals.h"
#include "terminal.h"
#include "sites.h"
#include "text.h"

#define GAP 2
#define NARROWEST 16
#define MOST_PAD 40
#define LABEL_TITLE "SYMBOL (+ALIASES)"

struct listing {
	const struct cli_options *options;
	const struct cli_run *run;
	const struct upm_probe_set *set;
	struct cli_names names;
	struct cli_window window;
	char *label;
	size_t label_size;
	size_t label_width; /* widest symbol, columns */
	size_t path_width;
	size_t path_limit;
	size_t label_limit; /* most columns of one */
	size_t label_pad;   /* the path begins behind so many */
	size_t verdict_width;
};

static bool get(const struct listing *listing, size_t index, struct upm_probe *probe)
{
	int32_t wanted = listing->options->verdict;

	probe->size = sizeof(*probe);
	return upm_probe_set_get(listing->set, index, probe) == UPM_OK &&
	       (wanted == CLI_ANY_VERDICT || probe->verdict == wanted);
}

/* The name, and how many more the same point has. */
static const char *label_of(struct listing *listing, const struct upm_probe *probe)
{
	const char *name = cli_name_of(&listing->names, probe);
	size_t size = strlen(name) + 32;
	char *grown;

	if (!probe->alias_count)
		return name;
	if (size > listing->label_size) {
		grown = realloc(listing->label, size);
		if (!grown)
			return name;
		listing->label = grown;
		listing->label_size = size;
	}
	snprintf(listing->label, size, "%s (+%u)", name, probe->alias_count);
	return listing->label;
}

static void widen(size_t *width, size_t needed)
{
	if (*width < needed)
		*width = needed;
}

/* In a pipe paths are not cut, and a few long names do not push all of them away. */
static void fit(struct listing *listing)
{
	size_t fixed = strlen("    OFFSET  uretprobe  emulated  SITE  ") + listing->verdict_width +
		       2 * GAP;
	size_t columns = listing->window.columns;

	listing->label_limit = CLI_MOST_LABEL;
	if (!columns) {
		listing->label_pad =
			listing->label_width < MOST_PAD ? listing->label_width : MOST_PAD;
		return;
	}
	cli_text_share(columns > fixed + NARROWEST ? columns - fixed : NARROWEST,
		       &listing->label_width, &listing->path_width);
	listing->label_pad = listing->label_limit = listing->label_width;
	listing->path_limit = listing->path_width;
}

static void measure(struct listing *listing)
{
	struct upm_probe probe;

	listing->label_width = strlen(LABEL_TITLE);
	listing->verdict_width = strlen("VERDICT");
	for (size_t i = 0; i < upm_probe_set_size(listing->set); i++) {
		if (!get(listing, i, &probe))
			continue;
		widen(&listing->label_width, cli_text_width(label_of(listing, &probe)));
		widen(&listing->verdict_width, strlen(upm_verdict_name(probe.verdict)));
		widen(&listing->path_width, cli_text_width(probe.path));
	}
	if (listing->label_width > CLI_MOST_LABEL)
		listing->label_width = CLI_MOST_LABEL;
	fit(listing);
}

/* On a terminal the reason has a line of its own; in a pipe one line is one probe. */
static void print_probe(FILE *out, struct listing *listing, size_t index,
			const struct upm_probe *probe)
{
	const char *behind = listing->window.rows ? "\n            " : "  # ";
	char site[24] = "";

	if (probe->site_offset != probe->offset)
		snprintf(site, sizeof(site), "+%llu",
			 (unsigned long long)(probe->site_offset - probe->offset));
	fprintf(out, "%#10llx  %-9s  %-8s  %-4s  %-*s  ", (unsigned long long)probe->offset,
		upm_kind_name(probe->kind), upm_cost_name(probe->site_cost), site,
		(int)listing->verdict_width, upm_verdict_name(probe->verdict));
	cli_text_put(out, label_of(listing, probe), listing->label_limit, listing->label_pad);
	fputs("  ", out);
	cli_text_put(out, probe->path, listing->path_limit, 0);
	if (probe->argument_count || probe->ref_ctr_offset) {
		fputs(behind, out);
		cli_site_print(out, listing->set, index, probe);
	}
	if (*probe->reason) {
		fputs(behind, out);
		cli_text_put(out, probe->reason, 0, 0);
	}
	fputc('\n', out);
}

static void print_table(FILE *out, struct listing *listing)
{
	struct upm_probe probe;

	measure(listing);
	fprintf(out, "%s%10s  %-9s  %-8s  %-4s  %-*s  %-*s  %s%s\n", cli_bold(&listing->window),
		"OFFSET", "KIND", "COST", "SITE", (int)listing->verdict_width, "VERDICT",
		(int)listing->label_pad, LABEL_TITLE, "BINARY", cli_plain(&listing->window));
	for (size_t i = 0; i < upm_probe_set_size(listing->set); i++)
		if (get(listing, i, &probe))
			print_probe(out, listing, i, &probe);
}

static json_t *describe_aliases(const struct listing *listing, size_t index, size_t count)
{
	json_t *aliases = json_array();

	for (size_t i = 0; i < count; i++) {
		const char *alias = upm_probe_set_alias(listing->set, index, i);

		json_array_append_new(aliases, cli_json_text(alias ? alias : ""));
	}
	return aliases;
}

static json_t *describe(struct listing *listing, size_t index, const struct upm_probe *probe)
{
	json_t *value = cli_json_place(probe);
	const char *readable = "";

	json_object_set_new(value, "kind", json_string(upm_kind_name(probe->kind)));
	json_object_set_new(value, "cost", json_string(upm_cost_name(probe->cost)));
	json_object_set_new(value, "site", json_integer((json_int_t)probe->site_offset));
	json_object_set_new(value, "site_cost", json_string(upm_cost_name(probe->site_cost)));
	json_object_set_new(value, "verdict", json_string(upm_verdict_name(probe->verdict)));
	json_object_set_new(value, "reason", cli_json_text(probe->reason));
	json_object_set_new(value, "spec", cli_json_text(probe->spec));
	json_object_set_new(value, "version", cli_json_text(probe->version));
	json_object_set_new(value, "address", json_integer((json_int_t)probe->address));
	json_object_set_new(value, "symbol_offset", json_integer((json_int_t)probe->symbol_offset));
	json_object_set_new(value, "symbol_size", json_integer((json_int_t)probe->symbol_size));
	if (probe->kind == UPM_KIND_USDT)
		cli_site_describe(value, listing->set, index, probe);
	if (listing->options->demangle == CLI_DEMANGLE_ALWAYS)
		readable = cli_demangled(&listing->names, probe);
	if (*readable)
		json_object_set_new(value, "demangled", cli_json_text(readable));
	if (json_object_set_new(value, "aliases",
				describe_aliases(listing, index, probe->alias_count)) == 0)
		return value;
	json_decref(value);
	return NULL;
}

static int print_json(FILE *out, struct listing *listing)
{
	struct upm_probe probe;
	struct cli_json json;

	cli_json_open(&json, out);
	cli_run_json_unmapped(&json, listing->run);
	cli_json_array(&json, "probes");
	for (size_t i = 0; i < upm_probe_set_size(listing->set); i++)
		if (get(listing, i, &probe))
			cli_json_element(&json, describe(listing, i, &probe));
	cli_json_array_end(&json);
	return cli_json_close(&json);
}

static void print_summary(const struct listing *listing)
{
	size_t total = upm_probe_set_size(listing->set);
	size_t good = upm_probe_set_count_verdict(listing->set, UPM_VERDICT_OK);
	char number[CLI_NUMBER_SIZE];

	fprintf(stderr, "%s can be attached", cli_text_counted(number, good, "probe"));
	if (total > good)
		fprintf(stderr, ", %s can not", cli_text_number(number, total - good));
	fputc('\n', stderr);
}

static int list_set(const struct cli_run *run, const struct upm_probe_set *set, FILE *out)
{
	const struct cli_options *options = run->options;
	struct listing listing = {
		.options = options,
		.run = run,
		.set = set,
		.names = {.demangle = options->demangle != CLI_DEMANGLE_NEVER, .versions = true},
		.window = cli_window_of(fileno(out)),
	};
	int status = CLI_DONE;

	if (options->json)
		status = print_json(out, &listing);
	else
		print_table(out, &listing);
	cli_output_flush(out);
	if (!options->json)
		print_summary(&listing);
	cli_names_free(&listing.names);
	free(listing.label);
	if (!upm_probe_set_count_verdict(set, UPM_VERDICT_OK))
		status = CLI_FAILED;
	return status;
}

static int place_set(const struct cli_options *options, struct upm_probe_set *set)
{
	uint32_t observer = options->observer ? options->observer : UPM_OBSERVER_COUNT;

	if (options->placement == UPM_PLACEMENT_EXACT ||
	    upm_probe_set_place(set, observer) == UPM_OK)
		return 0;
	return cli_fail_library();
}

/* From here on there is nothing to undo, and nothing asks: a signal just ends it. */
static int go_without_signals(void)
{
	cli_signals_release();
	return cli_signals_caught() ? cli_fail("list", "probes", "interrupted", "") : 0;
}

int cli_list(const struct cli_options *options)
{
	struct upm_probe_set *set = NULL;
	struct cli_run run;
	FILE *out = cli_output_open(options->output);
	int status = CLI_FAILED, written;

	if (!out)
		return CLI_FAILED;
	if (!cli_run_open(&run, options) &&
	    !cli_run_resolve(&run, options->specs, options->spec_count, &set) &&
	    !go_without_signals() && !place_set(options, set))
		status = list_set(&run, set, out);
	written = cli_output_close(out, options->output);
	upm_probe_set_free(set);
	cli_run_close(&run);
	return status ? status : written;
}

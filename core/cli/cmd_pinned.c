// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <pwd.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "observation.h"
#include "report.h"

/* In whole seconds: no finer is known. */
static const char *age_text(char buffer[CLI_NUMBER_SIZE], const struct upm_pinned *pinned)
{
	int64_t age = (int64_t)time(NULL) - (int64_t)pinned->created_s;

	if (age < 60)
		snprintf(buffer, CLI_NUMBER_SIZE, "%d s", age > 0 ? (int)age : 0);
	else
		cli_text_duration(buffer, (uint64_t)age * CLI_SECOND_NS);
	return buffer;
}

static size_t widest_name(const struct upm_pinned_list *list)
{
	struct upm_pinned pinned = {.size = sizeof(pinned)};
	size_t widest = strlen("NAME");

	for (size_t i = 0; i < upm_pinned_list_size(list); i++)
		if (upm_pinned_list_get(list, i, &pinned) == UPM_OK &&
		    cli_text_width(pinned.name) > widest)
			widest = cli_text_width(pinned.name);
	return widest;
}

static void print_creator(FILE *out, const struct upm_pinned *pinned)
{
	struct passwd entry, *owner = NULL;
	char names[1024];

	if (getpwuid_r(pinned->owner, &entry, names, sizeof(names), &owner) == 0 && owner)
		fprintf(out, "%-8s  ", owner->pw_name);
	else
		fprintf(out, "%-8u  ", pinned->owner);
	cli_text_put(out, pinned->creator, 0, 0);
	fprintf(out, " (%d)\n", (int)pinned->creator_pid);
}

static void print_pinned(FILE *out, const struct upm_pinned *pinned, size_t width)
{
	char attached[CLI_NUMBER_SIZE], links[CLI_NUMBER_SIZE], age[CLI_NUMBER_SIZE];

	cli_text_put(out, pinned->name, 0, width);
	if (*pinned->problem) {
		fputs("  can not be opened: ", out);
		cli_text_put(out, pinned->problem, 0, 0);
		fputc('\n', out);
		return;
	}
	fprintf(out, "  %-7s  %8s  %5s  %9s  ", upm_observer_kind_name(pinned->kind),
		cli_text_number(attached, pinned->attached),
		cli_text_number(links, pinned->kernel_links), age_text(age, pinned));
	print_creator(out, pinned);
}

static void print_table(FILE *out, const struct upm_pinned_list *list)
{
	struct upm_pinned pinned = {.size = sizeof(pinned)};
	struct cli_window window = cli_window_of(fileno(out));
	size_t width = widest_name(list);

	if (!upm_pinned_list_size(list)) {
		fputs("nothing is pinned\n", stderr);
		return;
	}
	fprintf(out, "%s%-*s  %-7s  %8s  %5s  %9s  %-8s  %s%s\n", cli_bold(&window), (int)width,
		"NAME", "KIND", "ATTACHED", "LINKS", "AGE", "OWNER", "PINNED BY",
		cli_plain(&window));
	for (size_t i = 0; i < upm_pinned_list_size(list); i++)
		if (upm_pinned_list_get(list, i, &pinned) == UPM_OK)
			print_pinned(out, &pinned, width);
}

static json_t *describe(const struct upm_pinned *pinned)
{
	if (*pinned->problem)
		return json_pack("{s:o,s:o}", "name", cli_json_text(pinned->name), "problem",
				 cli_json_text(pinned->problem));
	return json_pack(
		"{s:o,s:s,s:I,s:I,s:I,s:I,s:o,s:i,s:I}", "name", cli_json_text(pinned->name),
		"kind", upm_observer_kind_name(pinned->kind), "probes", (json_int_t)pinned->probes,
		"attached", (json_int_t)pinned->attached, "links", (json_int_t)pinned->kernel_links,
		"created", (json_int_t)pinned->created_s, "creator", cli_json_text(pinned->creator),
		"creator_pid", (int)pinned->creator_pid, "owner", (json_int_t)pinned->owner);
}

static int print_json(FILE *out, const struct upm_pinned_list *list)
{
	struct upm_pinned pinned = {.size = sizeof(pinned)};
	struct cli_json json;

	cli_json_open(&json, out);
	cli_json_array(&json, "pinned");
	for (size_t i = 0; i < upm_pinned_list_size(list); i++)
		if (upm_pinned_list_get(list, i, &pinned) == UPM_OK)
			cli_json_element(&json, describe(&pinned));
	cli_json_array_end(&json);
	return cli_json_close(&json);
}

static int list_pinned(const struct cli_options *options)
{
	struct upm_pinned_list *list;
	FILE *out = cli_output_open(options->output);
	int status = CLI_DONE, written;

	if (!out)
		return CLI_FAILED;
	if (upm_pinned_list(options->spec_count ? options->specs[0] : NULL, &list) < 0) {
		status = cli_fail_library();
	} else {
		if (options->json)
			status = print_json(out, list);
		else
			print_table(out, list);
		upm_pinned_list_free(list);
	}
	written = cli_output_close(out, options->output);
	return status ? status : written;
}

/* One that can not be removed does not keep the others. */
static int remove_pinned(const struct cli_options *options)
{
	int status = CLI_DONE;

	for (size_t i = 0; i < options->spec_count; i++)
		if (upm_observer_unpin(options->specs[i]) < 0)
			status = cli_fail_library();
	return status;
}

int cli_pinned(const struct cli_options *options)
{
	if (!options->object || strcmp(options->object, "list") == 0)
		return list_pinned(options);
	if (strcmp(options->object, "show") == 0)
		return cli_observe_pinned(options, options->specs[0]);
	return remove_pinned(options);
}

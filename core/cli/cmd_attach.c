// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "attachment.h"
#include "report.h"
#include "skipped.h"
#include "text.h"

static void print_links(FILE *out, const struct upm_link *link)
{
	struct upm_kernel_link each = {.size = sizeof(each)};
	char number[CLI_NUMBER_SIZE];

	for (size_t i = 0; i < upm_link_kernel_links(link); i++) {
		if (upm_link_kernel_get(link, i, &each) != UPM_OK || !each.id)
			continue;
		fprintf(out, "  link %u: %s in ", each.id,
			cli_text_counted(number, each.probes, upm_kind_name(each.kind)));
		cli_text_put(out, each.path, 0, 0);
		if (each.files > 1)
			fprintf(out, " and %s",
				cli_text_counted(number, each.files - 1, "other file"));
		if (each.pid)
			fprintf(out, ", process %d", (int)each.pid);
		fputc('\n', out);
	}
}

static void print_attachment(FILE *out, const struct cli_attachment *attachment)
{
	const struct upm_link *link = attachment->link;
	struct cli_names names = {.demangle = true};
	struct cli_skipped skipped = {.link = link, .set = attachment->set};
	char number[CLI_NUMBER_SIZE], time[CLI_NUMBER_SIZE], links[CLI_NUMBER_SIZE];

	cli_text_put(out, attachment->program.name, 0, 0);
	fputs(" (", out);
	cli_text_put(out, attachment->program.section, 0, 0);
	fputs("): ", out);
	if (link)
		fprintf(out, "%s attached in %s, %s (%s)\n",
			cli_text_counted(number, upm_link_attached(link), "probe"),
			cli_text_duration(time, upm_link_attach_ns(link)),
			cli_text_counted(links, upm_link_kernel_links(link), "link"),
			upm_backend_name(upm_link_backend(link)));
	else
		fprintf(out, "%s\n", attachment->note);
	if (link && upm_link_backend(link) == UPM_BACKEND_UPROBE_MULTI)
		print_links(out, link);
	if (attachment->pin) {
		fputs("  pinned in ", out);
		cli_text_put(out, attachment->pin, 0, 0);
		fputc('\n', out);
	}
	if (attachment->set)
		cli_skipped_print(out, &skipped, &names);
	cli_names_free(&names);
}

static json_t *describe_links(const struct upm_link *link)
{
	struct upm_kernel_link each = {.size = sizeof(each)};
	json_t *list = json_array();

	for (size_t i = 0; i < upm_link_kernel_links(link); i++)
		if (upm_link_kernel_get(link, i, &each) == UPM_OK)
			json_array_append_new(
				list,
				json_pack("{s:I,s:o,s:I,s:I,s:s,s:i}", "id", (json_int_t)each.id,
					  "path", cli_json_text(each.path), "files",
					  (json_int_t)each.files, "probes", (json_int_t)each.probes,
					  "kind", upm_kind_name(each.kind), "pid", (int)each.pid));
	return list;
}

static json_t *describe_skipped(const struct cli_attachment *attachment)
{
	struct cli_skipped skipped = {.link = attachment->link, .set = attachment->set};
	json_t *list = json_array();

	if (attachment->set)
		for (size_t i = 0; i < cli_skipped_count(&skipped); i++)
			json_array_append_new(list, cli_skipped_describe(&skipped, i));
	return list;
}

static json_t *describe_attachment(const struct cli_attachment *attachment)
{
	const struct upm_link *link = attachment->link;
	json_t *value = json_object();

	json_object_set_new(value, "program", cli_json_text(attachment->program.name));
	json_object_set_new(value, "section", cli_json_text(attachment->program.section));
	json_object_set_new(value, "attached",
			    json_integer(link ? (json_int_t)upm_link_attached(link) : 0));
	json_object_set_new(value, "skipped", describe_skipped(attachment));
	if (link) {
		json_object_set_new(value, "backend",
				    json_string(upm_backend_name(upm_link_backend(link))));
		json_object_set_new(value, "links", describe_links(link));
		json_object_set_new(value, "attach_seconds",
				    cli_json_seconds(upm_link_attach_ns(link)));
	}
	if (attachment->note)
		json_object_set_new(value, "error", cli_json_text(attachment->note));
	if (attachment->pin)
		json_object_set_new(value, "pin", cli_json_text(attachment->pin));
	return value;
}

static int print_json(FILE *out, const struct cli_run *run,
		      const struct cli_attachments *attachments)
{
	struct cli_json json;
	json_int_t total = 0;

	for (size_t i = 0; i < attachments->count; i++)
		if (attachments->list[i].link)
			total += (json_int_t)upm_link_attached(attachments->list[i].link);
	cli_json_open(&json, out);
	cli_json_member(&json, "object", cli_json_text(attachments->path));
	cli_json_member(&json, "attached", json_integer(total));
	cli_run_json_unmapped(&json, run);
	cli_json_array(&json, "programs");
	for (size_t i = 0; i < attachments->count; i++)
		cli_json_element(&json, describe_attachment(&attachments->list[i]));
	cli_json_array_end(&json);
	return cli_json_close(&json);
}

static int print_result(FILE *out, const struct cli_run *run,
			const struct cli_attachments *attachments)
{
	int status = CLI_DONE;

	if (run->options->json)
		status = print_json(out, run, attachments);
	else
		for (size_t i = 0; i < attachments->count; i++)
			print_attachment(out, &attachments->list[i]);
	cli_output_flush(out);
	return status;
}

static int hold(struct cli_run *run)
{
	const struct cli_options *options = run->options;
	struct cli_wait wait;
	int status = cli_wait_open(&wait, options, run->launch.pid ? &run->launch : NULL);

	if (!status) {
		cli_wait_start(&wait, options);
		status = cli_run_release(run);
	}
	if (!status) {
		if (!options->json)
			fputs("attached; Ctrl-C detaches\n", stderr);
		run->ended_by = cli_wait_next(&wait, UINT64_MAX);
		cli_run_reap(run);
		cli_run_print_command(stderr, run);
		if (run->ended_by == CLI_EVENT_ERROR)
			status = CLI_FAILED;
	}
	cli_wait_close(&wait);
	return status;
}

static int attach_and_hold(struct cli_run *run, struct cli_attachments *attachments, FILE *out)
{
	bool nothing = false;
	int status = cli_run_hold(run);

	if (!status)
		status = cli_attachments_make(attachments, run, &nothing);
	if (!status && run->options->pin)
		status = cli_attachments_pin(attachments, run->options->pin);
	if ((!status || nothing) && print_result(out, run, attachments))
		status = CLI_FAILED;
	if (!status && !run->options->pin)
		status = hold(run);
	return status;
}

int cli_attach(const struct cli_options *options)
{
	struct cli_attachments attachments = {.path = options->object};
	struct cli_run run;
	FILE *out = cli_output_open(options->output);
	int status, written;

	if (!out)
		return CLI_FAILED;
	status = cli_run_open(&run, options);
	if (!status)
		status = attach_and_hold(&run, &attachments, out);
	cli_attachments_free(&attachments);
	written = cli_output_close(out, options->output);
	cli_run_close(&run);
	return status ? status : written;
}

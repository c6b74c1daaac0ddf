// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "attachment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"

static int out_of_memory(const char *path)
{
	return cli_fail("attach", path, strerror(ENOMEM), "");
}

static bool is_wanted(const struct cli_options *options, const struct upm_program *program)
{
	return !options->program || strcmp(options->program, program->name) == 0;
}

static int select_programs(struct cli_attachments *attachments, const struct cli_options *options)
{
	size_t count = upm_object_programs(attachments->object);

	attachments->list = calloc(count + 1, sizeof(*attachments->list));
	if (!attachments->list)
		return out_of_memory(attachments->path);
	for (size_t i = 0; i < count; i++) {
		struct cli_attachment *next = &attachments->list[attachments->count];

		next->program.size = sizeof(next->program);
		if (upm_object_program(attachments->object, i, &next->program) == UPM_OK &&
		    is_wanted(options, &next->program))
			attachments->count++;
	}
	if (attachments->count)
		return 0;
	if (options->program)
		return cli_fail("find the program", options->program, "it is not in the object",
				"--program takes the name of the C function");
	return cli_fail("attach", attachments->path, "it has no program for user-space probes",
			"give one a section such as SEC(\"uprobe.multi\")");
}

/* Say the kind of a program's section where the spec does not: "f:g" to "uretprobe:f:g". */
static char *with_kind(const char *spec, const struct upm_program *program)
{
	bool is_given = strncmp(spec, "uprobe:", 7) == 0 || strncmp(spec, "uretprobe:", 10) == 0 ||
			strncmp(spec, "usdt:", 5) == 0;
	char *copy;

	if (asprintf(&copy, "%s%s%s", is_given ? "" : upm_kind_name(program->kind),
		     is_given ? "" : ":", spec) < 0)
		return NULL;
	return copy;
}

static void free_specs(char **specs, size_t count)
{
	for (size_t i = 0; specs && i < count; i++)
		free(specs[i]);
	free(specs);
}

static int resolve(struct cli_attachment *attachment, struct cli_run *run, const char *const *specs,
		   size_t count)
{
	char **full = calloc(count, sizeof(*full));
	int status = 0;

	for (size_t i = 0; full && i < count; i++) {
		full[i] = with_kind(specs[i], &attachment->program);
		if (!full[i])
			status = out_of_memory(specs[i]);
	}
	if (!full)
		status = out_of_memory(attachment->program.name);
	if (!status)
		status = cli_run_resolve(run, (const char *const *)full, count, &attachment->set);
	free_specs(full, count);
	return status;
}

/* @return 0, also when no probe can be attached: the note then says why. */
static int attach(struct cli_attachment *attachment, struct cli_run *run)
{
	struct upm_attach_options options = cli_run_attach_options(run);
	int32_t status;

	cli_progress_begin(&run->progress);
	status = upm_attach(attachment->program.fd, attachment->set, &options, &attachment->link);
	cli_progress_end(&run->progress);
	if (status == UPM_ERR_NOTHING) {
		attachment->note = strdup(upm_error_last()->message);
		return attachment->note ? 0 : out_of_memory(attachment->program.name);
	}
	return status < 0 ? cli_fail_library() : 0;
}

static int make_one(struct cli_attachment *attachment, struct cli_run *run)
{
	const struct cli_options *options = run->options;
	const char *const *specs = options->specs;
	size_t count = options->spec_count;

	if (!count && attachment->program.spec && *attachment->program.spec) {
		specs = &attachment->program.spec;
		count = 1;
	}
	if (!count) {
		attachment->note = strdup("its section names no probe, and no SPEC was given");
		return attachment->note ? 0 : out_of_memory(attachment->program.name);
	}
	if (resolve(attachment, run, specs, count))
		return CLI_FAILED;
	return attach(attachment, run);
}

int cli_attachments_make(struct cli_attachments *attachments, struct cli_run *run, bool *nothing)
{
	size_t linked = 0;

	if (upm_object_open(attachments->path, &attachments->object) < 0)
		return cli_fail_library();
	if (select_programs(attachments, run->options))
		return CLI_FAILED;
	for (size_t i = 0; i < attachments->count; i++) {
		if (make_one(&attachments->list[i], run))
			return CLI_FAILED;
		linked += attachments->list[i].link != NULL;
	}
	if (linked)
		return 0;
	*nothing = true;
	return cli_fail("attach", attachments->path, "no probe can be attached",
			"the reasons are listed with each program");
}

static void unpin(struct cli_attachments *attachments, const char *directory, bool made)
{
	for (size_t i = 0; i < attachments->count; i++) {
		struct cli_attachment *each = &attachments->list[i];

		if (each->pin)
			upm_link_unpin(each->pin);
		free(each->pin);
		each->pin = NULL;
	}
	if (made)
		rmdir(directory);
}

static int pin_one(struct cli_attachment *attachment, const char *directory)
{
	char *path;

	if (!attachment->link)
		return 0;
	if (asprintf(&path, "%s/%s", directory, attachment->program.name) < 0)
		return out_of_memory(directory);
	if (upm_link_pin(attachment->link, path) < 0) {
		free(path);
		return cli_fail_library();
	}
	attachment->pin = path;
	return 0;
}

int cli_attachments_pin(struct cli_attachments *attachments, const char *directory)
{
	bool made = mkdir(directory, 0700) == 0;

	if (!made && errno != EEXIST)
		return cli_fail("pin in", directory, strerror(errno),
				"choose a directory on a bpffs, such as /sys/fs/bpf/NAME");
	for (size_t i = 0; i < attachments->count; i++) {
		if (pin_one(&attachments->list[i], directory)) {
			unpin(attachments, directory, made);
			return CLI_FAILED;
		}
	}
	return 0;
}

void cli_attachments_free(struct cli_attachments *attachments)
{
	for (size_t i = 0; i < attachments->count; i++) {
		struct cli_attachment *each = &attachments->list[i];

		upm_link_free(each->link);
		upm_probe_set_free(each->set);
		free(each->pin);
		free(each->note);
	}
	free(attachments->list);
	upm_object_free(attachments->object);
}

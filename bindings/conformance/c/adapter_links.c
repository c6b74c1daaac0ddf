/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Steps of links and of BPF objects. */
#include "adapter.h"

#include <stdlib.h>
#include <string.h>

static const struct upm_link *link_of(const json_t *step)
{
	const struct upm_observer *observer = find_if(step, THING_OBSERVER);

	return observer ? upm_observer_link(observer) : find(step, "of", THING_LINK);
}

void put_link(json_t *answer, const struct upm_link *link)
{
	put_number(answer, "attached", upm_link_attached(link));
	put_number(answer, "skipped", upm_link_skipped(link));
	put_text(answer, "backend", upm_backend_name(upm_link_backend(link)));
}

static int32_t keep_link(const json_t *step, json_t *answer, int32_t status, struct upm_link *link)
{
	if (status == UPM_OK) {
		put_link(answer, link);
		keep(step, THING_LINK, link);
	}
	return status;
}

static int32_t run_object(const json_t *step, json_t *answer)
{
	struct upm_object *object = NULL;
	int32_t status = upm_object_open(text_of(step, "path"), &object);
	json_t *programs;

	if (status)
		return status;
	programs = json_array();
	for (size_t i = 0; i < upm_object_programs(object); i++) {
		struct upm_program program = {.size = sizeof(program)};

		if (upm_object_program(object, i, &program))
			broken("program %zu can not be read", i);
		json_array_append_new(programs,
				      json_pack("{s:s,s:s,s:s,s:s,s:b,s:b}", "name", program.name,
						"section", program.section, "spec", program.spec,
						"kind", upm_kind_name(program.kind), "session",
						(int)program.session, "sleepable",
						(int)program.sleepable));
	}
	put(answer, "programs", programs);
	keep(step, THING_OBJECT, object);
	return UPM_OK;
}

static int32_t run_map(const json_t *step, json_t *answer)
{
	int32_t fd = upm_object_map_fd(find(step, "of", THING_OBJECT), text_of(step, "name"));

	put(answer, "found", json_boolean(fd >= 0));
	return fd < 0 ? fd : UPM_OK;
}

static int32_t run_attach_object(const json_t *step, json_t *answer)
{
	struct upm_link *link = NULL;
	struct attach attach;
	size_t count;
	const char **specs = texts_of(step, "specs", &count);
	int32_t status;

	attach_of(step, &attach);
	status =
		upm_object_attach(find(step, "object", THING_OBJECT), text_or_null(step, "program"),
				  specs, count, &attach.options, &link);
	free(specs);
	return keep_link(step, answer, status, link);
}

static int32_t fd_of_program(const json_t *step)
{
	const struct upm_object *object = find(step, "object", THING_OBJECT);
	struct upm_program program = {.size = sizeof(program)};

	for (size_t i = 0; upm_object_program(object, i, &program) == UPM_OK; i++)
		if (strcmp(program.name, text_of(step, "program")) == 0)
			return program.fd;
	broken("there is no such program");
}

static int32_t run_attach(const json_t *step, json_t *answer)
{
	struct upm_link *link = NULL;
	struct attach attach;
	int32_t status;

	attach_of(step, &attach);
	status = upm_attach(fd_of_program(step), find(step, "set", THING_SET), &attach.options,
			    &link);
	return keep_link(step, answer, status, link);
}

static int32_t run_link(const json_t *step, json_t *answer)
{
	const struct upm_link *link = link_of(step);
	json_t *kernel_links = json_array();

	put_link(answer, link);
	put(answer, "timed", json_boolean(upm_link_attach_ns(link) > 0));
	for (size_t i = 0; i < upm_link_kernel_links(link); i++) {
		struct upm_kernel_link kernel = {.size = sizeof(kernel)};
		int32_t status = upm_link_kernel_get(link, i, &kernel);

		if (status)
			return status;
		json_array_append_new(kernel_links,
				      json_pack("{s:s,s:I,s:I,s:s,s:b,s:b}", "path", kernel.path,
						"files", (json_int_t)kernel.files, "probes",
						(json_int_t)kernel.probes, "kind",
						upm_kind_name(kernel.kind), "limited",
						kernel.pid != 0, "known", kernel.id != 0));
	}
	put(answer, "kernel_links", kernel_links);
	return UPM_OK;
}

static int32_t list_probes(const json_t *step, json_t *answer, size_t count,
			   int32_t (*get)(const struct upm_link *, size_t, struct upm_probe *))
{
	const struct upm_link *link = link_of(step);
	json_t *probes = json_array();

	for (size_t i = 0; i < count; i++) {
		struct upm_probe probe = {.size = sizeof(probe)};
		int32_t status = get(link, i, &probe);

		if (status)
			return status;
		json_array_append_new(probes, probe_json(step, &probe, NULL, i));
	}
	put(answer, "probes", probes);
	return UPM_OK;
}

static int32_t run_attached(const json_t *step, json_t *answer)
{
	return list_probes(step, answer, upm_link_attached(link_of(step)), upm_link_attached_get);
}

static int32_t run_skipped(const json_t *step, json_t *answer)
{
	return list_probes(step, answer, upm_link_skipped(link_of(step)), upm_link_skipped_get);
}

static int32_t run_detach(const json_t *step, json_t *answer)
{
	uint64_t elapsed_ns = 0;
	int32_t status = upm_link_detach(find(step, "of", THING_LINK), &elapsed_ns);

	(void)answer;
	return status;
}

static int32_t run_pin(const json_t *step, json_t *answer)
{
	(void)answer;
	return upm_link_pin(find(step, "of", THING_LINK), text_of(step, "path"));
}

static int32_t run_open(const json_t *step, json_t *answer)
{
	struct upm_link *link = NULL;
	int32_t status = upm_link_open(text_of(step, "path"), &link);

	return keep_link(step, answer, status, link);
}

static int32_t run_unpin(const json_t *step, json_t *answer)
{
	(void)answer;
	return upm_link_unpin(text_of(step, "path"));
}

const struct verb link_verbs[] = {
	{"open_object", run_object},
	{"map", run_map},
	{"attach_object", run_attach_object},
	{"attach", run_attach},
	{"link", run_link},
	{"attached", run_attached},
	{"skipped", run_skipped},
	{"detach", run_detach},
	{"pin_link", run_pin},
	{"open_link", run_open},
	{"unpin_link", run_unpin},
	{NULL, NULL},
};

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Steps of probe sets, and of what needs no handle. */
#include "adapter.h"

#include <stdlib.h>
#include <string.h>

static int32_t run_version(const json_t *step, json_t *answer)
{
	(void)step;
	put_text(answer, "version", upm_version());
	return UPM_OK;
}

static const char *verdict_name(uint32_t verdict)
{
	return upm_verdict_name((int32_t)verdict);
}

static int32_t run_names(const json_t *step, json_t *answer)
{
	static const struct {
		const char *what;
		const char *(*name)(uint32_t);
		uint32_t first, last;
	} lists[] = {
		{"kind", upm_kind_name, 0, UPM_KIND_USDT},
		{"verdict", verdict_name, 0, UPM_VERDICT_NO_ROOM},
		{"cost", upm_cost_name, 0, UPM_COST_STEPPED},
		{"backend", upm_backend_name, 0, UPM_BACKEND_PERF_EVENT},
	};
	json_t *names = json_array();

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		if (strcmp(lists[i].what, text_of(step, "of")) == 0)
			for (uint32_t number = lists[i].first; number <= lists[i].last; number++)
				json_array_append_new(names, json_string(lists[i].name(number)));
	put(answer, "names", names);
	return UPM_OK;
}

static int32_t run_demangle(const json_t *step, json_t *answer)
{
	char buffer[1024];

	upm_demangle(text_of(step, "symbol"), buffer, sizeof(buffer));
	put_text(answer, "name", buffer);
	return UPM_OK;
}

static int32_t run_check(const json_t *step, json_t *answer)
{
	static const char *const words[] = {"no", "yes", "unknown"};
	struct upm_features features = {.size = sizeof(features)};
	int32_t status = upm_check(&features);

	(void)step;
#define PUT_ANSWER(field) put_text(answer, #field, words[features.field])
	PUT_ANSWER(uprobe_multi);
	PUT_ANSWER(session);
	PUT_ANSWER(pid_filter);
	PUT_ANSWER(link_info);
	PUT_ANSWER(fdinfo);
	PUT_ANSWER(path_fd);
	PUT_ANSWER(paths);
	PUT_ANSWER(perf_event);
	PUT_ANSWER(perf_cookie);
	PUT_ANSWER(uprobe_syscall);
	PUT_ANSWER(nop5_red_zone_safe);
	PUT_ANSWER(ringbuf);
	PUT_ANSWER(mmapable_array);
	PUT_ANSWER(cap_bpf);
	PUT_ANSWER(cap_perfmon);
	PUT_ANSWER(cap_sys_admin);
	PUT_ANSWER(cap_sys_ptrace);
	put_text(answer, "backend", upm_backend_name(features.backend));
	return status;
}

static int32_t keep_set(const json_t *step, json_t *answer, int32_t status,
			struct upm_probe_set *set)
{
	if (status == UPM_OK) {
		put_number(answer, "probes", upm_probe_set_size(set));
		keep(step, THING_SET, set);
	}
	return status;
}

static int32_t run_resolve(const json_t *step, json_t *answer)
{
	static const char *const flags[] = {"debug_always", "debug_never",	"debuginfod",
					    "all_matches",  "accept_unwinding", NULL};
	int32_t pids[8], status;
	uint64_t calls_left = number_or(step, "cancel_at", 0);
	struct upm_resolve_options options = {
		.size = sizeof(options),
		.flags = flags_of(step, flags),
		.pids = pids,
		.pid_count = pids_of(step, pids, 8),
		.program = text_or_null(step, "program"),
		.progress = calls_left ? count_down : NULL,
		.progress_context = &calls_left,
	};
	struct upm_probe_set *set = NULL;
	size_t count;
	const char **specs = texts_of(step, "specs", &count);

	status = upm_resolve(specs, count, &options, &set);
	free(specs);
	return keep_set(step, answer, status, set);
}

static int32_t run_new(const json_t *step, json_t *answer)
{
	struct upm_probe_set *set = NULL;
	int32_t status = upm_probe_set_new(&set);

	return keep_set(step, answer, status, set);
}

static int32_t run_add(const json_t *step, json_t *answer)
{
	struct upm_probe_set *set = find(step, "of", THING_SET);
	size_t count, offset_count, ref_ctr_count, cookie_count;
	const char **paths = texts_of(step, "paths", &count);
	uint64_t *offsets = numbers_of(step, "offsets", &offset_count);
	uint64_t *ref_ctrs = numbers_of(step, "ref_ctr_offsets", &ref_ctr_count);
	uint64_t *cookies = numbers_of(step, "cookies", &cookie_count);
	int32_t status =
		upm_probe_set_add(set, kind_of(step), paths, offsets, ref_ctrs, cookies, count);

	free(paths);
	free(offsets);
	free(ref_ctrs);
	free(cookies);
	put_number(answer, "probes", upm_probe_set_size(set));
	return status;
}

static int32_t run_count_verdict(const json_t *step, json_t *answer)
{
	uint32_t verdict = word_of(text_of(step, "verdict"), verdict_name, UPM_VERDICT_NO_ROOM);

	put_number(answer, "count",
		   upm_probe_set_count_verdict(find(step, "of", THING_SET), (int32_t)verdict));
	return UPM_OK;
}

static int32_t run_cookies(const json_t *step, json_t *answer)
{
	size_t count;
	uint64_t *cookies = numbers_of(step, "cookies", &count);
	int32_t status = upm_probe_set_cookies(find(step, "of", THING_SET), cookies, count);

	(void)answer;
	free(cookies);
	return status;
}

static int32_t run_select(const json_t *step, json_t *answer)
{
	struct upm_probe_set *out = NULL;
	size_t count;
	uint64_t *numbers = numbers_of(step, "indexes", &count);
	size_t *indexes = calloc(count + 1, sizeof(*indexes));
	int32_t status;

	for (size_t i = 0; i < count; i++)
		indexes[i] = numbers[i];
	status = upm_probe_set_select(find(step, "of", THING_SET), indexes, count, &out);
	free(numbers);
	free(indexes);
	return keep_set(step, answer, status, out);
}

static int32_t run_sites(const json_t *step, json_t *answer)
{
	const char *observer = text_or_null(step, "observer");
	uint32_t kind =
		observer ? word_of(observer, upm_observer_kind_name, UPM_OBSERVER_TRACE) : 0;

	(void)answer;
	return upm_probe_set_place(find(step, "of", THING_SET), kind);
}

static int32_t run_join(const json_t *step, json_t *answer)
{
	struct upm_probe_set *set = find(step, "of", THING_SET);
	int32_t status = upm_probe_set_join(set, find(step, "other", THING_SET));

	put_number(answer, "probes", upm_probe_set_size(set));
	return status;
}

static json_t *aliases_json(const struct upm_probe *probe, const struct upm_probe_set *set,
			    size_t index)
{
	json_t *aliases = json_array();

	for (size_t i = 0; i < probe->alias_count; i++)
		json_array_append_new(aliases, json_string(upm_probe_set_alias(set, index, i)));
	return aliases;
}

static json_t *arguments_json(const struct upm_probe *probe, const struct upm_probe_set *set,
			      size_t index)
{
	static const char *const places[] = {"unreadable", "constant", "register", "memory"};
	json_t *arguments = json_array();

	for (size_t i = 0; i < probe->argument_count; i++) {
		struct upm_argument argument = {.size = sizeof(argument)};

		if (upm_probe_set_argument(set, index, i, &argument))
			broken("argument %zu can not be read", i);
		json_array_append_new(
			arguments,
			json_pack("{s:s,s:i,s:b,s:b,s:s,s:s}", "place", places[argument.place],
				  "width", (int)argument.width, "signed", (int)argument.is_signed,
				  "float", (int)argument.is_float, "text", argument.text, "reason",
				  argument.reason));
	}
	return arguments;
}

static json_t *field_json(const char *field, const struct upm_probe *probe,
			  const struct upm_probe_set *set, size_t index)
{
	const struct {
		const char *name, *text;
	} texts[] = {
		{"path", probe->path},
		{"symbol", probe->symbol},
		{"version", probe->version},
		{"spec", probe->spec},
		{"reason", probe->reason},
		{"provider", probe->provider},
		{"kind", upm_kind_name(probe->kind)},
		{"verdict", upm_verdict_name(probe->verdict)},
		{"cost", upm_cost_name(probe->cost)},
		{"site_cost", upm_cost_name(probe->site_cost)},
		{"return_verdict", upm_verdict_name(probe->return_verdict)},
		{"return_reason", probe->return_reason},
	};
	const struct {
		const char *name;
		uint64_t number;
	} numbers[] = {
		{"offset", probe->offset},
		{"site_offset", probe->site_offset},
		{"address", probe->address},
		{"symbol_offset", probe->symbol_offset},
		{"symbol_size", probe->symbol_size},
		{"ref_ctr_offset", probe->ref_ctr_offset},
		{"cookie", probe->cookie},
		{"flags", probe->flags},
		{"errno", (uint64_t)probe->sys_errno},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (strcmp(field, texts[i].name) == 0)
			return json_string(texts[i].text);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (strcmp(field, numbers[i].name) == 0)
			return number_json(numbers[i].number);
	if (strcmp(field, "aliases") == 0)
		return aliases_json(probe, set, index);
	if (strcmp(field, "arguments") == 0)
		return arguments_json(probe, set, index);
	broken("a probe has no field %s", field);
}

json_t *probe_json(const json_t *step, const struct upm_probe *probe,
		   const struct upm_probe_set *set, size_t index)
{
	const json_t *fields = json_object_get(step, "fields");
	json_t *json = json_object();

	for (size_t i = 0; i < json_array_size(fields); i++) {
		const char *field = json_string_value(json_array_get(fields, i));

		put(json, field, field_json(field, probe, set, index));
	}
	return json;
}

static int32_t run_probes(const json_t *step, json_t *answer)
{
	const struct upm_observer *observer = find_if(step, THING_OBSERVER);
	const struct upm_probe_set *set =
		observer ? upm_observer_probes(observer) : find(step, "of", THING_SET);
	json_t *probes = json_array();

	for (size_t i = 0; i < upm_probe_set_size(set); i++) {
		struct upm_probe probe = {.size = sizeof(probe)};
		int32_t status = upm_probe_set_get(set, i, &probe);

		if (status)
			return status;
		json_array_append_new(probes, probe_json(step, &probe, set, i));
	}
	put(answer, "probes", probes);
	return UPM_OK;
}

const struct verb probe_verbs[] = {
	{"version", run_version},   {"names", run_names},
	{"demangle", run_demangle}, {"check", run_check},
	{"resolve", run_resolve},   {"new", run_new},
	{"add", run_add},	    {"count_verdict", run_count_verdict},
	{"cookies", run_cookies},   {"select", run_select},
	{"join", run_join},	    {"sites", run_sites},
	{"probes", run_probes},	    {NULL, NULL},
};

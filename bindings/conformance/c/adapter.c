/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "adapter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_HANDLES 32

static struct kept {
	char name[32];
	enum thing thing;
	void *handle;
} kept[MOST_HANDLES];
static size_t kept_count;

void keep(const json_t *step, enum thing thing, void *handle)
{
	struct kept *place = &kept[kept_count];

	if (kept_count == MOST_HANDLES)
		broken("more than %d handles", MOST_HANDLES);
	snprintf(place->name, sizeof(place->name), "%s", text_of(step, "as"));
	place->thing = thing;
	place->handle = handle;
	kept_count++;
}

static struct kept *find_kept(const char *name)
{
	for (size_t i = kept_count; i-- > 0;)
		if (kept[i].handle && strcmp(kept[i].name, name) == 0)
			return &kept[i];
	broken("there is no handle named %s", name);
}

void *find(const json_t *step, const char *key, enum thing thing)
{
	struct kept *found = find_kept(text_of(step, key));

	if (found->thing != thing)
		broken("%s is another thing", found->name);
	return found->handle;
}

void *find_if(const json_t *step, enum thing thing)
{
	struct kept *found = find_kept(text_of(step, "of"));

	return found->thing == thing ? found->handle : NULL;
}

static void let_go(struct kept *place)
{
	switch (place->thing) {
	case THING_SET:
		upm_probe_set_free(place->handle);
		break;
	case THING_LINK:
		upm_link_free(place->handle);
		break;
	case THING_OBSERVER:
		upm_observer_free(place->handle);
		break;
	case THING_OBJECT:
		upm_object_free(place->handle);
		break;
	case THING_SNAPSHOT:
		free_measured(place->handle);
		break;
	}
	place->handle = NULL;
}

static int32_t run_free(const json_t *step, json_t *answer)
{
	(void)answer;
	let_go(find_kept(text_of(step, "of")));
	return UPM_OK;
}

static int32_t run_reset(const json_t *step, json_t *answer)
{
	(void)step, (void)answer;
	while (kept_count > 0)
		let_go(&kept[--kept_count]);
	return UPM_OK;
}

static const struct verb own_verbs[] = {{"free", run_free}, {"reset", run_reset}, {NULL, NULL}};

static verb_fn find_verb(const char *name)
{
	static const struct verb *const all[] = {own_verbs,	 probe_verbs,	link_verbs,
						 observer_verbs, latency_verbs, trace_verbs,
						 pin_verbs};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		for (const struct verb *verb = all[i]; verb->name; verb++)
			if (strcmp(verb->name, name) == 0)
				return verb->run;
	broken("there is no verb %s", name);
}

static json_t *error_json(int32_t status)
{
	const struct upm_error *error = upm_error_last();
	json_t *json = json_object();

	put(json, "code", json_integer(status));
	put_text(json, "name", upm_status_name(status));
	put(json, "errno", json_integer(error->sys_errno));
	put_text(json, "operation", error->operation);
	put_text(json, "object", error->object);
	put_text(json, "message", error->message);
	put_text(json, "hint", error->hint);
	return json;
}

static void run_line(const char *line)
{
	json_t *step = json_loads(line, 0, NULL), *reply = json_object(), *answer = json_object();
	int32_t status;

	if (!step)
		broken("not JSON: %s", line);
	status = find_verb(text_of(step, "do"))(step, answer);
	put(reply, status < 0 ? "error" : "ok",
	    status < 0 ? error_json(status) : json_incref(answer));
	json_dumpf(reply, stdout, JSON_COMPACT | JSON_SORT_KEYS);
	putchar('\n');
	fflush(stdout);
	json_decref(reply);
	json_decref(answer);
	json_decref(step);
}

int main(void)
{
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, stdin) > 0)
		run_line(line);
	free(line);
	return 0;
}

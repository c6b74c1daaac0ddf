/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Steps of observers that are pinned. */
#include "adapter.h"

static int32_t run_pin(const json_t *step, json_t *answer)
{
	(void)answer;
	return upm_observer_pin(find(step, "of", THING_OBSERVER), text_of(step, "name"));
}

static int32_t run_open(const json_t *step, json_t *answer)
{
	struct upm_observer *observer = NULL;
	int32_t status = upm_observer_open(text_of(step, "name"), &observer);

	return keep_observer(step, answer, status, observer);
}

static int32_t run_unpin(const json_t *step, json_t *answer)
{
	(void)answer;
	return upm_observer_unpin(text_of(step, "name"));
}

static int32_t run_list(const json_t *step, json_t *answer)
{
	struct upm_pinned_list *list = NULL;
	int32_t status = upm_pinned_list(text_or_null(step, "directory"), &list);
	json_t *found = json_array();

	for (size_t i = 0; i < upm_pinned_list_size(list); i++) {
		struct upm_pinned pinned = {.size = sizeof(pinned)};

		if (upm_pinned_list_get(list, i, &pinned))
			broken("pin %zu can not be read", i);
		json_array_append_new(
			found,
			json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:b,s:b}", "name", pinned.name,
				  "problem", pinned.problem, "kind",
				  pinned.kind ? upm_observer_kind_name(pinned.kind) : "", "probes",
				  (json_int_t)pinned.probes, "attached",
				  (json_int_t)pinned.attached, "kernel_links",
				  (json_int_t)pinned.kernel_links, "dated", pinned.created_s > 0,
				  "signed", pinned.creator[0] != '\0' && pinned.creator_pid > 0));
	}
	put(answer, "pinned", found);
	upm_pinned_list_free(list);
	return status;
}

const struct verb pin_verbs[] = {
	{"pin", run_pin},	   {"open", run_open}, {"unpin", run_unpin},
	{"list_pinned", run_list}, {NULL, NULL},
};

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Steps of observers. */
#include "adapter.h"

#include <stdlib.h>

int32_t keep_observer(const json_t *step, json_t *answer, int32_t status,
		      struct upm_observer *observer)
{
	if (status == UPM_OK) {
		put_text(answer, "kind", upm_observer_kind_name(upm_observer_kind(observer)));
		put_link(answer, upm_observer_link(observer));
		keep(step, THING_OBSERVER, observer);
	}
	return status;
}

static int32_t run_count(const json_t *step, json_t *answer)
{
	struct upm_observer *observer = NULL;
	struct attach attach;
	int32_t status;

	attach_of(step, &attach);
	status = upm_count(find(step, "set", THING_SET), &attach.options, &observer);
	return keep_observer(step, answer, status, observer);
}

static int32_t run_hits(const json_t *step, json_t *answer)
{
	const struct upm_observer *observer = find(step, "of", THING_OBSERVER);
	size_t count = upm_probe_set_size(upm_observer_probes(observer));
	uint64_t *hits = calloc(count + 1, sizeof(*hits)), total = 0;
	json_t *list = json_array();
	int32_t status = upm_observer_hits(observer, hits, count);

	for (size_t i = 0; i < count; i++) {
		json_array_append_new(list, number_json(hits[i]));
		total += hits[i];
	}
	free(hits);
	put(answer, "hits", list);
	put_number(answer, "total", total);
	put_number(answer, "lost_processes", upm_observer_lost_processes(observer));
	return status;
}

static int32_t run_stop(const json_t *step, json_t *answer)
{
	uint64_t elapsed_ns = 0;

	(void)answer;
	return upm_observer_stop(find(step, "of", THING_OBSERVER), &elapsed_ns);
}

const struct verb observer_verbs[] = {
	{"count", run_count},
	{"hits", run_hits},
	{"stop", run_stop},
	{NULL, NULL},
};

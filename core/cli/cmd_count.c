// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "count.h"
#include "report.h"

static int32_t make(struct cli_observation *observation, const struct upm_attach_options *options)
{
	return upm_count(observation->set, options, &observation->observer);
}

static int prepare(struct cli_observation *observation)
{
	struct cli_count *count = (struct cli_count *)observation;
	size_t size = upm_probe_set_size(observation->set);

	count->hits = calloc(size + 1, sizeof(*count->hits));
	count->new_hits = calloc(size + 1, sizeof(*count->new_hits));
	count->window = calloc(size + 1, sizeof(*count->window));
	if (!count->hits || !count->new_hits || !count->window)
		return cli_fail("count", "", strerror(ENOMEM), "ask for fewer probes");
	return 0;
}

static int read_hits(struct cli_count *count)
{
	size_t size = upm_probe_set_size(count->base.set);
	uint64_t *now = count->new_hits;

	if (upm_observer_hits(count->base.observer, now, size) < 0)
		return cli_fail_library();
	count->total = 0;
	for (size_t i = 0; i < size; i++) {
		uint64_t before = count->hits[i];

		count->hits[i] = now[i];
		count->total += now[i];
		now[i] -= before;
	}
	return 0;
}

static int read_at(struct cli_observation *observation, enum cli_reading when)
{
	struct cli_count *count = (struct cli_count *)observation;
	size_t size = upm_probe_set_size(observation->set);

	if (read_hits(count))
		return CLI_FAILED;
	if (when == CLI_READ_OPEN)
		memcpy(count->window, count->hits, size * sizeof(*count->hits));
	if (when == CLI_READ_CLOSE)
		for (size_t i = 0; i < size; i++)
			count->window[i] = count->hits[i] - count->window[i];
	return 0;
}

static void release(struct cli_observation *observation)
{
	struct cli_count *count = (struct cli_count *)observation;

	free(count->hits);
	free(count->new_hits);
	free(count->window);
}

const struct cli_kind cli_kind_count = {
	.kind = UPM_OBSERVER_COUNT,
	.doing = "counting",
	.size = sizeof(struct cli_count),
	.make = make,
	.prepare = prepare,
	.read = read_at,
	.draw = cli_count_draw,
	.print = cli_count_print,
	.print_json = cli_count_json,
	.release = release,
};

int cli_count(const struct cli_options *options)
{
	return cli_observe(options, &cli_kind_count);
}

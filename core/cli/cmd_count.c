// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "count.h"
#include "report.h"
#include "table.h"
#include "text.h"

static int out_of_memory(void)
{
	return cli_fail("count", "", strerror(ENOMEM), "ask for fewer probes");
}

static int compare_positions(const void *left, const void *right)
{
	size_t a = *(const size_t *)left, b = *(const size_t *)right;

	return (a > b) - (a < b);
}

/* The observer gives each probe its position in the set as cookie. */
static int list_attached(struct cli_count *count)
{
	struct upm_probe probe = {.size = sizeof(probe)};
	size_t attached = upm_link_attached(count->link), size = upm_probe_set_size(count->set);

	count->attached = calloc(attached + 1, sizeof(*count->attached));
	count->hits = calloc(size + 1, sizeof(*count->hits));
	count->new_hits = calloc(size + 1, sizeof(*count->new_hits));
	count->window = calloc(size + 1, sizeof(*count->window));
	if (!count->attached || !count->hits || !count->new_hits || !count->window)
		return out_of_memory();
	for (size_t i = 0; i < attached; i++)
		if (upm_link_attached_get(count->link, i, &probe) == UPM_OK && probe.cookie < size)
			count->attached[count->attached_count++] = probe.cookie;
	qsort(count->attached, count->attached_count, sizeof(*count->attached), compare_positions);
	count->links = upm_link_kernel_links(count->link);
	count->full_paths = cli_base_names_clash(count->set);
	return 0;
}

static int read_hits(struct cli_count *count)
{
	size_t size = upm_probe_set_size(count->set);
	uint64_t *now = count->new_hits;

	if (upm_observer_hits(count->observer, now, size) < 0)
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

static int start(struct cli_count *count)
{
	struct cli_run *run = &count->run;
	struct upm_attach_options options = cli_run_attach_options(run);
	int32_t status;

	cli_progress_begin(&run->progress);
	status = upm_count(count->set, &options, &count->observer);
	cli_progress_end(&run->progress);
	if (status < 0)
		return status;
	count->link = upm_observer_link(count->observer);
	return list_attached(count);
}

/* The first table comes soon, so that it is seen that something happens. */
static uint64_t first_tick(const struct cli_options *options)
{
	uint64_t soon = CLI_SECOND_NS / 5;

	return cli_now_ns() + (options->interval_ns < soon ? options->interval_ns : soon);
}

/* With a command on the same terminal, tables are drawn over its output only when asked for. */
static bool wants_live_table(const struct cli_options *options)
{
	if (!cli_window_of(STDOUT_FILENO).terminal || (options->json && !options->output))
		return false;
	return !options->command || options->interval_given;
}

static void announce(const struct cli_count *count)
{
	char number[CLI_NUMBER_SIZE];

	if (!cli_window_of(STDERR_FILENO).terminal || count->run.options->command)
		return;
	fprintf(stderr, "counting at %s; Ctrl-C ends\n",
		cli_text_counted(number, count->attached_count, "probe"));
}

static int watch(struct cli_count *count, struct cli_wait *wait)
{
	const struct cli_options *options = count->run.options;
	bool live = wants_live_table(options);
	uint64_t tick_ns = live ? first_tick(options) : UINT64_MAX;
	struct cli_live table = {0};
	int status = 0;

	if (!live)
		announce(count);
	while ((count->run.ended_by = cli_wait_next(wait, tick_ns)) == CLI_EVENT_TICK && !status) {
		status = read_hits(count);
		if (!status)
			cli_live_draw(&table, count);
		tick_ns += options->interval_ns;
		if (tick_ns < cli_now_ns())
			tick_ns = cli_now_ns() + options->interval_ns;
	}
	cli_live_clear(&table);
	return status;
}

/* Rates are taken from the time between these two. */
static int open_window(struct cli_count *count)
{
	if (read_hits(count))
		return CLI_FAILED;
	memcpy(count->window, count->hits, upm_probe_set_size(count->set) * sizeof(*count->hits));
	count->run.started_ns = cli_now_ns();
	return 0;
}

static int close_window(struct cli_count *count)
{
	count->observed_ns = cli_now_ns() - count->run.started_ns;
	if (read_hits(count))
		return CLI_FAILED;
	for (size_t i = 0; i < upm_probe_set_size(count->set); i++)
		count->window[i] = count->hits[i] - count->window[i];
	return 0;
}

static int observe(struct cli_count *count)
{
	struct cli_run *run = &count->run;
	struct cli_wait wait;
	int status = cli_wait_open(&wait, run->options, run->launch.pid ? &run->launch : NULL);

	if (!status)
		status = open_window(count);
	if (!status) {
		cli_wait_start(&wait, run->options);
		status = cli_run_release(run);
	}
	if (!status)
		status = watch(count, &wait);
	cli_wait_close(&wait);
	if (status || close_window(count))
		return CLI_FAILED;
	upm_observer_stop(count->observer, &count->detach_ns);
	cli_run_reap(run);
	return read_hits(count);
}

static int print_result(struct cli_count *count, FILE *out)
{
	const struct cli_options *options = count->run.options;
	struct cli_window window = cli_window_of(fileno(out));

	if (options->json)
		return cli_count_json(out, count);
	cli_count_print(out, count, &window);
	if (count->run.ended_by == CLI_EVENT_PROCESSES)
		fputs(CLI_NAME ": every process of -p has ended\n", stderr);
	return CLI_DONE;
}

/* Nothing attached is a result too: each probe has its reason. */
static int print_nothing(struct cli_count *count, FILE *out)
{
	struct cli_skipped skipped = cli_count_skipped(count);

	if (count->run.options->json)
		cli_count_json_nothing(out, count);
	cli_fail_library();
	if (!count->run.options->json)
		cli_skipped_print(stderr, &skipped, &count->names);
	return CLI_FAILED;
}

static int count_specs(struct cli_count *count, FILE *out)
{
	const struct cli_options *options = count->run.options;
	int status;

	if (cli_run_resolve(&count->run, options->specs, options->spec_count, &count->set) ||
	    cli_run_hold(&count->run))
		return CLI_FAILED;
	status = start(count);
	if (status == UPM_ERR_NOTHING)
		return print_nothing(count, out);
	if (status < 0)
		return cli_fail_library();
	if (status || observe(count))
		return CLI_FAILED;
	status = print_result(count, out);
	return count->run.ended_by == CLI_EVENT_ERROR ? CLI_FAILED : status;
}

static void release(struct cli_count *count)
{
	cli_run_close(&count->run);
	upm_observer_free(count->observer);
	upm_probe_set_free(count->set);
	cli_names_free(&count->names);
	free(count->attached);
	free(count->hits);
	free(count->new_hits);
	free(count->window);
}

int cli_count(const struct cli_options *options)
{
	struct cli_count count = {.names = {.demangle = options->demangle != CLI_DEMANGLE_NEVER}};
	FILE *out = cli_output_open(options->output);
	int status = CLI_FAILED, written;

	if (!out)
		return CLI_FAILED;
	if (!cli_run_open(&count.run, options))
		status = count_specs(&count, out);
	written = cli_output_close(out, options->output);
	release(&count);
	return status ? status : written;
}

// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "observation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "report.h"
#include "text.h"

static int compare_positions(const void *left, const void *right)
{
	size_t a = *(const size_t *)left, b = *(const size_t *)right;

	return (a > b) - (a < b);
}

/* The observer gives each probe its position in the set as cookie. */
static int list_attached(struct cli_observation *observation)
{
	struct upm_probe probe = {.size = sizeof(probe)};
	size_t attached = upm_link_attached(observation->link);
	size_t size = upm_probe_set_size(observation->set);

	observation->attached = calloc(attached + 1, sizeof(*observation->attached));
	if (!observation->attached)
		return cli_fail(observation->run.options->name, "", strerror(ENOMEM),
				"ask for fewer probes");
	for (size_t i = 0; i < attached; i++)
		if (upm_link_attached_get(observation->link, i, &probe) == UPM_OK &&
		    probe.cookie < size)
			observation->attached[observation->attached_count++] = probe.cookie;
	qsort(observation->attached, observation->attached_count, sizeof(*observation->attached),
	      compare_positions);
	return 0;
}

static int prepare(struct cli_observation *observation)
{
	observation->set = upm_observer_probes(observation->observer);
	observation->link = upm_observer_link(observation->observer);
	observation->links = upm_link_kernel_links(observation->link);
	observation->full_paths = cli_base_names_clash(observation->set);
	return list_attached(observation) ? CLI_FAILED : observation->kind->prepare(observation);
}

static int32_t make(struct cli_observation *observation)
{
	struct cli_run *run = &observation->run;
	struct upm_attach_options options = cli_run_attach_options(run);
	int32_t status;

	observation->set = observation->resolved;
	cli_progress_begin(&run->progress);
	status = observation->kind->make(observation, &options);
	cli_progress_end(&run->progress);
	return status;
}

/* The first table comes soon, so that it is seen that something happens. */
static uint64_t first_tick(const struct cli_options *options)
{
	uint64_t soon = CLI_SECOND_NS / 5;

	return cli_now_ns() + (options->interval_ns < soon ? options->interval_ns : soon);
}

/* With a command on the same terminal, tables are drawn over its output only when asked for. */
static bool wants_live_table(const struct cli_observation *observation)
{
	const struct cli_options *options = observation->run.options;

	if (!observation->kind->draw || !cli_window_of(STDOUT_FILENO).terminal ||
	    (options->json && !options->output))
		return false;
	return !options->command || options->interval_given;
}

static void announce(const struct cli_observation *observation)
{
	char number[CLI_NUMBER_SIZE];

	if (!isatty(STDERR_FILENO) || observation->run.options->command)
		return;
	fprintf(stderr, "%s at %s; Ctrl-C ends\n", observation->kind->doing,
		cli_text_counted(number, observation->attached_count, "probe"));
}

static bool needs_ticks(const struct cli_observation *observation)
{
	return observation->kind->needs_ticks && observation->kind->needs_ticks(observation);
}

static int watch_ticks(struct cli_observation *observation, struct cli_wait *wait, bool live)
{
	const struct cli_options *options = observation->run.options;
	bool ticks = live || needs_ticks(observation);
	uint64_t tick_ns = ticks ? first_tick(options) : UINT64_MAX;
	int status = 0;

	while (!status &&
	       (observation->run.ended_by = cli_wait_next(wait, tick_ns)) == CLI_EVENT_TICK) {
		status = observation->kind->read(observation, CLI_READ_TICK);
		if (!status && live)
			observation->kind->draw(observation);
		tick_ns += options->interval_ns;
		if (tick_ns < cli_now_ns())
			tick_ns = cli_now_ns() + options->interval_ns;
	}
	if (live)
		cli_live_clear(&observation->live);
	return status;
}

static int watch(struct cli_observation *observation, struct cli_wait *wait)
{
	bool live = wants_live_table(observation);

	if (!live)
		announce(observation);
	if (observation->kind->watch)
		return observation->kind->watch(observation, wait);
	return watch_ticks(observation, wait, live);
}

static int read_at(struct cli_observation *observation, enum cli_reading when)
{
	uint64_t now = cli_now_ns();

	if (when == CLI_READ_CLOSE)
		observation->observed_ns = now - observation->run.started_ns;
	observation->is_final = when == CLI_READ_END;
	return observation->kind->read(observation, when);
}

static int watch_to_the_end(struct cli_observation *observation)
{
	struct cli_run *run = &observation->run;
	struct cli_wait wait;
	int status = cli_wait_open(&wait, run->options, run->launch.pid ? &run->launch : NULL);

	if (!status)
		status = read_at(observation, CLI_READ_OPEN);
	if (!status) {
		run->started_ns = cli_now_ns();
		cli_wait_start(&wait, run->options);
		status = cli_run_release(run);
	}
	if (!status)
		status = watch(observation, &wait);
	cli_wait_close(&wait);
	return status ? status : read_at(observation, CLI_READ_CLOSE);
}

static int print_result(struct cli_observation *observation)
{
	const struct cli_kind *kind = observation->kind;
	int status = observation->run.options->json ? kind->print_json(observation)
						    : kind->print(observation);

	if (!observation->run.options->json && observation->run.ended_by == CLI_EVENT_PROCESSES)
		fputs(CLI_NAME ": every process of -p has ended\n", stderr);
	return observation->run.ended_by == CLI_EVENT_ERROR ? CLI_FAILED : status;
}

static int observe(struct cli_observation *observation)
{
	int status;

	if (prepare(observation) || watch_to_the_end(observation))
		return CLI_FAILED;
	upm_observer_stop(observation->observer, &observation->detach_ns);
	/* Until it is reaped, a command that has ended has its name. */
	status = read_at(observation, CLI_READ_END);
	cli_run_reap(&observation->run);
	return status ? CLI_FAILED : print_result(observation);
}

static int pin(struct cli_observation *observation)
{
	if (prepare(observation))
		return CLI_FAILED;
	if (upm_observer_pin(observation->observer, observation->run.options->pin) < 0)
		return cli_fail_library();
	return cli_print_pinned(observation);
}

static int observe_specs(struct cli_observation *observation)
{
	const struct cli_options *options = observation->run.options;
	int32_t status;

	if (cli_run_resolve(&observation->run, options->specs, options->spec_count,
			    &observation->resolved) ||
	    cli_run_hold(&observation->run))
		return CLI_FAILED;
	status = make(observation);
	if (status == UPM_ERR_NOTHING)
		return cli_print_nothing(observation);
	if (status)
		return status < 0 ? cli_fail_library() : status;
	return options->pin ? pin(observation) : observe(observation);
}

/* What is pinned is read once, or, when asked for, watched; it goes on in any case. */
static int show(struct cli_observation *observation)
{
	if (prepare(observation))
		return CLI_FAILED;
	if (observation->run.options->follow && watch_to_the_end(observation))
		return CLI_FAILED;
	return read_at(observation, CLI_READ_END) ? CLI_FAILED : print_result(observation);
}

static struct cli_observation *allocate(const struct cli_options *options,
					const struct cli_kind *kind)
{
	struct cli_observation *observation = calloc(1, kind->size);

	if (!observation) {
		cli_fail(options->name, "", strerror(ENOMEM), "");
		return NULL;
	}
	observation->kind = kind;
	observation->names.demangle = options->demangle != CLI_DEMANGLE_NEVER;
	return observation;
}

static void release(struct cli_observation *observation)
{
	observation->kind->release(observation);
	cli_run_close(&observation->run);
	upm_observer_free(observation->observer);
	upm_probe_set_free(observation->resolved);
	cli_names_free(&observation->names);
	free(observation->attached);
	free(observation);
}

static int run_and_release(struct cli_observation *observation, const struct cli_options *options,
			   int (*run)(struct cli_observation *observation))
{
	int status = CLI_FAILED, written = CLI_FAILED;

	observation->out = cli_output_open(options->output);
	if (observation->out) {
		if (!cli_run_open(&observation->run, options))
			status = run(observation);
		written = cli_output_close(observation->out, options->output);
	}
	release(observation);
	return status ? status : written;
}

int cli_observe(const struct cli_options *options, const struct cli_kind *kind)
{
	struct cli_observation *observation = allocate(options, kind);

	return observation ? run_and_release(observation, options, observe_specs) : CLI_FAILED;
}

static const struct cli_kind *kind_of(const struct upm_observer *observer)
{
	static const struct cli_kind *const kinds[] = {&cli_kind_count, &cli_kind_latency,
						       &cli_kind_trace};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i]->kind == upm_observer_kind(observer))
			return kinds[i];
	return NULL;
}

int cli_observe_pinned(const struct cli_options *options, const char *name)
{
	struct upm_observer *observer;
	struct cli_observation *observation;
	const struct cli_kind *kind;

	if (upm_observer_open(name, &observer) < 0)
		return cli_fail_library();
	kind = kind_of(observer);
	observation = kind ? allocate(options, kind) : NULL;
	if (!observation) {
		upm_observer_free(observer);
		return kind ? CLI_FAILED
			    : cli_fail("show", name, "this command does not know its kind", "");
	}
	observation->observer = observer;
	observation->pinned = name;
	return run_and_release(observation, options, show);
}

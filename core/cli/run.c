// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "descriptors.h"
#include "report.h"
#include "signals.h"

#define GRACE_MS 200

int cli_run_open(struct cli_run *run, const struct cli_options *options)
{
	*run = (struct cli_run){.options = options};
	run->launch = (struct cli_launch){.pidfd = -1, .release_fd = -1, .failure_fd = -1};
	cli_descriptors_raise();
	if (cli_signals_install() < 0)
		return cli_fail("catch", "signals", strerror(errno), "");
	return options->command ? cli_launch_find(&run->launch, options->command) : 0;
}

/* A command may load anything; what runs already has mostly loaded what it needs. */
static bool looks_at_maps(const struct cli_options *options)
{
	return options->pid_count && !options->command;
}

static int note_unmapped(struct cli_run *run, const struct upm_probe_set *set)
{
	size_t before = run->unmapped.count;

	if (!looks_at_maps(run->options))
		return 0;
	if (cli_unmapped_find(&run->unmapped, set, run->options))
		return CLI_FAILED;
	if (!run->options->json)
		cli_unmapped_print(stderr, &run->unmapped, before);
	return 0;
}

int cli_run_resolve(struct cli_run *run, const char *const *specs, size_t count,
		    struct upm_probe_set **set)
{
	struct upm_resolve_options options =
		cli_resolve_options(run->options, run->launch.program, &run->progress);
	int32_t status;

	cli_progress_begin(&run->progress);
	status = upm_resolve(specs, count, &options, set);
	cli_progress_end(&run->progress);
	return status < 0 ? cli_fail_library() : note_unmapped(run, *set);
}

int cli_run_hold(struct cli_run *run)
{
	size_t given = run->options->pid_count;

	run->pids = calloc(given + 1, sizeof(*run->pids));
	if (!run->pids)
		return cli_fail("watch", "the processes", strerror(ENOMEM), "");
	if (given)
		memcpy(run->pids, run->options->pids, given * sizeof(*run->pids));
	run->pid_count = given;
	if (!run->options->command)
		return 0;
	if (cli_launch_hold(&run->launch))
		return CLI_FAILED;
	run->pids[run->pid_count++] = run->launch.pid;
	return 0;
}

int cli_run_release(struct cli_run *run)
{
	return run->options->command ? cli_launch_release(&run->launch) : 0;
}

struct upm_attach_options cli_run_attach_options(struct cli_run *run)
{
	return (struct upm_attach_options){
		.size = sizeof(struct upm_attach_options),
		.flags = run->options->attach_flags,
		.backend = run->options->backend,
		.placement = run->options->placement,
		.pids = run->pids,
		.pid_count = run->pid_count,
		.progress = cli_progress_step,
		.progress_context = &run->progress,
	};
}

void cli_run_reap(struct cli_run *run)
{
	cli_launch_reap(&run->launch, run->ended_by == CLI_EVENT_SIGNAL ? GRACE_MS : 0);
}

void cli_run_print_command(FILE *out, const struct cli_run *run)
{
	const struct cli_launch *launch = &run->launch;

	if (!launch->pid)
		return;
	fprintf(out, "command  process %d ", (int)launch->pid);
	if (!launch->ended)
		fputs("goes on\n", out);
	else if (WIFSIGNALED(launch->status))
		fprintf(out, "ended by signal %d (%s)\n", WTERMSIG(launch->status),
			strsignal(WTERMSIG(launch->status)));
	else
		fprintf(out, "ended with exit status %d\n", WEXITSTATUS(launch->status));
}

static json_t *describe_command(const struct cli_launch *launch)
{
	if (!launch->ended)
		return json_pack("{s:i,s:b}", "pid", (int)launch->pid, "running", 1);
	if (WIFSIGNALED(launch->status))
		return json_pack("{s:i,s:i}", "pid", (int)launch->pid, "signal",
				 WTERMSIG(launch->status));
	return json_pack("{s:i,s:i}", "pid", (int)launch->pid, "exit_status",
			 WEXITSTATUS(launch->status));
}

void cli_run_json(struct cli_json *json, const struct cli_run *run)
{
	cli_json_member(json, "ended", json_string(cli_event_name(run->ended_by)));
	if (run->launch.pid)
		cli_json_member(json, "command", describe_command(&run->launch));
}

void cli_run_json_unmapped(struct cli_json *json, const struct cli_run *run)
{
	if (looks_at_maps(run->options))
		cli_unmapped_json(json, &run->unmapped);
}

void cli_run_close(struct cli_run *run)
{
	cli_unmapped_free(&run->unmapped);
	cli_launch_free(&run->launch);
	free(run->pids);
}

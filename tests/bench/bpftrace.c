/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The distribution's bpftrace beside our command, whole commands, 100 probes, no wait. */
#include "bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t time_command(char *const *argv)
{
	uint64_t start = now_ns();
	pid_t pid = need_errno(fork(), "fork");
	int status;

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return status == 0 ? now_ns() - start : 0;
}

void bench_bpftrace(void)
{
	struct comparison comparison = {
		.name = "bpftrace",
		.what = "whole command, attach and detach",
		.probes = 100,
		.base_name = "bpftrace (perf events)",
		.ours_name = "uprobe-multi count",
	};
	const char *build = getenv("UPM_BUILD");
	char script[4300], spec[4200], command[4200];
	char *bpftrace[] = {"bpftrace", "-e", script, NULL};
	char *ours[] = {command, "count", "-d", "1ms", spec, NULL};
	uint64_t base, time;

	snprintf(spec, sizeof(spec), "%s:many_0000*", many_path());
	snprintf(script, sizeof(script), "uprobe:%s { @ = count(); } BEGIN { exit(); }", spec);
	snprintf(command, sizeof(command), "%s/uprobe-multi", build ? build : "build");
	base = time_command(bpftrace);
	time = time_command(ours);
	if (!base || !time) {
		report_skip("bpftrace",
			    base ? "our command failed" : "bpftrace is not installed or failed");
		return;
	}
	samples_add(&comparison.base, base);
	samples_add(&comparison.ours, time);
	report_comparison(&comparison);
}

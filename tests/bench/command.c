/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the command takes of memory for each probe: it counts a million functions, and one. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define PROBES 1000000

static char *command_path(char *path, size_t size)
{
	const char *build = getenv("UPM_BUILD");

	snprintf(path, size, "%s/uprobe-multi", build ? build : "build");
	return path;
}

/* @return bytes that were resident at most */
static double count_once(size_t functions)
{
	char spec[4200], command[4200];
	char *const argv[] = {command_path(command, sizeof(command)),
			      "count",
			      "--json",
			      "--output",
			      "/dev/null",
			      "-d",
			      "0.2",
			      spec,
			      NULL};
	struct rusage usage;
	int status;
	pid_t child;

	snprintf(spec, sizeof(spec), "%s:*", generated_path(functions));
	child = fork();
	if (child == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	need_errno(wait4(child, &status, 0, &usage) == child && status == 0 ? 0 : -1,
		   "run the command");
	return (double)usage.ru_maxrss * 1024;
}

void bench_command(void)
{
	double one = count_once(1);

	report_number("command_memory", "the command's memory for each of 1,000,000",
		      (count_once(PROBES) - one) / PROBES, "bytes (goal: at most 100)");
}

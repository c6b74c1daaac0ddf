/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "observe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void run_program(const struct caller *caller, int input, int output)
{
	dup2(input, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	execl(caller->path, caller->path, (char *)NULL);
	_exit(127);
}

static void expect_answer(struct caller *caller)
{
	char answer[256];

	need_errno(fgets(answer, sizeof(answer), caller->answers) ? 0 : -EIO,
		   "hear from the target");
}

void caller_start(struct caller *caller)
{
	const char *build = getenv("UPM_BUILD");
	char spec[4200];
	const char *specs[] = {spec};
	int commands[2], answers[2];

	snprintf(caller->path, sizeof(caller->path), "%s/target/traced", build ? build : "build");
	need_errno(pipe2(commands, O_CLOEXEC), "make a pipe");
	need_errno(pipe2(answers, O_CLOEXEC), "make a pipe");
	caller->pid = need_errno(fork(), "fork");
	if (caller->pid == 0)
		run_program(caller, commands[0], answers[1]);
	close(commands[0]);
	close(answers[1]);
	caller->commands = fdopen(commands[1], "w");
	caller->answers = fdopen(answers[0], "r");
	expect_answer(caller);
	snprintf(spec, sizeof(spec), "%s:counted", caller->path);
	NEED(upm_resolve(specs, 1, NULL, &caller->set));
	caller->options = (struct upm_attach_options){
		.size = sizeof(caller->options), .pids = &caller->pid, .pid_count = 1};
}

uint64_t caller_run(struct caller *caller, unsigned long times)
{
	uint64_t start = now_ns();

	fprintf(caller->commands, "count %lu\n", times);
	fflush(caller->commands);
	expect_answer(caller);
	return now_ns() - start;
}

void caller_stop(struct caller *caller)
{
	upm_probe_set_free(caller->set);
	fclose(caller->commands);
	fclose(caller->answers);
	waitpid(caller->pid, NULL, 0);
}

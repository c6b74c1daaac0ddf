/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "observe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void run_program(void *context)
{
	const struct caller *caller = context;

	execl(caller->path, caller->path, (char *)NULL);
}

static void expect_answer(struct caller *caller)
{
	char answer[256];

	need_errno(fgets(answer, sizeof(answer), caller->answers) ? 0 : -EIO,
		   "hear from the target");
}

void caller_start_function(struct caller *caller, void (*run)(void *))
{
	caller->pid = start_talker(run, caller, &caller->commands, &caller->answers);
	expect_answer(caller);
	caller->options = (struct upm_attach_options){
		.size = sizeof(caller->options), .pids = &caller->pid, .pid_count = 1};
}

static struct upm_probe_set *find(const struct caller *caller, const char *kind, const char *symbol)
{
	char spec[4400];
	const char *specs[] = {spec};
	struct upm_probe_set *set;

	snprintf(spec, sizeof(spec), "%s:%s:%s", kind, caller->path, symbol);
	NEED(upm_resolve(specs, 1, NULL, &set));
	return set;
}

void caller_watch(struct caller *caller, const char *symbol, const char *command)
{
	upm_probe_set_free(caller->set);
	upm_probe_set_free(caller->returns);
	caller->set = find(caller, "uprobe", symbol);
	caller->returns = find(caller, "uretprobe", symbol);
	caller->command = command;
}

void caller_start(struct caller *caller)
{
	const char *build = getenv("UPM_BUILD");

	memset(caller, 0, sizeof(*caller));
	snprintf(caller->path, sizeof(caller->path), "%s/target/traced", build ? build : "build");
	caller_start_function(caller, run_program);
	caller_watch(caller, "counted", "count %lu\n");
}

uint64_t caller_run(struct caller *caller, unsigned long times)
{
	uint64_t start = now_ns();

	fprintf(caller->commands, caller->command, times);
	fflush(caller->commands);
	expect_answer(caller);
	return now_ns() - start;
}

bool caller_is_armed(const struct caller *caller)
{
	struct upm_probe probe = {.size = sizeof(probe)};
	char path[64], line[4352];
	unsigned long start, end, from;
	uint64_t address = 0;
	uint8_t byte = 0;
	FILE *maps;
	int memory;

	NEED(upm_probe_set_get(caller->set, 0, &probe));
	snprintf(path, sizeof(path), "/proc/%d/maps", caller->pid);
	maps = fopen(path, "re");
	while (maps && !address && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx r-xp %lx", &start, &end, &from) == 3 &&
		    probe.offset >= from && probe.offset < from + end - start)
			address = start + probe.offset - from;
	if (maps)
		fclose(maps);
	snprintf(path, sizeof(path), "/proc/%d/mem", caller->pid);
	memory = need_errno(open(path, O_RDONLY | O_CLOEXEC), "look at the target");
	need_errno((int)pread(memory, &byte, 1, (off_t)address), "look at the target");
	close(memory);
	return byte == 0xcc;
}

void caller_stop(struct caller *caller)
{
	upm_probe_set_free(caller->set);
	upm_probe_set_free(caller->returns);
	fclose(caller->commands);
	fclose(caller->answers);
	waitpid(caller->pid, NULL, 0);
}

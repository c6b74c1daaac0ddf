/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "reader.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- in the child: the C library, obeying as bindings/python/bench/told.py does */

static uint64_t cpu_ns(void)
{
	struct timespec spent;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
	return (uint64_t)spent.tv_sec * 1000000000u + (uint64_t)spent.tv_nsec;
}

static void read_events(struct upm_observer *observer, struct upm_batch *batch,
			unsigned long wanted)
{
	unsigned long long events = 0, sum = 0, start = cpu_ns(), spent;
	struct upm_trace_count counts;

	while (events < wanted) {
		NEED(upm_trace_read(observer, batch, 1000));
		if (!upm_batch_size(batch))
			break;
		for (size_t i = 0; i < upm_batch_size(batch); i++)
			sum += upm_batch_events(batch)[i].arguments[0];
		events += upm_batch_size(batch);
	}
	spent = cpu_ns() - start;
	NEED(upm_observer_stop(observer, NULL));
	NEED(upm_trace_counts(observer, &counts, 1));
	printf("{\"events\": %llu, \"sum\": %llu, \"lost\": %llu, \"cpu_ns\": %llu}\n", events, sum,
	       (unsigned long long)counts.lost, spent);
}

static void read_in_c(const struct caller *caller)
{
	struct upm_observer *observer = NULL;
	struct upm_batch *batch;
	unsigned long events;
	char line[64];

	NEED(upm_batch_new(0, 0, &batch));
	printf("ready\n");
	while (fflush(stdout), fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "read %lu", &events) == 1) {
			read_events(observer, batch, events);
			upm_observer_free(observer);
		} else {
			NEED(upm_trace(caller->set, NULL, &caller->options, &observer));
			printf("attached\n");
		}
	}
	_exit(0);
}

/* Where a script in Lua finds the module of this Lua. */
static void set_lua_paths(const char *build, const char *lua)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/conformance/lua/%s/?.lua;;", build, lua);
	setenv("LUA_PATH", path, 1);
	snprintf(path, sizeof(path), "%s/conformance/lua/%s/?.so;;", build, lua);
	setenv("LUA_CPATH", path, 1);
}

void run_script(const char *interpreter, const char *script, const struct caller *caller)
{
	bool is_lua = interpreter && strncmp(interpreter, "lua", 3) == 0;
	const char *build = getenv("UPM_BUILD");
	char python[4200], package[4200], path[256], pid[16];

	build = build ? build : "build";
	snprintf(python, sizeof(python), "%s/python/venv/bin/python", build);
	snprintf(package, sizeof(package), "%s/conformance/python", build);
	snprintf(path, sizeof(path), "bindings/%s/bench/%s", is_lua ? "lua" : "python", script);
	snprintf(pid, sizeof(pid), "%d", caller->pid);
	if (is_lua)
		set_lua_paths(build, interpreter);
	setenv("PYTHONPATH", package, 1);
	setenv("PYTHONDONTWRITEBYTECODE", "1", 1);
	interpreter = interpreter ? interpreter : python;
	execlp(interpreter, interpreter, path, caller->path, pid, (char *)NULL);
	_exit(127);
}

struct start {
	const struct reader *reader;
	const struct caller *caller;
};

static void run_reader(void *context)
{
	const struct start *start = context;

	if (!start->reader->script)
		read_in_c(start->caller);
	run_script(start->reader->interpreter, start->reader->script, start->caller);
}

/* ---- here */

static void hear(struct reader *reader, char *line, int size)
{
	if (!fgets(line, size, reader->answers))
		snprintf(line, (size_t)size, "it ended: see what it printed\n");
	line[strcspn(line, "\n")] = '\0';
}

bool reader_start(struct reader *reader, const struct caller *caller)
{
	struct start start = {reader, caller};

	reader->pid = start_talker(run_reader, &start, &reader->commands, &reader->answers);
	hear(reader, reader->reason, sizeof(reader->reason));
	if (strcmp(reader->reason, "ready") == 0)
		return true;
	reader_stop(reader);
	return false;
}

void reader_attach(struct reader *reader)
{
	char line[64];

	fprintf(reader->commands, "attach\n");
	fflush(reader->commands);
	hear(reader, line, sizeof(line));
	need_errno(strcmp(line, "attached") == 0 ? 0 : -EIO, "attach a reader");
}

void reader_begin(struct reader *reader, unsigned long events)
{
	fprintf(reader->commands, "read %lu\n", events);
	fflush(reader->commands);
}

struct reading reader_end(struct reader *reader)
{
	json_int_t events = 0, sum = 0, lost = 0, spent = 0;
	char line[256];
	json_t *answer;

	hear(reader, line, sizeof(line));
	answer = json_loads(line, 0, NULL);
	need_errno(json_unpack(answer, "{s:I, s:I, s:I, s:I}", "events", &events, "sum", &sum,
			       "lost", &lost, "cpu_ns", &spent)
			   ? -EIO
			   : 0,
		   "hear from a reader");
	json_decref(answer);
	/* counted(0), counted(1) …: a reader that saw all has added all of them up. */
	need_errno(lost || sum == events * (events - 1) / 2 ? 0 : -EIO, "read what was recorded");
	return (struct reading){(uint64_t)events, (uint64_t)lost, (uint64_t)spent};
}

void reader_stop(struct reader *reader)
{
	fclose(reader->commands);
	fclose(reader->answers);
	waitpid(reader->pid, NULL, 0);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * From a pattern to attached probes, against the floor: one BPF_LINK_CREATE
 * with offsets that are known, good and sorted. Both take turns, in one process, on
 * one file, so that whatever slows the machine down slows both. Measured twice: without the
 * index, which is what the first to ask has to wait, and with it.
 */
#include "bench.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "attach/sys.h"

#define ROUNDS 21
#define SETTLE_US 50000 /* the kernel frees what was detached before */
#define REST_S 62	/* after which the index takes a file that has changed */

struct known_offsets {
	const char *path;
	size_t count;
	uint64_t *offsets;
};

static int ascending(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

/* What is attached to, and how. */
struct question {
	int program;
	const char *spec;
	uint32_t flags; /* of enum upm_resolve_flag */
};

static struct upm_link *attach_pattern(const struct question *question)
{
	const struct upm_resolve_options options = {.size = sizeof(options),
						    .flags = question->flags};
	struct upm_probe_set *set;
	struct upm_link *link;

	NEED(upm_resolve(&question->spec, 1, &options, &set));
	NEED(upm_attach(question->program, set, NULL, &link));
	upm_probe_set_free(set);
	return link;
}

/* What the engine attaches is what the raw call gets: the kernel accepts it all. */
static void learn_offsets(const struct question *question, struct known_offsets *known)
{
	struct upm_link *link = attach_pattern(question);

	known->count = upm_link_attached(link);
	known->offsets = calloc(known->count, sizeof(*known->offsets));
	if (!known->offsets)
		exit(1);
	for (size_t i = 0; i < known->count; i++) {
		struct upm_probe probe = {.size = sizeof(probe)};

		NEED(upm_link_attached_get(link, i, &probe));
		known->offsets[i] = probe.offset;
	}
	qsort(known->offsets, known->count, sizeof(*known->offsets), ascending);
	upm_link_free(link);
}

static uint64_t time_raw(int program, const struct known_offsets *known)
{
	struct upm_multi_link request = {
		.program_fd = program,
		.attach_type = UPM_BPF_TRACE_UPROBE_MULTI,
		.path = known->path,
		.offsets = known->offsets,
		.count = known->count,
	};
	uint64_t start = now_ns(), end;
	int fd = need_errno(upm_sys_link_multi(&request), "BPF_LINK_CREATE");

	end = now_ns();
	close(fd);
	return end - start;
}

static uint64_t time_pattern(const struct question *question)
{
	uint64_t start = now_ns(), end;
	struct upm_link *link = attach_pattern(question);

	end = now_ns();
	upm_link_free(link);
	return end - start;
}

/* Each of a pair goes first in every other round. */
static void time_pair(const struct question *question, const struct known_offsets *known,
		      bool ours_first, struct comparison *comparison)
{
	for (int turn = 0; turn < 2; turn++) {
		usleep(SETTLE_US);
		if ((turn == 0) == ours_first)
			samples_add(&comparison->ours, time_pattern(question));
		else
			samples_add(&comparison->base, time_raw(question->program, known));
	}
}

static void compare(const char *path, const char *pattern, uint32_t flags,
		    struct comparison *comparison)
{
	char spec[4200];
	const struct question question = {
		.program = need_errno(upm_sys_program_load_nop(UPM_BPF_TRACE_UPROBE_MULTI),
				      "load a program"),
		.spec = spec,
		.flags = flags,
	};
	struct known_offsets known = {.path = path};

	snprintf(spec, sizeof(spec), "%s:%s", path, pattern);
	learn_offsets(&question, &known);
	time_raw(question.program, &known);
	for (int round = 0; round < ROUNDS; round++)
		time_pair(&question, &known, round % 2, comparison);
	comparison->probes = known.count;
	comparison->base_name = "one BPF_LINK_CREATE, offsets known";
	comparison->ours_name = "resolve a pattern and attach";
	report_comparison(comparison);
	free(known.offsets);
	close(question.program);
}

/* What was built a moment ago has no index yet. */
static void wait_until_at_rest(const char *path)
{
	struct stat status;

	need_errno(stat(path, &status), path);
	while (time(NULL) - status.st_ctim.tv_sec < REST_S)
		sleep(1);
}

/* One way to find the file, asked for the first time and again. */
struct pair_of_rows {
	const char *first_name, *first_what, *again_name, *again_what;
	double goal;
};

static void compare_both(const char *path, const char *pattern, const struct pair_of_rows *rows)
{
	struct comparison first = {
		.name = rows->first_name, .what = rows->first_what, .goal = rows->goal};
	struct comparison again = {
		.name = rows->again_name, .what = rows->again_what, .goal = rows->goal};

	wait_until_at_rest(path);
	compare(path, pattern, UPM_RESOLVE_NO_INDEX, &first);
	compare(path, pattern, 0, &again);
}

void bench_attach_many(void)
{
	const struct pair_of_rows unmapped = {"attach_50000_first",
					      "attach, no process maps the file, first time",
					      "attach_50000", "the same, known from before", 1.15};
	const struct pair_of_rows mapped = {
		"attach_50000_mapped_first", "attach, one process maps the file, first time",
		"attach_50000_mapped", "the same, known from before", 1.15};
	pid_t mapper;

	compare_both(many_path(), "many_*", &unmapped);
	mapper = start_mapper(many_path());
	compare_both(many_path(), "many_*", &mapped);
	stop_child(mapper);
}

static char *node_path(void)
{
	static const char *const places[] = {"/usr/bin/node", "/usr/bin/nodejs",
					     "/usr/local/bin/node"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (access(places[i], X_OK) == 0)
			return realpath(places[i], NULL);
	return NULL;
}

void bench_attach_node(void)
{
	const struct pair_of_rows unmapped = {"attach_node_first",
					      "attach to Node.js, not running, first time",
					      "attach_node", "the same, known from before", 1.3};
	const struct pair_of_rows mapped = {
		"attach_node_running_first", "attach to Node.js, one running, first time",
		"attach_node_running", "the same, known from before", 1.3};
	char *path = node_path();
	char *argv[] = {path, "-e", "setInterval(() => {}, 1000)", NULL};
	pid_t node;

	if (!path) {
		report_skip("attach_node", "Node.js is not installed");
		return;
	}
	compare_both(path, "*", &unmapped);
	node = start_program(argv);
	sleep(1); /* it starts up undisturbed */
	compare_both(path, "*", &mapped);
	stop_child(node);
	free(path);
}

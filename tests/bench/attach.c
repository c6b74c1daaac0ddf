/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * From a pattern to attached probes, against the floor: one BPF_LINK_CREATE
 * with offsets that are known, good and sorted. Both take turns, in one process, on
 * one file, so that whatever slows the machine down slows both.
 */
#include "bench.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/sys.h"

#define ROUNDS 21
#define SETTLE_US 50000 /* the kernel frees what was detached before */

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

static struct upm_link *attach_pattern(int program, const char *spec)
{
	struct upm_probe_set *set;
	struct upm_link *link;

	NEED(upm_resolve(&spec, 1, NULL, &set));
	NEED(upm_attach(program, set, NULL, &link));
	upm_probe_set_free(set);
	return link;
}

/* What the engine attaches is what the raw call gets: the kernel accepts it all. */
static void learn_offsets(int program, const char *spec, struct known_offsets *known)
{
	struct upm_link *link = attach_pattern(program, spec);

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

static uint64_t time_pattern(int program, const char *spec)
{
	uint64_t start = now_ns(), end;
	struct upm_link *link = attach_pattern(program, spec);

	end = now_ns();
	upm_link_free(link);
	return end - start;
}

/* Each of a pair goes first in every other round. */
static void time_pair(int program, const struct known_offsets *known, const char *spec,
		      bool ours_first, struct comparison *comparison)
{
	for (int turn = 0; turn < 2; turn++) {
		usleep(SETTLE_US);
		if ((turn == 0) == ours_first)
			samples_add(&comparison->ours, time_pattern(program, spec));
		else
			samples_add(&comparison->base, time_raw(program, known));
	}
}

static void compare(const char *path, const char *pattern, struct comparison *comparison)
{
	int program =
		need_errno(upm_sys_program_load_nop(UPM_BPF_TRACE_UPROBE_MULTI), "load a program");
	struct known_offsets known = {.path = path};
	char spec[4200];

	snprintf(spec, sizeof(spec), "%s:%s", path, pattern);
	learn_offsets(program, spec, &known);
	time_raw(program, &known);
	for (int round = 0; round < ROUNDS; round++)
		time_pair(program, &known, spec, round % 2, comparison);
	comparison->probes = known.count;
	comparison->base_name = "one BPF_LINK_CREATE, offsets known";
	comparison->ours_name = "resolve a pattern and attach";
	report_comparison(comparison);
	free(known.offsets);
	close(program);
}

void bench_attach_many(void)
{
	struct comparison unmapped = {
		.name = "attach_50000",
		.what = "attach, no process maps the file",
		.goal = 1.15,
	};
	struct comparison mapped = {
		.name = "attach_50000_mapped",
		.what = "attach, one process maps the file",
		.goal = 1.15,
	};
	pid_t mapper;

	compare(many_path(), "many_*", &unmapped);
	mapper = start_mapper(many_path());
	compare(many_path(), "many_*", &mapped);
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
	struct comparison unmapped = {
		.name = "attach_node",
		.what = "attach to Node.js, not running",
		.goal = 1.3,
	};
	struct comparison mapped = {
		.name = "attach_node_running",
		.what = "attach to Node.js, one running",
		.goal = 1.3,
	};
	char *path = node_path();
	char *argv[] = {path, "-e", "setInterval(() => {}, 1000)", NULL};
	pid_t node;

	if (!path) {
		report_skip("attach_node", "Node.js is not installed");
		return;
	}
	compare(path, "*", &unmapped);
	node = start_program(argv);
	sleep(1); /* it starts up undisturbed */
	compare(path, "*", &mapped);
	stop_child(node);
	free(path);
}

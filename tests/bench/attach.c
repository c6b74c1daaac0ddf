/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Attaching to all functions of one file that 0, 1 or 8 processes map. Measured twice: without the
 * index, which is what the first to ask has to wait, and with it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "floor.h"

#define ROUNDS 21
#define ROUNDS_BUSY 9

/* One way to find the file, asked for the first time and again. */
struct pair_of_rows {
	const char *first_name, *again_name, *detach_name;
	const char *who_maps;
	double goal;
	int rounds;
};

static void compare_both(const char *path, const char *pattern, const struct pair_of_rows *rows)
{
	char spec[4200], first_what[128], again_what[128], detach_what[128];
	struct comparison first = {
		.name = rows->first_name, .what = first_what, .goal = rows->goal};
	struct comparison again = {
		.name = rows->again_name, .what = again_what, .goal = rows->goal};
	struct comparison detach = {.name = rows->detach_name, .what = detach_what};

	snprintf(spec, sizeof(spec), "%s:%s", path, pattern);
	snprintf(first_what, sizeof(first_what), "attach, %s, first time", rows->who_maps);
	snprintf(again_what, sizeof(again_what), "attach, %s, known from before", rows->who_maps);
	snprintf(detach_what, sizeof(detach_what), "let go, %s", rows->who_maps);
	wait_until_at_rest(path);
	compare_with_floor(
		&(struct attach_case){spec, UPM_RESOLVE_NO_INDEX, rows->rounds, &first, NULL});
	compare_with_floor(&(struct attach_case){spec, 0, rows->rounds, &again, &detach});
}

void bench_attach_many(void)
{
	const struct pair_of_rows rows[] = {
		{"attach_50000_first", "attach_50000", "let_go_50000", "no process maps the file",
		 1.10, ROUNDS},
		{"attach_50000_mapped_first", "attach_50000_mapped", "let_go_50000_mapped",
		 "one process maps the file", 1.10, ROUNDS},
		{"attach_50000_mapped_8_first", "attach_50000_mapped_8", "let_go_50000_mapped_8",
		 "8 processes map the file", 1.10, ROUNDS_BUSY},
	};
	const size_t mappers[] = {0, 1, 8};
	pid_t mapper[8];

	for (size_t row = 0; row < 3; row++) {
		for (size_t i = 0; i < mappers[row]; i++)
			mapper[i] = start_mapper(many_path());
		compare_both(many_path(), "many_*", &rows[row]);
		for (size_t i = 0; i < mappers[row]; i++)
			stop_child(mapper[i]);
	}
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
	const struct pair_of_rows unmapped = {"attach_node_first",   "attach_node", "let_go_node",
					      "Node.js not running", 1.20,	    ROUNDS};
	const struct pair_of_rows mapped = {"attach_node_running_first",
					    "attach_node_running",
					    "let_go_node_running",
					    "one Node.js running",
					    1.20,
					    ROUNDS};
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

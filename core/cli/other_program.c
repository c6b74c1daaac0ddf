// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "other_program.h"

#include <string.h>
#include <sys/stat.h>

#include "text.h"

/* What a program loads can not be told from the program alone: of libraries nothing is said. */
static bool is_library(const char *path)
{
	const char *suffix = strstr(cli_base_name(path), ".so");

	return suffix && (!suffix[3] || suffix[3] == '.');
}

static bool is_same_file(const char *path, const char *other)
{
	struct stat one, two;

	return stat(path, &one) == 0 && stat(other, &two) == 0 && one.st_dev == two.st_dev &&
	       one.st_ino == two.st_ino;
}

/* @return a program that was observed and is none that ran; NULL: there is none. */
static const char *find_observed(const struct cli_observation *observation, const char *ran)
{
	struct upm_probe probe = {.size = sizeof(probe)};
	const char *found = NULL, *before = NULL;

	for (size_t i = 0; i < observation->attached_count; i++) {
		if (upm_probe_set_get(observation->set, observation->attached[i], &probe) < 0 ||
		    probe.path == before)
			continue;
		before = probe.path;
		if (is_library(probe.path) || is_same_file(probe.path, ran))
			return NULL;
		found = probe.path;
	}
	return found;
}

void cli_remark_other_program(const struct cli_observation *observation)
{
	const struct cli_launch *launch = &observation->run.launch;
	const char *observed;

	if (!launch->pid || !launch->program || observation->run.options->pid_count)
		return;
	observed = find_observed(observation, launch->program);
	if (!observed)
		return;
	fputs("remark: nothing was hit: COMMAND began as ", stderr);
	cli_text_put(stderr, launch->path, 0, 0);
	if (!is_same_file(launch->path, launch->program)) {
		fputs(", a script that ", stderr);
		cli_text_put(stderr, launch->program, 0, 0);
		fputs(" runs", stderr);
	}
	fputs(", not as ", stderr);
	cli_text_put(stderr, observed, 0, 0);
	fputc('\n', stderr);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * bench JSON-FILE [NAME...]
 *
 * Runs all benchmarks, or those named: memory stages many node rust bpftrace detach observe drain
 * python lua command growth snapshot hits placement. Prints a table and writes JSON. A missed goal
 * is printed and is no failure: these are measurements, and a busy machine is no defect.
 */
#include "bench.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	void (*run)(void);
} benchmarks[] = {
	{"memory", bench_memory},	{"stages", bench_stages},     {"many", bench_attach_many},
	{"node", bench_attach_node},	{"rust", bench_rust},	      {"bpftrace", bench_bpftrace},
	{"detach", bench_detach_perf},	{"observe", bench_observe},   {"drain", bench_drain},
	{"python", bench_python},	{"lua", bench_lua},	      {"command", bench_command},
	{"growth", bench_growth},	{"snapshot", bench_snapshot}, {"hits", bench_hits},
	{"placement", bench_placement},
};

void need_upm(int32_t status, const char *call)
{
	const struct upm_error *error = upm_error_last();

	if (status == UPM_OK)
		return;
	fprintf(stderr, "bench: %s: %s: %s (%s)\n", call, error->operation, error->message,
		error->hint);
	exit(1);
}

int need_errno(int result, const char *what)
{
	if (result >= 0)
		return result;
	fprintf(stderr, "bench: can not %s: %s\n", what, strerror(result == -1 ? errno : -result));
	exit(1);
}

const char *generated_path(size_t functions)
{
	static char path[PATH_MAX];
	const char *build = getenv("UPM_BUILD");
	char name[PATH_MAX];

	snprintf(name, sizeof(name), "%s/target/libmany-%zu.so", build ? build : "build",
		 functions);
	need_errno(realpath(name, path) ? 0 : -errno, name);
	return path;
}

const char *many_path(void)
{
	static char path[PATH_MAX];

	if (!*path)
		snprintf(path, sizeof(path), "%s", generated_path(50000));
	return path;
}

static bool wanted(const char *name, char *const *names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: bench JSON-FILE [NAME...]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < sizeof(benchmarks) / sizeof(benchmarks[0]); i++)
		if (wanted(benchmarks[i].name, argv + 2))
			benchmarks[i].run();
	report_write(argv[1]);
	return 0;
}

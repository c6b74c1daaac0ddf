/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The peers that are crates: libbpf-rs, which brings the newest libbpf, and aya. They are measured
 * by a program of their own, bindings/rust/integration/src/bin/bench.rs; its rows join ours.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Its exit status; what it prints is in the file too. */
static int run(const char *program, const char *file)
{
	pid_t pid = need_errno(fork(), "fork");
	int status;

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		dup2(null, STDOUT_FILENO);
		execl(program, program, file, (char *)NULL);
		_exit(127);
	}
	need_errno(waitpid(pid, &status, 0), "wait for the program");
	return status;
}

static void read_samples(const json_t *times, struct samples *samples)
{
	for (size_t i = 0; i < json_array_size(times); i++)
		samples_add(samples, (uint64_t)json_number_value(json_array_get(times, i)));
}

static void report_row(json_t *row)
{
	struct comparison pair = {.probes = 0};
	json_t *base = NULL, *ours = NULL;
	const char *unit = "";
	json_int_t probes = 0;
	double value = 0;

	json_unpack(row, "{s:s, s:s}", "name", &pair.name, "what", &pair.what);
	need_errno(pair.name && pair.what ? 0 : -EIO, "read what Rust measured");
	if (json_unpack(row, "{s:f, s:s}", "value", &value, "unit", &unit) == 0) {
		report_number(pair.name, pair.what, value, unit);
		return;
	}
	need_errno(json_unpack(row, "{s:I, s:s, s:s, s:o, s:o}", "probes", &probes, "base",
			       &pair.base_name, "ours", &pair.ours_name, "base_ns", &base, "our_ns",
			       &ours)
			   ? -EIO
			   : 0,
		   "read what Rust measured");
	pair.probes = (size_t)probes;
	read_samples(base, &pair.base);
	read_samples(ours, &pair.ours);
	report_comparison(&pair);
}

void bench_rust(void)
{
	const char *build = getenv("UPM_BUILD");
	char program[PATH_MAX], file[PATH_MAX];
	json_t *rows;

	snprintf(program, sizeof(program), "%s/rust/release/bench", build ? build : "build");
	snprintf(file, sizeof(file), "%s/bench-rust.json", build ? build : "build");
	if (access(program, X_OK)) {
		report_skip("rust", "libbpf-rs and aya need cargo and the registry of crates");
		return;
	}
	rows = run(program, file) == 0 ? json_load_file(file, 0, NULL) : NULL;
	if (!rows) {
		report_skip("rust", "the program with libbpf-rs and aya failed: run it by hand");
		return;
	}
	for (size_t i = 0; i < json_array_size(rows); i++)
		report_row(json_array_get(rows, i));
	json_decref(rows);
	report_skip("aya_multi", "the newest aya has a multi attach, and needs a newer Rust than "
				 "Debian's");
}

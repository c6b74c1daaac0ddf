/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Memory that a probe costs in user space, and where the time of a resolution goes. */
#include "floor.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "attach/sys.h"

#define ROUNDS 9

static double resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long pages = 0;

	if (!file || fscanf(file, "%*d %ld", &pages) != 1)
		need_errno(-1, "read /proc/self/statm");
	fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* To be run first: a heap that has grown and shrunk before would hide the growth. */
void bench_memory(void)
{
	int program =
		need_errno(upm_sys_program_load_nop(UPM_BPF_TRACE_UPROBE_MULTI), "load a program");
	double before, resolved, attached;
	struct upm_probe_set *set;
	struct upm_link *link;
	char spec[4200];
	const char *specs = spec;
	double probes;

	snprintf(spec, sizeof(spec), "%s:many_*", many_path());
	before = resident_bytes();
	NEED(upm_resolve(&specs, 1, NULL, &set));
	resolved = resident_bytes();
	NEED(upm_attach(program, set, NULL, &link));
	attached = resident_bytes();
	probes = (double)upm_probe_set_size(set);
	report_number("memory_resolved", "memory for each probe, resolved",
		      (resolved - before) / probes, "bytes");
	report_number("memory_attached", "memory for each probe, attached",
		      (attached - before) / probes, "bytes");
	upm_link_free(link);
	upm_probe_set_free(set);
	close(program);
}

static uint64_t time_resolve(const char *pattern, uint32_t flags)
{
	const struct upm_resolve_options options = {.size = sizeof(options), .flags = flags};
	struct upm_probe_set *set;
	char spec[4200];
	const char *specs = spec;
	uint64_t start, end;

	snprintf(spec, sizeof(spec), "%s:%s", many_path(), pattern);
	start = now_ns();
	NEED(upm_resolve(&specs, 1, &options, &set));
	end = now_ns();
	upm_probe_set_free(set);
	return end - start;
}

void bench_stages(void)
{
	struct samples one = {0}, all = {0}, regex = {0}, known = {0};

	wait_until_at_rest(many_path());
	for (int round = 0; round < ROUNDS; round++) {
		samples_add(&one, time_resolve("many_000001", 0));
		samples_add(&all, time_resolve("many_*", UPM_RESOLVE_NO_INDEX));
		samples_add(&regex, time_resolve("/^many_[0-9]+$/", UPM_RESOLVE_NO_INDEX));
		samples_add(&known, time_resolve("many_*", 0));
	}
	report_number("resolve_one", "resolve one name of 50,000 symbols",
		      (double)samples_median(&one) / 1e6, "ms");
	report_number("resolve_all", "resolve and judge all, by a glob",
		      (double)samples_median(&all) / 1e6, "ms");
	report_number("resolve_regex", "resolve and judge all, by a regex",
		      (double)samples_median(&regex) / 1e6, "ms");
	report_number("resolve_known", "resolve all, known from before",
		      (double)samples_median(&known) / 1e6, "ms");
}

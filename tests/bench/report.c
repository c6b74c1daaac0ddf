/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The table on standard output, and the same as JSON. */
#include "bench.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static json_t *results;

static void add_result(json_t *result)
{
	if (!results)
		results = json_array();
	if (!result || json_array_append_new(results, result) < 0) {
		fprintf(stderr, "bench: out of memory\n");
		exit(1);
	}
}

static json_t *samples_json(const struct samples *samples)
{
	json_t *all = json_array();

	for (size_t i = 0; i < samples->count; i++)
		json_array_append_new(all, json_integer((json_int_t)samples->ns[i]));
	return json_pack("{s:I, s:o}", "median_ns", (json_int_t)samples_median(samples),
			 "samples_ns", all);
}

static void print_samples(const char *name, const struct samples *samples)
{
	printf("    %-34s %10.1f ms   (%.1f to %.1f, %zu runs)\n", name,
	       (double)samples_median(samples) / 1e6, (double)samples_least(samples) / 1e6,
	       (double)samples_most(samples) / 1e6, samples->count);
}

static const char *verdict(const struct comparison *comparison, double ratio)
{
	static char text[64];

	if (comparison->least_speed_up != 0)
		snprintf(text, sizeof(text), "goal: at least %.0f times faster: %s",
			 comparison->least_speed_up,
			 1 / ratio >= comparison->least_speed_up ? "met" : "MISSED");
	else if (comparison->goal != 0)
		snprintf(text, sizeof(text), "goal: at most %.2f: %s", comparison->goal,
			 ratio <= comparison->goal ? "met" : "MISSED");
	else
		text[0] = '\0';
	return text;
}

void report_comparison(const struct comparison *comparison)
{
	double ratio = samples_ratio(&comparison->ours, &comparison->base);
	double shown = comparison->least_speed_up != 0 ? 1 / ratio : ratio;

	printf("%s: %zu probes\n", comparison->what, comparison->probes);
	print_samples(comparison->base_name, &comparison->base);
	print_samples(comparison->ours_name, &comparison->ours);
	printf("    %-34s %10.3g      %s\n", "ratio, median of pairs", shown,
	       verdict(comparison, ratio));
	add_result(json_pack("{s:s, s:s, s:I, s:s, s:o, s:s, s:o, s:f, s:s}", "name",
			     comparison->name, "what", comparison->what, "probes",
			     (json_int_t)comparison->probes, "base", comparison->base_name,
			     "base_times", samples_json(&comparison->base), "ours",
			     comparison->ours_name, "our_times", samples_json(&comparison->ours),
			     "ratio", shown, "goal", verdict(comparison, ratio)));
}

void report_number(const char *name, const char *what, double value, const char *unit)
{
	printf("%-38s %10.1f %s\n", what, value, unit);
	add_result(json_pack("{s:s, s:s, s:f, s:s}", "name", name, "what", what, "value", value,
			     "unit", unit));
}

void report_text(const char *name, const char *what, const char *text)
{
	printf("%s: %s\n", what, text);
	add_result(json_pack("{s:s, s:s, s:s}", "name", name, "what", what, "text", text));
}

void report_skip(const char *name, const char *reason)
{
	printf("%s: left out: %s\n", name, reason);
	add_result(json_pack("{s:s, s:s}", "name", name, "skipped", reason));
}

/* "model name" of /proc/cpuinfo; "" where there is none. */
static void cpu_model(char *model, size_t length)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[256];

	model[0] = '\0';
	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "model name", 10) == 0) {
			line[strcspn(line, "\n")] = '\0';
			snprintf(model, length, "%s", strchr(line, ':') + 2);
			break;
		}
	}
	if (file)
		fclose(file);
}

void report_write(const char *path)
{
	struct utsname kernel;
	char model[256];
	json_t *report;

	uname(&kernel);
	cpu_model(model, sizeof(model));
	report = json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:o}", "library", upm_version(),
			   "kernel", kernel.release, "machine", kernel.machine, "cpu", model,
			   "cpus", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "note",
			   "Times vary from machine to machine: quote ratios taken in one run.",
			   "results", results);
	if (!report || json_dump_file(report, path, JSON_INDENT(2)) < 0) {
		fprintf(stderr, "bench: can not write %s\n", path);
		exit(1);
	}
	json_decref(report);
	printf("\nMeasured on %s, %s, Linux %s. All samples: %s\n", model, kernel.machine,
	       kernel.release, path);
}

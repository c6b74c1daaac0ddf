/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the benchmarks share: samples, the report, and stand-ins for the programs probed. */
#ifndef UPM_BENCH_H
#define UPM_BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "uprobe_multi.h"

#define MOST_SAMPLES 32

/* Times of one thing, taken in turn with those of what it is compared to. */
struct samples {
	size_t count;
	uint64_t ns[MOST_SAMPLES];
};

uint64_t now_ns(void);
void samples_add(struct samples *samples, uint64_t ns);
uint64_t samples_median(const struct samples *samples);
uint64_t samples_least(const struct samples *samples);
uint64_t samples_most(const struct samples *samples);
/* Median of the ratios of pairs: what slows the machine down for a while slows both of a pair. */
double samples_ratio(const struct samples *ours, const struct samples *base);

/* End the program with upm_error_last() when a call of the library failed. */
void need_upm(int32_t status, const char *call);
#define NEED(call) need_upm((call), #call)
/* End the program when a descriptor or count is a negative errno. */
int need_errno(int result, const char *what);

/* Two things that were measured in turn. */
struct comparison {
	const char *name; /* in the JSON */
	const char *what; /* in the table */
	size_t probes;
	const char *base_name, *ours_name;
	struct samples base, ours;
	double goal;	       /* ours / base shall be at most this; 0 = no goal */
	double least_speed_up; /* base / ours shall be at least this; 0 = no goal */
};
void report_comparison(const struct comparison *comparison);
void report_number(const char *name, const char *what, double value, const char *unit);
void report_text(const char *name, const char *what, const char *text);
void report_skip(const char *name, const char *reason);
void report_write(const char *path);

/* A child that maps a whole file as code, or that runs a program; stop_child() ends it. */
pid_t start_mapper(const char *path);
pid_t start_program(char *const *argv);
void stop_child(pid_t pid);
/* A child that runs a function and speaks by its standard input and output. */
pid_t start_talker(void (*run)(void *), void *context, FILE **commands, FILE **answers);

/* The file of so many generated functions: one for each size, built by bench.mk. */
const char *generated_path(size_t functions);
/* That of 50,000. */
const char *many_path(void);

void bench_attach_many(void);
void bench_attach_node(void);
void bench_detach_perf(void);
void bench_memory(void);
void bench_stages(void);
void bench_rust(void);
void bench_bpftrace(void);
void bench_observe(void);
void bench_drain(void);
void bench_python(void);
void bench_lua(void);
void bench_command(void);
void bench_growth(void);
void bench_snapshot(void);
void bench_hits(void);
void bench_placement(void);

/** @return how many times as long as a hit at a push one at a stepped instruction takes here; 1
 * where that is not known */
double stepping_beside_emulation(void);

#endif

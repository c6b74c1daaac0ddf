/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the count of every function of the C library costs real programs, at the functions' entries
 * and at the cheapest sites. The cost is the program's CPU time beyond that without probes; bare,
 * exact and cheapest take turns. The programs are run so that they do the same each time, and the
 * counts of the two are compared function by function. Beside it: what share of the hits is
 * single-stepped, and at which functions, since these are what is left to be gained.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 5
#define WORST 6 /* functions that are named */
#define LINES 6000
/* What makes stepping slow, and what shall then be gained. */
#define SLOW 8
#define GAIN 5

/* Each reads the lines from its standard input, but tar. */
static const struct load {
	const char *name;
	const char *argv[8];
} loads[] = {
	{"sort", {"/usr/bin/sort", "--parallel=1", "-k2"}},
	{"perl",
	 {"/usr/bin/perl", "-e",
	  "while (<>) { my ($a, $b) = split; $h{$b} .= \"$a,\"; s/(\\d)7/<$1>/g; push @l, $_ } "
	  "print sort { $a cmp $b } @l; print scalar keys %h"}},
	{"python3",
	 {"/usr/bin/python3", "-S", "-c",
	  "import sys, json\n"
	  "rows = [line.split() for line in sys.stdin]\n"
	  "text = json.dumps([{'a': a, 'b': b, 'c': float(b)} for a, b in rows])\n"
	  "print(len(json.loads(text)), text.replace('7', 'seven'))"}},
	{"jq", {"/usr/bin/jq", "-R", "split(\" \") | {a: .[0], b: .[1]}"}},
	{"bash",
	 {"/bin/bash", "-c", "while read -r a b; do t[${#b}]+=${a#1}; done; echo ${#t[@]}"}},
	{"tar", {"/bin/tar", "-c", "-f", "-", "-C", "/usr/include", "linux"}},
};

static int write_lines(void)
{
	int input = need_errno(memfd_create("lines", MFD_CLOEXEC), "make a file");
	uint32_t random = 1;

	for (int i = 0; i < LINES; i++) {
		random = random * 1664525 + 1013904223;
		dprintf(input, "%08x %u\n", random, random >> 12);
	}
	return input;
}

/* ---- one run */

/* In the child: the same environment and addresses each time. Some programs write nothing to what
 * is no file. */
static void become(const struct load *load, int input, int go)
{
	char *const environment[] = {"LC_ALL=C", "PATH=/usr/bin:/bin", "PERL_HASH_SEED=0",
				     "PYTHONHASHSEED=0", NULL};
	int output = memfd_create("output", MFD_CLOEXEC);
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	personality(ADDR_NO_RANDOMIZE);
	lseek(input, 0, SEEK_SET);
	dup2(input, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	if (read(go, &byte, 1) == 1)
		execve(load->argv[0], (char *const *)load->argv, environment);
	_exit(127);
}

/* Start a load, and hold it before its first instruction. @return what lets it go */
static int hold(const struct load *load, int input, pid_t *child)
{
	int go[2];

	need_errno(pipe2(go, O_CLOEXEC), "make a pipe");
	*child = need_errno(fork(), "fork");
	if (*child == 0) {
		close(go[1]);
		become(load, input, go[0]);
	}
	close(go[0]);
	return go[1];
}

static uint64_t ns_of(struct timeval time)
{
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_usec * 1000u;
}

/* @return its CPU time; 0 = it failed */
static uint64_t let_go(int go, pid_t child)
{
	struct rusage usage;
	int status;

	need_errno(write(go, "", 1) == 1 ? 0 : -EIO, "start the load");
	close(go);
	need_errno(wait4(child, &status, 0, &usage), "wait for the load");
	return status == 0 ? ns_of(usage.ru_utime) + ns_of(usage.ru_stime) : 0;
}

static uint64_t run_bare(const struct load *load, int input)
{
	pid_t child;
	int go = hold(load, input, &child);

	return let_go(go, child);
}

/* What is known of a load at one placement. */
struct seen {
	uint32_t placement;
	struct upm_observer *observer; /* of the last run, stopped */
	uint64_t *hits;		       /* by probe */
	size_t count;
};

static uint64_t run_counted(const struct load *load, int input, const struct upm_probe_set *set,
			    struct seen *seen)
{
	struct upm_attach_options options = {
		.size = sizeof(options), .pid_count = 1, .placement = seen->placement};
	pid_t child;
	int go = hold(load, input, &child);
	uint64_t time;

	options.pids = &child;
	upm_observer_free(seen->observer);
	NEED(upm_count(set, &options, &seen->observer));
	time = let_go(go, child);
	NEED(upm_observer_stop(seen->observer, NULL));
	NEED(upm_observer_hits(seen->observer, seen->hits, seen->count));
	return time;
}

/* ---- what the hits were */

static bool is_stepped(const struct seen *seen, size_t index, struct upm_probe *probe)
{
	probe->size = sizeof(*probe);
	NEED(upm_probe_set_get(upm_observer_probes(seen->observer), index, probe));
	return probe->site_cost == UPM_COST_STEPPED;
}

static double stepped_share(const struct seen *seen)
{
	uint64_t stepped = 0, all = 0;
	struct upm_probe probe;

	for (size_t i = 0; i < seen->count; i++) {
		all += seen->hits[i];
		stepped += is_stepped(seen, i, &probe) ? seen->hits[i] : 0;
	}
	return all ? 100 * (double)stepped / (double)all : 0;
}

static uint64_t total(const struct seen *seen)
{
	uint64_t all = 0;

	for (size_t i = 0; i < seen->count; i++)
		all += seen->hits[i];
	return all;
}

/* Whether a function has fewer hits than another, or as many and comes behind it. */
static bool comes_after(const struct seen *seen, size_t index, size_t other)
{
	if (seen->hits[index] != seen->hits[other])
		return seen->hits[index] < seen->hits[other];
	return index > other;
}

/* The next function by stepped hits; before = count: the first. @return count = there is none */
static size_t worst_below(const struct seen *seen, size_t before)
{
	size_t worst = seen->count;
	struct upm_probe probe;

	for (size_t i = 0; i < seen->count; i++) {
		if (!seen->hits[i] || (before < seen->count && !comes_after(seen, i, before)) ||
		    (worst < seen->count && !comes_after(seen, worst, i)))
			continue;
		if (is_stepped(seen, i, &probe))
			worst = i;
	}
	return worst;
}

static void report_worst(const struct load *load, const struct seen *seen)
{
	char name[64], text[512] = "";
	struct upm_probe probe;
	size_t length = 0, at = seen->count;
	double all = (double)total(seen);

	for (int i = 0; i < WORST && (at = worst_below(seen, at)) < seen->count; i++) {
		is_stepped(seen, at, &probe);
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%.40s %.1f %%",
					   length ? ", " : "", probe.symbol,
					   100 * (double)seen->hits[at] / all);
	}
	snprintf(name, sizeof(name), "placement_%s_still_stepped", load->name);
	report_text(name, "  still stepped, of all hits", text);
}

static size_t differences(const struct seen *exact, const struct seen *cheapest)
{
	size_t found = 0;

	for (size_t i = 0; i < exact->count; i++)
		found += exact->hits[i] != cheapest->hits[i];
	return found;
}

/* ---- rows */

static uint64_t beyond(uint64_t time, uint64_t bare)
{
	return time > bare ? time - bare : 1;
}

static void report_load(const struct load *load, const struct samples *bare, size_t differing,
			const struct seen *exact, const struct seen *cheapest)
{
	char name[64];

	snprintf(name, sizeof(name), "placement_%s_bare", load->name);
	report_number(name, "  CPU time without probes", (double)samples_median(bare) / 1e6, "ms");
	snprintf(name, sizeof(name), "placement_%s_hits", load->name);
	report_number(name, "  hits", (double)total(exact), "");
	snprintf(name, sizeof(name), "placement_%s_differ", load->name);
	report_number(name, "  functions whose counts differ, at most", (double)differing,
		      "(goal: 0)");
	snprintf(name, sizeof(name), "placement_%s_stepped_exact", load->name);
	report_number(name, "  hits stepped, exact", stepped_share(exact), "%");
	snprintf(name, sizeof(name), "placement_%s_stepped_cheapest", load->name);
	report_number(name, "  hits stepped, cheapest", stepped_share(cheapest), "%");
	report_worst(load, cheapest);
}

static void compare_load(const struct load *load, int input, const struct upm_probe_set *set,
			 double goal)
{
	char name[64], what[64];
	struct comparison costs = {
		.name = name,
		.what = what,
		.probes = upm_probe_set_size(set),
		.base_name = "cost of exact",
		.ours_name = "cost of cheapest",
		.least_speed_up = goal,
	};
	struct seen exact = {.placement = UPM_PLACEMENT_EXACT, .count = costs.probes};
	struct seen cheapest = {.placement = UPM_PLACEMENT_CHEAPEST, .count = costs.probes};
	struct samples bare = {0};
	size_t most = 0;

	snprintf(name, sizeof(name), "placement_%s", load->name);
	snprintf(what, sizeof(what), "count of libc.so.6:*, CPU time of %s", load->name);
	exact.hits = calloc(exact.count, sizeof(*exact.hits));
	cheapest.hits = calloc(exact.count, sizeof(*exact.hits));
	need_errno(exact.hits && cheapest.hits ? 0 : -ENOMEM, "have memory");
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t alone = run_bare(load, input);
		uint64_t first = run_counted(load, input, set, round % 2 ? &cheapest : &exact);
		uint64_t second = run_counted(load, input, set, round % 2 ? &exact : &cheapest);
		size_t found = differences(&exact, &cheapest);

		need_errno(alone && first && second ? 0 : -EIO, load->argv[0]);
		samples_add(&bare, alone);
		samples_add(&costs.base, beyond(round % 2 ? second : first, alone));
		samples_add(&costs.ours, beyond(round % 2 ? first : second, alone));
		most = found > most ? found : most;
	}
	report_comparison(&costs);
	report_load(load, &bare, most, &exact, &cheapest);
	upm_observer_free(exact.observer);
	upm_observer_free(cheapest.observer);
	free(exact.hits);
	free(cheapest.hits);
}

void bench_placement(void)
{
	const char *spec = "libc.so.6:*";
	double slow = stepping_beside_emulation();
	struct upm_probe_set *set;
	int input = write_lines();

	report_number("stepping", "a stepped hit beside an emulated one", slow, "times");
	NEED(upm_resolve(&spec, 1, NULL, &set));
	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		if (access(loads[i].argv[0], X_OK) == 0)
			compare_load(&loads[i], input, set, slow >= SLOW ? GAIN : 1);
		else
			report_skip(loads[i].name, "it is not installed");
	}
	upm_probe_set_free(set);
	close(input);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The Python package: what an event costs the process that reads it, beside the C library and
 * beside BCC's callbacks, and how soon after `import` the first probe is attached. A reader is a
 * process of its own and measures its own CPU time; all of them add up one argument of each event.
 */
#include "reader.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#define ROUNDS 7
#define ROUNDS_FULL 5
#define ROUNDS_FIRST 9
#define STREAMED 1000000
#define EVENTS 120000 /* they fit the ring of 16 MiB */

/* ---- events */

/* Events that come while they are read, from a producer at full speed. */
static struct reading stream(struct caller *caller, struct reader *reader)
{
	reader_attach(reader);
	reader_begin(reader, STREAMED);
	caller_run(caller, STREAMED);
	return reader_end(reader);
}

/* CPU time of as many events, whatever was lost. */
static uint64_t whole_cost(struct reading found)
{
	need_errno(found.events ? 0 : -EIO, "read events");
	return found.events ? found.cpu_ns * (found.events + found.lost) / found.events : 0;
}

/* Events that are in the ring before the first is read. */
static struct reading drain(struct caller *caller, struct reader *reader)
{
	struct reading found;

	reader_attach(reader);
	caller_run(caller, EVENTS);
	reader_begin(reader, EVENTS);
	found = reader_end(reader);
	need_errno(found.events == EVENTS ? 0 : -EIO, "read all events");
	return found;
}

struct race {
	struct comparison comparison;
	struct reading (*run)(struct caller *caller, struct reader *reader);
	int rounds;
	uint64_t lost_base, lost_ours;
};

static void run_race(struct caller *caller, struct race *race, struct reader *base,
		     struct reader *ours)
{
	race->comparison.probes = 1;
	race->comparison.base_name = base->name;
	race->comparison.ours_name = ours->name;
	for (int turn = 0; turn < 2 * race->rounds; turn++) {
		bool is_ours = (turn % 4 == 0 || turn % 4 == 3);
		struct reading found = race->run(caller, is_ours ? ours : base);
		uint64_t *lost = is_ours ? &race->lost_ours : &race->lost_base;

		*lost += found.lost;
		samples_add(is_ours ? &race->comparison.ours : &race->comparison.base,
			    whole_cost(found));
	}
	report_comparison(&race->comparison);
}

static void report_lost(const char *name, const struct reader *reader, uint64_t lost, uint64_t of)
{
	char what[128];

	snprintf(what, sizeof(what), "lost of %.0f million: %s", (double)of / 1e6, reader->name);
	report_number(name, what, (double)lost, "");
}

static void stream_beside_c(struct caller *caller, struct reader *numpy)
{
	struct reader c = {.name = "upm_trace_read()"};
	struct race race = {
		.comparison = {.name = "python_stream",
			       .what = "CPU to read 1,000,000 events at full speed",
			       .goal = 1.2},
		.run = stream,
		.rounds = ROUNDS,
	};

	need_errno(reader_start(&c, caller) ? 0 : -EIO, "start a reader");
	run_race(caller, &race, &c, numpy);
	report_lost("stream_lost_c", &c, race.lost_base, (uint64_t)ROUNDS * STREAMED);
	report_lost("stream_lost_python", numpy, race.lost_ours, (uint64_t)ROUNDS * STREAMED);
	reader_stop(&c);
}

static void drain_both(struct caller *caller, struct reader *base, struct reader *ours,
		       const char *name, double least_speed_up)
{
	struct race race = {
		.comparison = {.name = name,
			       .what = "CPU to read 120,000 events from a full ring",
			       .least_speed_up = least_speed_up},
		.run = drain,
		.rounds = ROUNDS_FULL,
	};

	run_race(caller, &race, base, ours);
}

static void drain_beside_bcc(struct caller *caller, struct reader *numpy)
{
	struct reader bcc = {.name = "BCC, a callback each",
			     .interpreter = "/usr/bin/python3",
			     .script = "read_bcc.py"};

	if (!reader_start(&bcc, caller)) {
		report_skip("python_drain_bcc", bcc.reason);
		return;
	}
	drain_both(caller, &bcc, numpy, "python_drain_bcc", 20);
	report_lost("stream_lost_bcc", &bcc, stream(caller, &bcc).lost, STREAMED);
	reader_stop(&bcc);
}

static void drain_beside_objects(struct caller *caller, struct reader *numpy)
{
	struct reader each = {.name = "for event in trace", .script = "read_each.py"};

	need_errno(reader_start(&each, caller) ? 0 : -EIO, "start a reader");
	drain_both(caller, numpy, &each, "python_drain_objects", 0);
	reader_stop(&each);
}

/* ---- the first probe */

static void run_first_probe(void *context)
{
	run_script(NULL, "first_probe.py", context);
}

static void run_command(void *context)
{
	const char *build = getenv("UPM_BUILD");
	const struct caller *caller = context;
	char command[4200], spec[4200], pid[16];

	snprintf(command, sizeof(command), "%s/uprobe-multi", build ? build : "build");
	snprintf(spec, sizeof(spec), "%s:counted", caller->path);
	snprintf(pid, sizeof(pid), "%d", caller->pid);
	execl(command, command, "count", "-p", pid, spec, (char *)NULL);
	_exit(127);
}

/* Times from the start of a process to the trap in the target, and from within. */
struct first {
	uint64_t outside, inside, import;
};

static struct first time_first(struct caller *caller, void (*run)(void *))
{
	struct first time = {0};
	FILE *commands, *answers;
	uint64_t start = now_ns();
	pid_t child = start_talker(run, caller, &commands, &answers);

	while (!caller_is_armed(caller)) {
		need_errno(waitpid(child, NULL, WNOHANG) ? -ECHILD : 0, "attach a first probe");
		usleep(200);
	}
	time.outside = now_ns() - start;
	if (run == run_first_probe) {
		json_t *answer = json_loadf(answers, JSON_DISABLE_EOF_CHECK, NULL);
		json_int_t import = 0, attached = 0;

		need_errno(json_unpack(answer, "{s:I, s:I}", "import_ns", &import, "attached_ns",
				       &attached)
				   ? -EIO
				   : 0,
			   "attach from Python");
		json_decref(answer);
		time.import = (uint64_t)import;
		time.inside = (uint64_t)attached;
	}
	stop_child(child);
	fclose(commands);
	fclose(answers);
	while (caller_is_armed(caller))
		usleep(1000);
	return time;
}

static void first_probe(struct caller *caller)
{
	struct comparison comparison = {
		.name = "python_first_probe",
		.what = "start of a process to its first attached probe",
		.probes = 1,
		.base_name = "uprobe-multi count",
		.ours_name = "python, um.count()",
	};
	struct samples inside = {0}, import = {0};

	time_first(caller, run_first_probe); /* its files are read */
	for (int round = 0; round < ROUNDS_FIRST; round++) {
		struct first time = time_first(caller, run_first_probe);

		samples_add(&comparison.ours, time.outside);
		samples_add(&inside, time.inside);
		samples_add(&import, time.import);
		samples_add(&comparison.base, time_first(caller, run_command).outside);
	}
	report_comparison(&comparison);
	report_number("python_import_to_probe", "import to first attached probe",
		      (double)samples_median(&inside) / 1e6, "ms");
	report_number("python_import", "of that, the import", (double)samples_median(&import) / 1e6,
		      "ms");
}

void bench_python(void)
{
	struct reader numpy = {.name = "read_batch(), NumPy", .script = "read_batches.py"};
	struct caller caller;

	caller_start(&caller);
	if (reader_start(&numpy, &caller)) {
		stream_beside_c(&caller, &numpy);
		drain_beside_bcc(&caller, &numpy);
		drain_beside_objects(&caller, &numpy);
		reader_stop(&numpy);
		first_probe(&caller);
	} else {
		report_skip("python", numpy.reason);
	}
	caller_stop(&caller);
}

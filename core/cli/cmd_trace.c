// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "clock.h"
#include "report.h"
#include "text.h"
#include "trace.h"

/* How often it is looked for events: the kernel wakes nobody before the ring is quite full. */
#define TICK_NS (CLI_SECOND_NS / 100)
/* What lies at the addresses of a stack can be found out only while its process lives. */
#define STACK_TICK_NS (CLI_SECOND_NS / 1000)
#define OUTPUT_BUFFER (1 << 16)
#define MOST_TAKEN 4096
/* Bytes that the kernel keeps of a thread's name. */
#define COMM_LENGTH 15

static int out_of_memory(void)
{
	return cli_fail("trace", "", strerror(ENOMEM), "ask for fewer probes");
}

/* "int open(…)" and "char *getenv(…)" name the type of a result, "open(…)" and "void f(…)" not. */
static bool names_result(const char *signature)
{
	size_t length = strcspn(signature, "("), word;

	while (length && isspace((unsigned char)signature[length - 1]))
		length--;
	while (length && isspace((unsigned char)*signature)) {
		signature++;
		length--;
	}
	if (memchr(signature, '*', length))
		return true;
	for (word = 0; word < length && !isspace((unsigned char)signature[word]); word++)
		;
	return word < length && !(word == 4 && memcmp(signature, "void", 4) == 0);
}

static bool with_returns(const struct cli_options *options)
{
	bool wanted = options->trace.returns;

	for (size_t i = 0; i < options->spec_count; i++)
		if (options->trace.signatures[i])
			wanted |= names_result(options->trace.signatures[i]);
	return wanted;
}

static const char *signature_of(const struct cli_options *options, const char *spec)
{
	for (size_t i = 0; i < options->spec_count; i++)
		if (strcmp(options->specs[i], spec) == 0)
			return options->trace.signatures[i];
	return NULL;
}

/* Each probe has the signature of its spec. @return false: no memory. */
static bool spread_signatures(struct cli_trace *trace)
{
	const struct cli_options *options = trace->base.run.options;
	size_t size = upm_probe_set_size(trace->base.set);
	struct upm_probe probe = {.size = sizeof(probe)};

	if (!options->trace.signature_count)
		return true;
	trace->signatures = calloc(size + 1, sizeof(*trace->signatures));
	for (size_t i = 0; trace->signatures && i < size; i++)
		if (upm_probe_set_get(trace->base.set, i, &probe) == UPM_OK)
			trace->signatures[i] = signature_of(options, probe.spec);
	return trace->signatures != NULL;
}

/* A choice that meets nothing is no error, but hardly what was meant. */
static void remark_on_choice(const struct cli_trace_options *wanted)
{
	for (size_t i = 0; i < wanted->tid_count; i++)
		if (kill(wanted->tids[i], 0) < 0 && errno == ESRCH)
			fprintf(stderr, "remark: there is no thread %d: no hit can be of it\n",
				(int)wanted->tids[i]);
	if (wanted->comm && strlen(wanted->comm) > COMM_LENGTH) {
		fputs("remark: names of threads have 15 bytes at most: --comm is cut to ", stderr);
		cli_text_quote(stderr, wanted->comm, COMM_LENGTH, '"');
		fputc('\n', stderr);
	}
}

static int32_t make(struct cli_observation *observation, const struct upm_attach_options *options)
{
	struct cli_trace *trace = (struct cli_trace *)observation;
	const struct cli_trace_options *wanted = &observation->run.options->trace;
	struct upm_trace_options settings = {
		.size = sizeof(settings),
		.flags = (with_returns(observation->run.options) ? UPM_TRACE_RETURNS : 0) |
			 (wanted->stacks ? UPM_TRACE_STACKS : 0),
		.ring_bytes = wanted->ring_bytes,
		.text_bytes = wanted->text_bytes,
		.stack_frames = wanted->stack_frames,
		.filter = wanted->filter,
		.comm = wanted->comm,
		.tids = wanted->tids,
		.tid_count = wanted->tid_count,
		.sample = wanted->sample,
		.rate = wanted->rate,
	};

	remark_on_choice(wanted);
	trace->start_ns = cli_now_ns();
	if (!spread_signatures(trace))
		return out_of_memory();
	if (trace->signatures) {
		settings.probe_arguments = trace->signatures;
		settings.probe_argument_count = upm_probe_set_size(observation->set);
	}
	return upm_trace(observation->set, &settings, options, &observation->observer);
}

static int64_t wall_clock_offset(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * (int64_t)CLI_SECOND_NS + now.tv_nsec - (int64_t)cli_now_ns();
}

static int prepare(struct cli_observation *observation)
{
	struct cli_trace *trace = (struct cli_trace *)observation;
	size_t size = upm_probe_set_size(observation->set);

	trace->traced = calloc(size + 1, sizeof(struct cli_traced *));
	trace->counts = calloc(size + 1, sizeof(*trace->counts));
	if (!trace->traced || !trace->counts)
		return out_of_memory();
	trace->frames.names = &observation->names;
	trace->wall_ns = wall_clock_offset();
	setvbuf(observation->out, NULL, _IOFBF, OUTPUT_BUFFER);
	return 0;
}

static bool is_enough(const struct cli_trace *trace)
{
	uint64_t most = trace->base.run.options->trace.most_events;

	return most && trace->shown >= most;
}

static int show_event(struct cli_trace *trace, const struct upm_event *event)
{
	const struct cli_options *options = trace->base.run.options;
	const char *text = upm_batch_text(trace->batch);
	int status = 0;

	if (!trace->start_ns)
		trace->start_ns = event->time_ns;
	if (options->trace.folded)
		status = cli_trace_fold_event(trace, event);
	else if (options->json)
		cli_trace_json_event(trace, event, text);
	else
		cli_trace_print_event(trace, event, text);
	trace->shown++;
	return status;
}

static const struct upm_event *event_at(const struct upm_batch *batch, size_t index)
{
	const char *first = (const char *)upm_batch_events(batch);

	return (const struct upm_event *)(first + index * upm_batch_event_size());
}

/* What will not be shown stays in the ring, for the next who shows a pinned trace. */
static int make_room(struct cli_trace *trace)
{
	uint64_t most = trace->base.run.options->trace.most_events;
	uint64_t wanted =
		most && most - trace->shown < MOST_TAKEN ? most - trace->shown : MOST_TAKEN;

	if (trace->batch && trace->room == wanted)
		return 0;
	upm_batch_free(trace->batch);
	trace->batch = NULL;
	trace->room = wanted;
	return upm_batch_new(wanted, 0, &trace->batch) < 0 ? cli_fail_library() : 0;
}

/* Show what is there, as far as one batch goes. @param until receives the time of the last one */
static int take_batch(struct cli_trace *trace, size_t *taken, uint64_t *until)
{
	int status = 0;

	if (make_room(trace))
		return CLI_FAILED;
	if (upm_trace_read(trace->base.observer, trace->batch, 0) < 0)
		return cli_fail_library();
	*taken = upm_batch_size(trace->batch);
	for (size_t i = 0; i < *taken && !status; i++)
		status = show_event(trace, event_at(trace->batch, i));
	if (*taken)
		*until = event_at(trace->batch, *taken - 1)->time_ns;
	return status;
}

static void add_up(struct cli_trace *trace, size_t size)
{
	trace->sum = (struct upm_trace_count){0};
	for (size_t i = 0; i < size; i++) {
		trace->sum.hits += trace->counts[i].hits;
		trace->sum.events += trace->counts[i].events;
		trace->sum.filtered += trace->counts[i].filtered;
		trace->sum.lost += trace->counts[i].lost;
		trace->sum.refused += trace->counts[i].refused;
		trace->sum.unreturned += trace->counts[i].unreturned;
	}
}

static int read_counts(struct cli_trace *trace)
{
	size_t size = upm_probe_set_size(trace->base.set);

	if (upm_trace_counts(trace->base.observer, trace->counts, size) < 0)
		return cli_fail_library();
	add_up(trace, size);
	return 0;
}

/* Looks once a second: it has to add up over all probes. */
static void warn_of_lost(struct cli_trace *trace)
{
	uint64_t now = cli_now_ns();

	if (now - trace->warned_ns < CLI_SECOND_NS)
		return;
	trace->warned_ns = now;
	if (!read_counts(trace) && trace->sum.lost > trace->warned_of)
		cli_trace_tell_lost(trace);
	trace->warned_of = trace->sum.lost;
}

/* A pipe whose reader goes ends the trace, though no event may ever come. */
static void watch_output(struct cli_wait *wait, FILE *out)
{
	struct stat status;

	if (fstat(fileno(out), &status) == 0 &&
	    (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode)))
		cli_wait_watch_output(wait, fileno(out));
}

static int watch(struct cli_observation *observation, struct cli_wait *wait)
{
	struct cli_trace *trace = (struct cli_trace *)observation;
	uint64_t tick_ns = cli_now_ns(), last;
	size_t taken = 0;
	int status = 0;

	cli_wait_watch_events(wait, upm_trace_fd(observation->observer));
	watch_output(wait, observation->out);
	while (!status &&
	       (observation->run.ended_by = cli_wait_next(wait, tick_ns)) == CLI_EVENT_TICK) {
		status = take_batch(trace, &taken, &last);
		warn_of_lost(trace);
		tick_ns = cli_now_ns();
		if (!taken) {
			cli_output_flush(observation->out);
			tick_ns += observation->run.options->trace.stacks ? STACK_TICK_NS : TICK_NS;
		}
		if (is_enough(trace) || ferror(observation->out)) {
			observation->run.ended_by =
				is_enough(trace) ? CLI_EVENT_ENOUGH : CLI_EVENT_OUTPUT;
			break;
		}
	}
	return status;
}

/* Of what goes on, take what came before now. */
static int drain(struct cli_trace *trace)
{
	uint64_t now = cli_now_ns(), last = 0;
	size_t taken = 1;
	int status = 0;

	while (!status && taken && last <= now && !is_enough(trace) && !ferror(trace->base.out))
		status = take_batch(trace, &taken, &last);
	return status;
}

static int read_at(struct cli_observation *observation, enum cli_reading when)
{
	struct cli_trace *trace = (struct cli_trace *)observation;

	if (when == CLI_READ_OPEN && observation->run.launch.pid)
		trace->start_ns = cli_now_ns();
	if (when != CLI_READ_END)
		return 0;
	return drain(trace) ? CLI_FAILED : read_counts(trace);
}

static void release(struct cli_observation *observation)
{
	struct cli_trace *trace = (struct cli_trace *)observation;
	size_t size = upm_probe_set_size(observation->set);

	for (size_t i = 0; trace->traced && i < size; i++)
		cli_traced_free(trace->traced[i]);
	upm_batch_free(trace->batch);
	cli_frames_free(&trace->frames);
	cli_folded_free(&trace->folded);
	free(trace->traced);
	free(trace->counts);
	free(trace->signatures);
}

const struct cli_kind cli_kind_trace = {
	.kind = UPM_OBSERVER_TRACE,
	.doing = "tracing",
	.size = sizeof(struct cli_trace),
	.with_returns = with_returns,
	.make = make,
	.prepare = prepare,
	.read = read_at,
	.watch = watch,
	.print = cli_trace_print,
	.print_json = cli_trace_json,
	.release = release,
};

int cli_trace(const struct cli_options *options)
{
	return cli_observe(options, &cli_kind_trace);
}

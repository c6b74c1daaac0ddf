// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What events have in common: their probe by name; what was lost, and the summary. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "other_program.h"
#include "report.h"
#include "rows.h"
#include "text.h"
#include "trace.h"

#define MOST_NAMED 8

/* Cut "f(int, char*)" and "f(int) const" to "f": the arguments of the event stand there. */
static void cut_parameters(char *name)
{
	static const char constant[] = " const";
	size_t length = strlen(name), depth = 0;

	if (length > strlen(constant) && strcmp(name + length - strlen(constant), constant) == 0)
		length -= strlen(constant);
	if (!length || name[length - 1] != ')')
		return;
	for (size_t i = length; i > 1; i--) {
		depth += name[i - 1] == ')';
		depth -= name[i - 1] == '(';
		if (!depth) {
			name[i - 1] = '\0';
			return;
		}
	}
}

static struct cli_traced *make_traced(struct cli_trace *trace, uint32_t position)
{
	struct cli_traced *traced = calloc(1, sizeof(*traced));

	if (!traced)
		return NULL;
	traced->probe.size = sizeof(traced->probe);
	if (upm_probe_set_get(trace->base.set, position, &traced->probe) == UPM_OK)
		traced->name = strdup(cli_name_of(&trace->base.names, &traced->probe));
	if (!traced->name) {
		free(traced);
		return NULL;
	}
	if (traced->probe.kind == UPM_KIND_UPROBE)
		cut_parameters(traced->name);
	for (uint32_t i = 0; i < UPM_EVENT_ARGUMENTS; i++) {
		traced->arguments[i] = (struct upm_event_argument){sizeof(traced->arguments[i]), "",
								   "", UPM_FORM_UNSIGNED, 8};
		upm_trace_argument(trace->base.observer, position, i, &traced->arguments[i]);
	}
	traced->result =
		(struct upm_event_argument){sizeof(traced->result), "", "", UPM_FORM_UNSIGNED, 8};
	upm_trace_argument(trace->base.observer, position, UPM_TRACE_RESULT, &traced->result);
	return traced;
}

const struct cli_traced *cli_trace_probe(struct cli_trace *trace, uint32_t position)
{
	if (position >= upm_probe_set_size(trace->base.set))
		return NULL;
	if (!trace->traced[position])
		trace->traced[position] = make_traced(trace, position);
	return trace->traced[position];
}

void cli_traced_free(struct cli_traced *traced)
{
	if (traced)
		free(traced->name);
	free(traced);
}

/* Print the functions of most of these: numbers of the positions of the set. */
static void print_most(struct cli_trace *trace, FILE *out, const uint64_t *values)
{
	const struct cli_observation *base = &trace->base;
	struct upm_probe probe = {.size = sizeof(probe)};
	char number[CLI_NUMBER_SIZE];
	struct cli_rows rows;

	if (!cli_rows_select(&rows, values, base->attached, base->attached_count, 1, MOST_NAMED))
		return;
	for (size_t i = 0; i < rows.count; i++) {
		if (upm_probe_set_get(base->set, rows.list[i], &probe) < 0)
			continue;
		fputs(i ? ", " : ": ", out);
		cli_text_put(out, cli_name_of(&trace->base.names, &probe), CLI_MOST_LABEL, 0);
		fprintf(out, " %s", cli_text_number(number, values[rows.list[i]]));
	}
	if (rows.left)
		fprintf(out, " and %s more", cli_text_number(number, rows.left));
	cli_rows_free(&rows);
}

static uint64_t overrun_of(const struct upm_trace_count *count)
{
	return count->lost - count->refused;
}

static uint64_t refused_of(const struct upm_trace_count *count)
{
	return count->refused;
}

static uint64_t unreturned_of(const struct upm_trace_count *count)
{
	return count->unreturned;
}

static void print_names(struct cli_trace *trace, FILE *out,
			uint64_t (*value_of)(const struct upm_trace_count *count))
{
	size_t size = upm_probe_set_size(trace->base.set);
	uint64_t *values = calloc(size + 1, sizeof(*values));

	for (size_t i = 0; values && i < size; i++)
		values[i] = value_of(&trace->counts[i]);
	if (values)
		print_most(trace, out, values);
	free(values);
}

/* Which room was lacking, and what to do. */
static const struct shortage {
	uint64_t (*amount_of)(const struct upm_trace_count *count);
	const char *what, *reason, *advice;
} shortages[] = {
	{overrun_of, "event", "the buffer was full",
	 "choose fewer (--filter, --sample, --rate), or a larger --ring"},
	{refused_of, "call", "the table of running calls had no room",
	 "choose fewer functions, or fewer calls by their arguments (--filter); of functions that "
	 "recurse deeply or tail-call themselves, or are left by longjmp(), trace the entry alone"},
};

#define SHORTAGES (sizeof(shortages) / sizeof(shortages[0]))

void cli_trace_tell_lost(struct cli_trace *trace)
{
	char number[CLI_NUMBER_SIZE];

	for (size_t i = 0; i < SHORTAGES; i++) {
		const struct shortage *shortage = &shortages[i];
		uint64_t amount = shortage->amount_of(&trace->sum);

		if (!amount)
			continue;
		fprintf(stderr, CLI_NAME ": %s lost so far, %s",
			cli_text_counted(number, amount, shortage->what), shortage->reason);
		print_names(trace, stderr, shortage->amount_of);
		fprintf(stderr, "\n  %s\n", shortage->advice);
	}
}

static void print_lost(struct cli_trace *trace, FILE *out)
{
	char number[CLI_NUMBER_SIZE];

	for (size_t i = 0; i < SHORTAGES; i++) {
		const struct shortage *shortage = &shortages[i];
		uint64_t amount = shortage->amount_of(&trace->sum);

		if (!amount)
			continue;
		fprintf(out, "lost     %s, %s", cli_text_counted(number, amount, shortage->what),
			shortage->reason);
		print_names(trace, out, shortage->amount_of);
		fprintf(out, "; %s\n", shortage->advice);
	}
}

/* What was taken out of the ring of a pinned trace before, nobody has counted. */
static void print_unshown(const struct cli_trace *trace, FILE *out)
{
	uint64_t unshown = trace->sum.events > trace->shown ? trace->sum.events - trace->shown : 0;
	char number[CLI_NUMBER_SIZE];

	if (!unshown)
		return;
	fprintf(out, "unshown  %s %s %s\n", cli_text_counted(number, unshown, "event"),
		unshown == 1 ? "was" : "were",
		trace->base.pinned ? "shown before, or not yet" : "recorded and not shown");
}

static void print_amounts(struct cli_trace *trace, FILE *out)
{
	const struct upm_trace_count *sum = &trace->sum;
	char number[CLI_NUMBER_SIZE], hits[CLI_NUMBER_SIZE];

	fprintf(out, "events   %s of %s\n", cli_text_number(number, trace->shown),
		cli_text_counted(hits, sum->hits, "hit"));
	if (sum->filtered)
		fprintf(out, "filtered %s\n", cli_text_counted(number, sum->filtered, "hit"));
	if (sum->unreturned) {
		fprintf(out, "running  %s began and had no return yet, or never will",
			cli_text_counted(number, sum->unreturned, "call"));
		print_names(trace, out, unreturned_of);
		fputc('\n', out);
	}
	print_unshown(trace, out);
	print_lost(trace, out);
}

int cli_trace_print(struct cli_observation *observation)
{
	struct cli_trace *trace = (struct cli_trace *)observation;

	if (observation->run.options->trace.folded)
		cli_folded_print(observation->out, &trace->folded);
	cli_output_flush(observation->out);
	if (cli_window_of(STDERR_FILENO).terminal)
		fputc('\n', stderr);
	print_amounts(trace, stderr);
	cli_print_end(observation, stderr);
	if (!trace->sum.hits)
		cli_remark_other_program(observation);
	return CLI_DONE;
}

// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Events as lines for people: TIME PID COMM function(arguments) = result <duration> */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "event_value.h"
#include "text.h"
#include "trace.h"

static void print_wall_clock(FILE *out, int64_t nanoseconds)
{
	time_t seconds = (time_t)(nanoseconds / (int64_t)CLI_SECOND_NS);
	char clock[16];
	struct tm when;

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&seconds, &when));
	fprintf(out, "%s.%06d", clock, (int)(nanoseconds % (int64_t)CLI_SECOND_NS / 1000));
}

static void print_time(FILE *out, const struct cli_trace *trace, const struct upm_event *event)
{
	int64_t since = (int64_t)(event->time_ns - trace->start_ns) / 1000;
	int64_t micros = since < 0 ? -since : since;

	if (trace->base.run.options->trace.wall_clock)
		print_wall_clock(out, (int64_t)event->time_ns + trace->wall_ns);
	else
		fprintf(out, "%s%*" PRId64 ".%06d", since < 0 ? "-" : "", since < 0 ? 4 : 5,
			micros / 1000000, (int)(micros % 1000000));
}

static void widen(size_t *width, size_t needed)
{
	if (*width < needed)
		*width = needed;
}

/* "PID", and "/TID" where it is another thread than the first. */
static void print_thread(FILE *out, struct cli_trace *trace, const struct upm_event *event)
{
	char id[32];

	if (event->tid == event->pid)
		snprintf(id, sizeof(id), "%" PRIu32, event->pid);
	else
		snprintf(id, sizeof(id), "%" PRIu32 "/%" PRIu32, event->pid, event->tid);
	widen(&trace->id_width, strlen(id));
	widen(&trace->comm_width, cli_text_width(event->comm));
	fprintf(out, "  %-*s  ", (int)trace->id_width, id);
	cli_text_put(out, event->comm, 0, trace->comm_width);
	fputs("  ", out);
}

static void print_arguments(FILE *out, const struct cli_traced *traced,
			    const struct upm_event *event, const char *text)
{
	fputc('(', out);
	for (uint32_t i = 0; i < event->argument_count && i < UPM_EVENT_ARGUMENTS; i++) {
		struct cli_event_value value =
			cli_event_argument(event, i, &traced->arguments[i], text);

		if (i)
			fputs(", ", out);
		cli_event_value_print(out, &value);
	}
	fputc(')', out);
}

static void print_result(FILE *out, const struct cli_traced *traced, const struct upm_event *event)
{
	struct cli_event_value value = cli_event_result(event, &traced->result);
	char duration[CLI_NUMBER_SIZE];

	if (traced->result.form != UPM_FORM_NONE) {
		fputs(" = ", out);
		cli_event_value_print(out, &value);
	}
	if (event->kind == UPM_EVENT_CALL)
		fprintf(out, " <%s>", cli_text_duration(duration, event->duration_ns));
}

static void print_stack(FILE *out, struct cli_trace *trace, const struct cli_traced *traced,
			const struct upm_event *event, const char *text)
{
	for (uint32_t i = 0; i < event->stack_count; i++) {
		struct cli_frame frame =
			cli_frame_of(&trace->frames, event, text, i, &traced->probe);

		fprintf(out, "%*s", 16, "");
		cli_frame_print(out, &trace->frames, &frame);
		fputc('\n', out);
	}
}

void cli_trace_print_event(struct cli_trace *trace, const struct upm_event *event, const char *text)
{
	const struct cli_traced *traced = cli_trace_probe(trace, event->probe);
	FILE *out = trace->base.out;

	if (!traced)
		return;
	print_time(out, trace, event);
	print_thread(out, trace, event);
	cli_text_put(out, traced->name, CLI_MOST_LABEL, 0);
	if (event->kind != UPM_EVENT_RETURN)
		print_arguments(out, traced, event, text);
	if (event->kind == UPM_EVENT_RETURN || event->kind == UPM_EVENT_CALL)
		print_result(out, traced, event);
	fputc('\n', out);
	print_stack(out, trace, traced, event, text);
}

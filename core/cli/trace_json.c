// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Events as JSON, written without a tree of values: there may be a million a second. */
#include <inttypes.h>
#include <string.h>

#include "event_value.h"
#include "output_json.h"
#include "trace.h"

static const char *kind_name(uint16_t kind)
{
	static const char *const names[] = {
		[UPM_EVENT_ENTRY] = "entry",
		[UPM_EVENT_RETURN] = "return",
		[UPM_EVENT_USDT] = "usdt",
		[UPM_EVENT_CALL] = "call",
	};

	return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "?";
}

static void put_text(FILE *out, const char *key, const char *text)
{
	fprintf(out, "\"%s\":", key);
	cli_json_put_string(out, text, strlen(text));
}

static uint64_t time_of(const struct cli_trace *trace, const struct upm_event *event)
{
	return event->time_ns +
	       (trace->base.run.options->trace.wall_clock ? (uint64_t)trace->wall_ns : 0);
}

static void put_place(FILE *out, const struct cli_trace *trace, const struct cli_traced *traced,
		      const struct upm_event *event)
{
	fprintf(out,
		"{\"time_ns\":%" PRIu64 ",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32 ",\"cpu\":%" PRIu32
		",",
		time_of(trace, event), event->pid, event->tid, event->cpu);
	put_text(out, "comm", event->comm);
	fputc(',', out);
	put_text(out, "symbol", traced->probe.symbol);
	fputc(',', out);
	if (*traced->probe.provider) {
		put_text(out, "provider", traced->probe.provider);
		fputc(',', out);
	}
	put_text(out, "path", traced->probe.path);
	fprintf(out, ",\"offset\":%" PRIu64 ",", traced->probe.offset);
	put_text(out, "kind", kind_name(event->kind));
}

static void put_arguments(FILE *out, const struct cli_traced *traced, const struct upm_event *event,
			  const char *text)
{
	fputs(",\"args\":[", out);
	for (uint32_t i = 0; i < event->argument_count && i < UPM_EVENT_ARGUMENTS; i++) {
		struct cli_event_value value =
			cli_event_argument(event, i, &traced->arguments[i], text);

		if (i)
			fputc(',', out);
		cli_event_value_json(out, &value);
	}
	fputc(']', out);
}

/* Which arguments could not be read, or go on: numbers from 0. */
static void put_bits(FILE *out, const char *key, uint16_t bits)
{
	const char *before = "";

	if (!bits)
		return;
	fprintf(out, ",\"%s\":[", key);
	for (uint32_t i = 0; i < UPM_EVENT_ARGUMENTS; i++) {
		if (!(bits >> i & 1))
			continue;
		fprintf(out, "%s%" PRIu32, before, i);
		before = ",";
	}
	fputc(']', out);
}

/* What pointed to the texts that could not be read, in the order of "unreadable". */
static void put_pointers(FILE *out, const struct cli_traced *traced, const struct upm_event *event)
{
	const char *before = "";

	if (!event->unreadable)
		return;
	fputs(",\"pointers\":[", out);
	for (uint32_t i = 0; i < UPM_EVENT_ARGUMENTS; i++) {
		struct cli_event_value value =
			cli_event_argument(event, i, &traced->arguments[i], NULL);
		uint64_t pointer;

		if (!value.unreadable)
			continue;
		if (cli_event_value_pointer(&value, &pointer))
			fprintf(out, "%s%" PRIu64, before, pointer);
		else
			fprintf(out, "%snull", before);
		before = ",";
	}
	fputc(']', out);
}

static void put_result(FILE *out, const struct cli_traced *traced, const struct upm_event *event)
{
	struct cli_event_value value = cli_event_result(event, &traced->result);

	if (traced->result.form != UPM_FORM_NONE) {
		fputs(",\"result\":", out);
		cli_event_value_json(out, &value);
	}
	if (event->kind == UPM_EVENT_CALL)
		fprintf(out, ",\"duration_ns\":%" PRIu64, event->duration_ns);
}

static void put_stack(FILE *out, struct cli_trace *trace, const struct cli_traced *traced,
		      const struct upm_event *event, const char *text)
{
	fputs(",\"stack\":[", out);
	for (uint32_t i = 0; i < event->stack_count; i++) {
		struct cli_frame frame =
			cli_frame_of(&trace->frames, event, text, i, &traced->probe);

		fprintf(out, "%s{\"address\":%" PRIu64 ",", i ? "," : "", frame.address);
		put_text(out, "path", frame.place.path);
		fputc(',', out);
		put_text(out, "symbol", frame.place.symbol);
		fprintf(out, ",\"offset\":%" PRIu64 "}", frame.place.offset);
	}
	fputc(']', out);
}

void cli_trace_json_event(struct cli_trace *trace, const struct upm_event *event, const char *text)
{
	const struct cli_traced *traced = cli_trace_probe(trace, event->probe);
	FILE *out = trace->base.out;

	if (!traced)
		return;
	put_place(out, trace, traced, event);
	put_arguments(out, traced, event, text);
	put_bits(out, "unreadable", event->unreadable);
	put_pointers(out, traced, event);
	put_bits(out, "truncated", event->truncated);
	if (event->kind == UPM_EVENT_RETURN || event->kind == UPM_EVENT_CALL)
		put_result(out, traced, event);
	if (event->stack_count)
		put_stack(out, trace, traced, event, text);
	fputs("}\n", out);
}

static json_t *describe(struct cli_trace *trace, size_t position)
{
	const struct upm_trace_count *count = &trace->counts[position];
	json_t *value = cli_json_probe(&trace->base, position);

	if (!value)
		return NULL;
	json_object_set_new(value, "hits", cli_json_integer(count->hits));
	json_object_set_new(value, "events", cli_json_integer(count->events));
	json_object_set_new(value, "filtered", cli_json_integer(count->filtered));
	json_object_set_new(value, "lost", cli_json_integer(count->lost));
	json_object_set_new(value, "refused", cli_json_integer(count->refused));
	json_object_set_new(value, "unreturned", cli_json_integer(count->unreturned));
	return value;
}

int cli_trace_json(struct cli_observation *observation)
{
	struct cli_trace *trace = (struct cli_trace *)observation;
	struct cli_json json;

	cli_json_open(&json, observation->out);
	json.one_line = true;
	cli_json_member(&json, "events", cli_json_integer(trace->shown));
	cli_json_member(&json, "unshown",
			cli_json_integer(trace->sum.events - (trace->shown < trace->sum.events
								      ? trace->shown
								      : trace->sum.events)));
	cli_json_member(&json, "lost", cli_json_integer(trace->sum.lost));
	cli_json_member(&json, "refused", cli_json_integer(trace->sum.refused));
	cli_json_member(&json, "filtered", cli_json_integer(trace->sum.filtered));
	cli_json_member(&json, "unreturned", cli_json_integer(trace->sum.unreturned));
	cli_json_member(&json, "hits", cli_json_integer(trace->sum.hits));
	cli_json_member(&json, "start_ns", cli_json_integer(trace->start_ns));
	cli_json_observation(&json, observation);
	cli_json_array(&json, "probes");
	for (size_t i = 0; i < observation->attached_count; i++)
		if (trace->counts[observation->attached[i]].hits)
			cli_json_element(&json, describe(trace, observation->attached[i]));
	cli_json_array_end(&json);
	return cli_json_close(&json);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Steps of traces. */
#include "adapter.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One signature for each probe of the set: the step's by the name of the function, else NULL. */
static const char **signatures_of(const json_t *step, const struct upm_probe_set *set)
{
	const json_t *given = json_object_get(step, "probe_arguments");
	const char **signatures;

	if (!given)
		return NULL;
	signatures = calloc(upm_probe_set_size(set) + 1, sizeof(*signatures));
	for (size_t i = 0; i < upm_probe_set_size(set); i++) {
		struct upm_probe probe = {.size = sizeof(probe)};

		if (upm_probe_set_get(set, i, &probe))
			broken("probe %zu can not be read", i);
		signatures[i] = json_string_value(json_object_get(given, probe.symbol));
	}
	return signatures;
}

static int32_t run_trace(const json_t *step, json_t *answer)
{
	const struct upm_probe_set *set = find(step, "set", THING_SET);
	const char **signatures = signatures_of(step, set);
	struct upm_trace_options trace = {
		.size = sizeof(trace),
		.flags = (number_or(step, "returns", 0) ? UPM_TRACE_RETURNS : 0) |
			 (number_or(step, "stacks", 0) ? UPM_TRACE_STACKS : 0),
		.ring_bytes = (uint32_t)number_or(step, "ring_bytes", 0),
		.text_bytes = (uint32_t)number_or(step, "text_bytes", 0),
		.stack_frames = (uint32_t)number_or(step, "stack_frames", 0),
		.arguments = text_or_null(step, "arguments"),
		.probe_arguments = signatures,
		.probe_argument_count = signatures ? upm_probe_set_size(set) : 0,
		.filter = text_or_null(step, "filter"),
		.comm = text_or_null(step, "comm"),
		.sample = (uint32_t)number_or(step, "sample", 0),
		.rate = (uint32_t)number_or(step, "rate", 0),
	};
	struct upm_observer *observer = NULL;
	struct attach attach;
	int32_t status;

	attach_of(step, &attach);
	status = upm_trace(set, &trace, &attach.options, &observer);
	free(signatures);
	return keep_observer(step, answer, status, observer);
}

static json_t *bytes_json(const char *text, uint64_t place)
{
	size_t start = (uint32_t)place, length = place >> 32;
	char *hex = calloc(length + 1, 2);
	json_t *json;

	for (size_t i = 0; i < length; i++)
		snprintf(hex + 2 * i, 3, "%02x", (uint8_t)text[start + i]);
	json = json_string(hex);
	free(hex);
	return json;
}

static json_t *value_json(uint64_t value, uint32_t form, const char *text)
{
	char character[] = {(char)value, '\0'};

	switch (form) {
	case UPM_FORM_SIGNED:
		return json_integer((json_int_t)value);
	case UPM_FORM_STRING:
		return json_stringn(text + (uint32_t)value, value >> 32);
	case UPM_FORM_BYTES:
		return bytes_json(text, value);
	case UPM_FORM_CHARACTER:
		return json_string(character);
	case UPM_FORM_BOOLEAN:
		return json_boolean(value);
	case UPM_FORM_UNREADABLE:
	case UPM_FORM_NONE:
		return json_null();
	default:
		return number_json(value);
	}
}

static json_t *arguments_json(const struct upm_observer *observer, const struct upm_event *event,
			      const char *text)
{
	struct upm_event_argument argument = {.size = sizeof(argument)};
	json_t *arguments = json_object();

	for (uint32_t i = 0; i < event->argument_count; i++) {
		if (upm_trace_argument(observer, event->probe, i, &argument))
			broken("argument %u can not be described", i);
		put(arguments, argument.name,
		    event->unreadable >> i & 1
			    ? json_null()
			    : value_json(event->arguments[i], argument.form, text));
	}
	return arguments;
}

static json_t *event_json(const struct upm_observer *observer, const struct upm_event *event,
			  const char *text)
{
	static const char *const kinds[] = {"entry", "return", "usdt", "call"};
	struct upm_event_argument result = {.size = sizeof(result)};
	struct upm_probe probe = {.size = sizeof(probe)};
	bool returned = event->kind == UPM_EVENT_RETURN || event->kind == UPM_EVENT_CALL;
	json_t *json = json_object();

	if (upm_trace_argument(observer, event->probe, UPM_TRACE_RESULT, &result) ||
	    upm_probe_set_get(upm_observer_probes(observer), event->probe, &probe))
		broken("probe %u can not be described", event->probe);
	put_text(json, "kind", kinds[event->kind]);
	put_text(json, "symbol", probe.symbol);
	put_text(json, "comm", event->comm);
	put(json, "arguments", arguments_json(observer, event, text));
	put(json, "result", returned ? value_json(event->result, result.form, text) : json_null());
	put(json, "took_time", json_boolean(event->duration_ns > 0));
	put_number(json, "truncated", event->truncated);
	put(json, "stack", json_boolean(event->stack_count > 0));
	return json;
}

static int32_t put_events(const struct upm_observer *observer, const struct upm_batch *batch,
			  json_t *answer)
{
	const char *events = (const char *)upm_batch_events(batch);
	json_t *list = json_array();

	for (size_t i = 0; i < upm_batch_size(batch); i++) {
		struct upm_event event;

		memcpy(&event, events + i * upm_batch_event_size(), sizeof(event));
		json_array_append_new(list, event_json(observer, &event, upm_batch_text(batch)));
	}
	put(answer, "events", list);
	put(answer, "with_text", json_boolean(upm_batch_text_size(batch) > 0));
	return UPM_OK;
}

static int32_t run_read(const json_t *step, json_t *answer)
{
	struct upm_observer *observer = find(step, "of", THING_OBSERVER);
	struct upm_batch *batch = NULL;
	int32_t status = upm_batch_new(number_or(step, "most", 0), 0, &batch);

	status = status ? status : upm_trace_read(observer, batch, 0);
	status = status ? status : put_events(observer, batch, answer);
	upm_batch_free(batch);
	return status;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int32_t sum_hits(const struct upm_observer *observer, uint64_t *total)
{
	size_t count = upm_probe_set_size(upm_observer_probes(observer));
	uint64_t *hits = calloc(count + 1, sizeof(*hits));
	int32_t status = upm_observer_hits(observer, hits, count);

	*total = 0;
	for (size_t i = 0; i < count; i++)
		*total += hits[i];
	free(hits);
	return status;
}

/* Until the time is over and nothing is there. Hits that become fewer are a failure. */
static int32_t run_drain(const json_t *step, json_t *answer)
{
	struct upm_observer *observer = find(step, "of", THING_OBSERVER);
	const struct upm_observer *counted =
		text_or_null(step, "hits") ? find(step, "hits", THING_OBSERVER) : NULL;
	uint64_t limit = number_or(step, "milliseconds", 0), end = now_ms() + limit;
	uint64_t events = 0, snapshots = 0, hits = 0, before = 0;
	bool fell = false, more = true;
	struct upm_batch *batch = NULL;
	int32_t status = upm_batch_new(0, 0, &batch);

	while (!status && more) {
		status = upm_trace_read(observer, batch, limit ? 10 : 0);
		if (!status && counted)
			status = sum_hits(counted, &hits);
		fell = fell || hits < before;
		before = hits;
		snapshots += counted != NULL;
		events += upm_batch_size(batch);
		more = now_ms() < end || (!limit && upm_batch_size(batch));
	}
	upm_batch_free(batch);
	put(answer, "events", json_integer((json_int_t)events));
	put(answer, "snapshots", json_integer((json_int_t)snapshots));
	put(answer, "fell", json_boolean(fell));
	return status;
}

static int32_t run_next(const json_t *step, json_t *answer)
{
	struct upm_observer *observer = find(step, "of", THING_OBSERVER);
	struct upm_event event;
	const char *text = NULL;
	int32_t status = upm_trace_next(observer, &event, &text, 0);

	if (status == UPM_OK)
		put(answer, "event", event_json(observer, &event, text));
	else if (status == UPM_ERR_NOT_FOUND)
		put(answer, "event", json_null());
	return status == UPM_ERR_NOT_FOUND ? UPM_OK : status;
}

struct taking {
	const struct upm_observer *observer;
	uint64_t left;
	json_t *events;
};

static int32_t take_event(const struct upm_event *event, const char *text, void *context)
{
	struct taking *taking = context;

	json_array_append_new(taking->events, event_json(taking->observer, event, text));
	return --taking->left == 0;
}

static int32_t run_run(const json_t *step, json_t *answer)
{
	struct upm_observer *observer = find(step, "of", THING_OBSERVER);
	struct taking taking = {observer, number_or(step, "end_at", UINT64_MAX), json_array()};
	int32_t status = upm_trace_run(observer, take_event, &taking, 0);

	put(answer, "events", taking.events);
	put(answer, "ended", json_boolean(status > 0));
	return status;
}

static int32_t run_wait(const json_t *step, json_t *answer)
{
	struct pollfd ready = {.fd = upm_trace_fd(find(step, "of", THING_OBSERVER)),
			       .events = POLLIN};

	if (ready.fd < 0)
		return ready.fd;
	put(answer, "ready", json_boolean(poll(&ready, 1, 0) > 0));
	return UPM_OK;
}

static int32_t run_counts(const json_t *step, json_t *answer)
{
	const struct upm_observer *observer = find(step, "of", THING_OBSERVER);
	size_t count = upm_probe_set_size(upm_observer_probes(observer));
	struct upm_trace_count *counts = calloc(count + 1, sizeof(*counts));
	json_t *list = json_array();
	int32_t status = upm_trace_counts(observer, counts, count);

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "hits",
						      (json_int_t)counts[i].hits, "events",
						      (json_int_t)counts[i].events, "filtered",
						      (json_int_t)counts[i].filtered, "lost",
						      (json_int_t)counts[i].lost, "unreturned",
						      (json_int_t)counts[i].unreturned, "refused",
						      (json_int_t)counts[i].refused));
	free(counts);
	put(answer, "counts", list);
	return status;
}

static json_t *described(const struct upm_event_argument *argument)
{
	static const char *const forms[] = {"unsigned",	 "signed",  "pointer",	  "string", "bytes",
					    "character", "boolean", "unreadable", "none"};

	return json_pack("{s:s,s:s,s:s,s:i}", "name", argument->name, "type", argument->type,
			 "form", forms[argument->form], "width", (int)argument->width);
}

static int32_t run_signature(const json_t *step, json_t *answer)
{
	const struct upm_observer *observer = find(step, "of", THING_OBSERVER);
	size_t probe = number_or(step, "probe", 0);
	struct upm_event_argument argument = {.size = sizeof(argument)};
	json_t *arguments = json_array();
	int32_t status;

	for (uint32_t i = 0; upm_trace_argument(observer, probe, i, &argument) == UPM_OK; i++)
		json_array_append_new(arguments, described(&argument));
	put(answer, "arguments", arguments);
	status = upm_trace_argument(observer, probe, UPM_TRACE_RESULT, &argument);
	if (status == UPM_OK)
		put(answer, "result", described(&argument));
	return status;
}

static json_t *place_json(struct upm_symbolizer *symbolizer, int32_t pid, uint64_t address,
			  bool after_call)
{
	struct upm_place place = {.size = sizeof(place)};

	if (upm_symbolizer_find(symbolizer, pid, address, after_call, &place))
		broken("what lies at an address can not be asked");
	return json_pack("{s:s,s:s,s:b,s:b}", "path", place.path, "symbol", place.symbol, "inside",
			 place.offset > 0, "in_file", place.file_offset > 0);
}

static int32_t run_place(const json_t *step, json_t *answer)
{
	struct upm_symbolizer *symbolizer = NULL;
	int32_t status = upm_symbolizer_new(&symbolizer);

	if (status == UPM_OK)
		put(answer, "place",
		    place_json(symbolizer, (int32_t)number_or(step, "pid", 0),
			       number_or(step, "address", 0), false));
	upm_symbolizer_free(symbolizer);
	return status;
}

/* What lies at the innermost frames of the next event's stack. */
static int32_t run_stack(const json_t *step, json_t *answer)
{
	struct upm_observer *observer = find(step, "of", THING_OBSERVER);
	struct upm_symbolizer *symbolizer = NULL;
	json_t *places = json_array();
	struct upm_event event;
	const char *text = NULL;
	int32_t status = upm_symbolizer_new(&symbolizer);

	status = status ? status : upm_trace_next(observer, &event, &text, 0);
	for (size_t i = 0; status == UPM_OK && i < number_or(step, "frames", 0); i++) {
		uint64_t address;

		if (i >= event.stack_count)
			broken("the stack has %u frames", event.stack_count);
		memcpy(&address, text + event.stack_offset + i * sizeof(address), sizeof(address));
		json_array_append_new(places,
				      place_json(symbolizer, (int32_t)event.pid, address, i > 0));
	}
	upm_symbolizer_free(symbolizer);
	put(answer, "places", places);
	return status;
}

const struct verb trace_verbs[] = {
	{"trace", run_trace},
	{"read", run_read},
	{"next", run_next},
	{"run", run_run},
	{"wait", run_wait},
	{"counts", run_counts},
	{"signature", run_signature},
	{"place", run_place},
	{"stack", run_stack},
	{"drain", run_drain},
	{NULL, NULL},
};

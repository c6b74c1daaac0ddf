/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * How fast events are read: rings that were filled before, emptied by upm_trace_read() and by a
 * minimal consumer made with libbpf, which looks at each record and keeps nothing. Then events
 * that come while they are read.
 */
#include "observe.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "trace/trace.h"

#define ROUNDS 21
#define EVENTS 120000 /* 128 bytes each: they fit the ring of 16 MiB */
#define STREAMED 2000000

static struct upm_observer *fill_ring(struct caller *caller)
{
	struct upm_observer *observer;

	NEED(upm_trace(caller->set, NULL, &caller->options, &observer));
	caller_run(caller, EVENTS);
	NEED(upm_observer_stop(observer, NULL));
	return observer;
}

static void need_all(uint64_t events)
{
	need_errno(events == EVENTS ? 0 : -EIO, "read all events");
}

static uint64_t time_batches(struct caller *caller)
{
	struct upm_observer *observer = fill_ring(caller);
	struct upm_batch *batch;
	uint64_t events = 0, start, time;

	NEED(upm_batch_new(0, 0, &batch));
	memset(batch->events, 0,
	       batch->capacity * sizeof(*batch->events)); /* as in the second reading */
	start = now_ns();
	do {
		NEED(upm_trace_read(observer, batch, 0));
		events += upm_batch_size(batch);
	} while (upm_batch_size(batch));
	time = now_ns() - start;
	need_all(events);
	upm_batch_free(batch);
	upm_observer_free(observer);
	return time;
}

/* What is kept beyond the callback has to be copied. */
#define KEPT 4096

struct consumer {
	bool keeps;
	uint64_t events, arguments;
	unsigned char kept[KEPT][sizeof(struct upm_event)];
};

static int take(void *context, void *data, size_t size)
{
	const struct upm_trace_record *record = data;
	const uint64_t *numbers = (const uint64_t *)(record + 1);
	struct consumer *consumer = context;

	if (consumer->keeps)
		memcpy(consumer->kept[consumer->events % KEPT], data,
		       size < sizeof(*consumer->kept) ? size : sizeof(*consumer->kept));
	else
		for (uint32_t i = 0; i < record->argument_count; i++)
			consumer->arguments += numbers[i];
	consumer->events += size >= sizeof(*record) && record->tid;
	return 0;
}

static uint64_t time_minimal(struct caller *caller, bool keeps)
{
	struct upm_observer *observer = fill_ring(caller);
	static struct consumer consumer;
	struct ring_buffer *ring;
	uint64_t start, time;

	memset(&consumer, 0, sizeof(consumer));
	consumer.keeps = keeps;
	ring = ring_buffer__new(upm_trace_fd(observer), take, &consumer, NULL);
	need_errno(ring ? 0 : -EIO, "open the ring with libbpf");
	start = now_ns();
	ring_buffer__consume(ring);
	time = now_ns() - start;
	need_all(consumer.events);
	ring_buffer__free(ring);
	upm_observer_free(observer);
	return time;
}

static void compare(struct caller *caller, const char *name, bool keeps)
{
	struct comparison comparison = {
		.name = name,
		.what = "120,000 events read from a full ring",
		.probes = 1,
		.base_name = keeps ? "libbpf, keeps the record" : "libbpf, adds up its arguments",
		.ours_name = "upm_trace_read()",
		.goal = 1 / 0.9,
	};

	for (int turn = 0; turn < 2 * ROUNDS; turn++) {
		if (turn % 4 == 0 || turn % 4 == 3)
			samples_add(&comparison.ours, time_batches(caller));
		else
			samples_add(&comparison.base, time_minimal(caller, keeps));
	}
	report_comparison(&comparison);
}

static int32_t count_event(const struct upm_event *event, const char *text, void *context)
{
	uint64_t *events = context;

	(void)event;
	(void)text;
	return ++*events == STREAMED;
}

void bench_drain(void)
{
	struct upm_observer *observer;
	struct upm_trace_count counts;
	struct caller caller;
	uint64_t events = 0, start, time;

	caller_start(&caller);
	compare(&caller, "drain_keeping", true);
	compare(&caller, "drain_looking", false);
	NEED(upm_trace(caller.set, NULL, &caller.options, &observer));
	start = now_ns();
	fprintf(caller.commands, "count %d\n", STREAMED);
	fflush(caller.commands);
	while (events < STREAMED && now_ns() - start < 60000000000u) {
		int status = upm_trace_run(observer, count_event, &events, 100);

		if (status < 0)
			NEED(status);
	}
	time = now_ns() - start;
	NEED(upm_trace_counts(observer, &counts, 1));
	report_number("stream_rate", "events a second while they come, of one thread",
		      (double)events * 1e9 / (double)time, "/s");
	report_number("stream_lost", "events lost of those", (double)counts.lost, "");
	upm_observer_free(observer);
	caller_stop(&caller);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The consumers of events: a batch, one event, a function for each.
 *
 * The program wakes readers only where another quarter of the ring has filled up, since a
 * wake-up costs more than an event. So a reader that waits looks every 10 ms, and takes all
 * there is.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "share/events.h"
#include "trace/decode.h"
#include "trace/sweep.h"
#include "trace/trace.h"

#define SLICE_MS 10
#define BUSY_NS 100000 /* an event that is being written is there soon */
#define AHEAD 1024     /* bytes: what another CPU has written takes its time to come */

static const char operation[] = "read events";

/* ---- time */

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t deadline_after(int32_t timeout_ms)
{
	return timeout_ms < 0 ? UINT64_MAX : now_ms() + (uint64_t)timeout_ms;
}

static uint64_t left_until(uint64_t deadline)
{
	uint64_t now = deadline == UINT64_MAX ? 0 : now_ms();

	return deadline > now ? deadline - now : 0;
}

/* ---- batches */

/* A stack begins where the probe was asked for, wherever the hit was. */
static void begin_at_offset(const struct upm_sites *sites, struct upm_batch *batch)
{
	const struct upm_event *event = &batch->events[batch->count - 1];
	uint64_t address;

	if (!event->stack_count || event->kind == UPM_EVENT_RETURN)
		return;
	memcpy(&address, batch->text + event->stack_offset, sizeof(address));
	address -= upm_site_distance(sites, event->probe);
	memcpy(batch->text + event->stack_offset, &address, sizeof(address));
}

static void complete(const struct upm_trace *state, const struct upm_sites *sites,
		     struct upm_batch *batch)
{
	batch->events[batch->count - 1].time_ns += (uint64_t)state->clock_offset_ns;
	if (sites)
		begin_at_offset(sites, batch);
}

/* Bit i: argument i lies in the text area. */
static uint32_t texts_of(const struct upm_trace_lists *lists, const struct upm_event *event)
{
	const struct upm_signature *signature;
	uint32_t texts = 0;

	if (event->probe >= lists->probe_count)
		return 0;
	signature = upm_trace_lists_signature(lists, event->probe);
	for (uint32_t i = 0; i < event->argument_count && i < signature->count; i++)
		if (signature->parameters[i].form == UPM_FORM_STRING ||
		    signature->parameters[i].form == UPM_FORM_BYTES)
			texts |= 1u << i;
	return texts & ~(uint32_t)event->unreadable;
}

static size_t text_needed(const struct upm_event *event, uint32_t texts)
{
	size_t needed = event->stack_count ? 7 + 8 * (size_t)event->stack_count : 0;

	for (uint32_t i = 0; i < UPM_EVENT_ARGUMENTS; i++)
		if (texts & 1u << i)
			needed += (event->arguments[i] >> 32) + 1;
	return needed;
}

/* @return whether there was room */
static bool move_event(const struct upm_trace_lists *lists, const struct upm_batch *from,
		       size_t index, struct upm_batch *batch)
{
	struct upm_event event = from->events[index];
	uint32_t texts = texts_of(lists, &event);
	const char *stack = from->text + event.stack_offset;

	if (!upm_batch_has_room(batch, text_needed(&event, texts)))
		return false;
	if (event.stack_count)
		memcpy(upm_batch_add_stack(batch, event.stack_count, &event.stack_offset), stack,
		       event.stack_count * sizeof(uint64_t));
	for (uint32_t i = 0; i < UPM_EVENT_ARGUMENTS; i++)
		if (texts & 1u << i)
			event.arguments[i] =
				upm_batch_add_text(batch, from->text + (uint32_t)event.arguments[i],
						   (uint32_t)(event.arguments[i] >> 32));
	batch->events[batch->count++] = event;
	return true;
}

/* What upm_trace_next() and upm_trace_run() have taken off the ring and not given out comes before
 * what is there. @return whether all of it had room */
static bool move_pulled(struct upm_trace *state, struct upm_batch *batch)
{
	while (state->pulled && state->next < state->pulled->count) {
		if (!move_event(&state->lists, state->pulled, state->next, batch))
			return false;
		state->next++;
	}
	return true;
}

static int fail_damaged(uint32_t size)
{
	return upm_fail(UPM_ERR_FORMAT, 0, operation, "the ring buffer",
			"let no other program write to its maps",
			"a record of %u bytes is not one of this trace", size);
}

/* All that is there, as far as there is room. A damaged record is told, and passed, by the reading
 * that finds nothing before it: no event goes with it. */
static int drain(struct upm_trace *state, const struct upm_sites *sites, struct upm_batch *batch)
{
	struct upm_ring_cursor cursor = upm_ring_begin(&state->ring);
	enum upm_decoded decoded = UPM_DECODED;
	const void *record;
	uint32_t size;

	while (decoded == UPM_DECODED && (record = upm_ring_peek(&state->ring, &cursor, &size))) {
		__builtin_prefetch((const char *)record + AHEAD);
		__builtin_prefetch((const char *)record + AHEAD + 64);
		decoded = upm_trace_decode(&state->config, record, size, batch);
		if (decoded == UPM_DECODED)
			complete(state, sites, batch);
		if (decoded == UPM_DECODED || (decoded == UPM_DECODE_DAMAGED && !batch->count))
			upm_ring_pass(&cursor, size);
	}
	upm_ring_end(&state->ring, &cursor);
	return decoded == UPM_DECODE_DAMAGED && !batch->count ? fail_damaged(size) : UPM_OK;
}

/* Nothing more can come: its probes are gone. */
static bool has_ended(const struct upm_observer *observer)
{
	return observer->link && !upm_link_kernel_links(observer->link);
}

static int wait_slice(const struct upm_trace *state, uint64_t most_ms)
{
	struct pollfd ring = {.fd = state->ring.map_fd, .events = POLLIN};
	const struct timespec busy = {.tv_nsec = BUSY_NS};
	int ready = poll(&ring, 1, most_ms < SLICE_MS ? (int)most_ms : SLICE_MS);

	if (ready > 0) /* also for a record that is still being written */
		ready = nanosleep(&busy, NULL);
	if (ready >= 0)
		return UPM_OK;
	if (errno == EINTR)
		return upm_fail(UPM_ERR_CANCELLED, EINTR, operation, NULL,
				"read again, unless the signal was to end it",
				"a signal came while waiting");
	return upm_fail(UPM_ERR_SYSTEM, errno, operation, "the ring buffer", NULL,
			"can not wait for events");
}

/* What a process that read before fork() had taken is not this one's to give out. */
static int claim(struct upm_observer *observer)
{
	struct upm_trace *state = observer->state;
	int32_t before = observer->reader;
	int status = upm_share_claim_events(observer);

	if (!status && before && before != observer->reader && state->pulled) {
		upm_batch_clear(state->pulled);
		state->next = 0;
	}
	return status;
}

static int read_until(struct upm_observer *observer, struct upm_batch *batch, uint64_t deadline)
{
	struct upm_trace *state = observer->state;
	int status = claim(observer);
	bool last = false;

	if (status)
		return status;
	upm_trace_sweep(observer);
	for (;;) {
		uint64_t left = left_until(deadline);

		last = last || !left || has_ended(observer);
		status = drain(state, observer->set->sites, batch);
		if (status || batch->count || last)
			return status;
		status = wait_slice(state, left);
		if (status)
			return status;
	}
}

/* Readers in other processes are kept out. */
static int begin(struct upm_observer *observer)
{
	int status = upm_observer_require(observer, &upm_trace_type, operation);

	return status ? status : claim(observer);
}

int32_t upm_trace_read(struct upm_observer *observer, struct upm_batch *batch, int32_t timeout_ms)
{
	int status;

	if (!batch)
		return upm_fail(UPM_ERR_INVALID, 0, operation, NULL, "make one by upm_batch_new()",
				"batch is NULL");
	status = begin(observer);
	if (status)
		return status;
	upm_batch_clear(batch);
	if (!move_pulled(observer->state, batch))
		return UPM_OK;
	return read_until(observer, batch, deadline_after(timeout_ms));
}

int32_t upm_trace_fd(const struct upm_observer *observer)
{
	const struct upm_trace *state;
	int status = upm_observer_require(observer, &upm_trace_type, operation);

	if (status)
		return status;
	state = observer->state;
	return state->ring.map_fd;
}

/* ---- single events */

/* The next event of the observer's own batch, filled when it is used up; NULL when the time is
 * over. */
static int pull(struct upm_observer *observer, uint64_t deadline, const struct upm_event **event)
{
	struct upm_trace *state = observer->state;
	int status = UPM_OK;

	*event = NULL;
	if (!state->pulled)
		status = upm_batch_new(0, 0, &state->pulled);
	if (!status && state->next >= state->pulled->count) {
		state->next = 0;
		upm_batch_clear(state->pulled);
		status = read_until(observer, state->pulled, deadline);
	}
	if (!status && state->next < state->pulled->count)
		*event = &state->pulled->events[state->next++];
	return status;
}

int32_t upm_trace_next(struct upm_observer *observer, struct upm_event *event, const char **text,
		       int32_t timeout_ms)
{
	const struct upm_event *pulled;
	struct upm_trace *state;
	int status;

	if (!event || !text)
		return upm_fail(UPM_ERR_INVALID, 0, operation, NULL, NULL, "%s is NULL",
				event ? "text" : "event");
	status = begin(observer);
	if (!status)
		status = pull(observer, deadline_after(timeout_ms), &pulled);
	if (status)
		return status;
	if (!pulled)
		return upm_fail(UPM_ERR_NOT_FOUND, 0, operation, NULL, NULL,
				"no event came in this time");
	state = observer->state;
	*event = *pulled;
	*text = state->pulled->text;
	return UPM_OK;
}

/* Where a run without time ends, even if events come faster than they are taken. */
static bool is_past(const struct upm_trace *state, uint64_t position)
{
	return state->next >= state->pulled->count &&
	       __atomic_load_n(state->ring.consumer, __ATOMIC_RELAXED) >= position;
}

int32_t upm_trace_run(struct upm_observer *observer, upm_event_fn function, void *context,
		      int32_t timeout_ms)
{
	uint64_t deadline = deadline_after(timeout_ms), end;
	const struct upm_event *event;
	struct upm_trace *state;
	int status;

	if (!function)
		return upm_fail(UPM_ERR_INVALID, 0, operation, NULL, NULL, "function is NULL");
	status = begin(observer);
	if (status)
		return status;
	state = observer->state;
	end = upm_ring_begin(&state->ring).end;
	do {
		status = pull(observer, deadline, &event);
		if (!status && event)
			status = function(event, state->pulled->text, context);
	} while (!status && event && (left_until(deadline) || !is_past(state, end)));
	return status;
}

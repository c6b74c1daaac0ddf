/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "trace/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "upm_trace.h"

#define DEFAULT_EVENTS 4096
#define DEFAULT_TEXT (1U << 20)

/* The largest event: all arguments are texts, with a NUL each, and a stack of 127 frames and the
 * caller's, aligned. */
#define LARGEST_TEXT (UPM_TRACE_ARGUMENTS * (UPM_TRACE_TEXT_MAX + 1) + 128 * 8 + 7)
#define LEAST_TEXT (64U << 10)
_Static_assert(LARGEST_TEXT <= LEAST_TEXT, "one event always fits");

static size_t text_capacity(size_t wanted)
{
	if (!wanted)
		return DEFAULT_TEXT;
	if (wanted < LEAST_TEXT)
		return LEAST_TEXT;
	return wanted < UINT32_MAX ? wanted : UINT32_MAX; /* places have 32 bits */
}

int32_t upm_batch_new(size_t events, size_t text_bytes, struct upm_batch **out)
{
	static const char operation[] = "make room for events";
	struct upm_batch *batch;

	if (!out)
		return upm_fail(UPM_ERR_INVALID, 0, operation, NULL, NULL, "out is NULL");
	batch = calloc(1, sizeof(*batch));
	if (!batch)
		return upm_fail_memory(operation);
	batch->capacity = events ? events : DEFAULT_EVENTS;
	batch->text_capacity = text_capacity(text_bytes);
	batch->events = reallocarray(NULL, batch->capacity, sizeof(*batch->events));
	batch->text = malloc(batch->text_capacity);
	if (!batch->events || !batch->text) {
		upm_batch_free(batch);
		return upm_fail_memory(operation);
	}
	*out = batch;
	return UPM_OK;
}

size_t upm_batch_size(const struct upm_batch *batch)
{
	return batch ? batch->count : 0;
}

const struct upm_event *upm_batch_events(const struct upm_batch *batch)
{
	return batch ? batch->events : NULL;
}

size_t upm_batch_event_size(void)
{
	return sizeof(struct upm_event);
}

const char *upm_batch_text(const struct upm_batch *batch)
{
	return batch ? batch->text : NULL;
}

size_t upm_batch_text_size(const struct upm_batch *batch)
{
	return batch ? batch->text_size : 0;
}

void upm_batch_free(struct upm_batch *batch)
{
	if (!batch)
		return;
	free(batch->events);
	free(batch->text);
	free(batch);
}

/* ---- filling */

void upm_batch_clear(struct upm_batch *batch)
{
	batch->count = 0;
	batch->text_size = 0;
}

bool upm_batch_has_room(const struct upm_batch *batch, size_t text)
{
	return batch->count < batch->capacity && text <= batch->text_capacity - batch->text_size;
}

uint64_t upm_batch_add_text(struct upm_batch *batch, const void *bytes, uint32_t length)
{
	uint64_t place = (uint64_t)length << 32 | batch->text_size;

	memcpy(batch->text + batch->text_size, bytes, length);
	batch->text[batch->text_size + length] = '\0';
	batch->text_size += (size_t)length + 1;
	return place;
}

uint64_t *upm_batch_add_stack(struct upm_batch *batch, uint32_t count, uint32_t *offset)
{
	size_t aligned = (batch->text_size + 7) / 8 * 8;

	memset(batch->text + batch->text_size, 0, aligned - batch->text_size);
	*offset = (uint32_t)aligned;
	batch->text_size = aligned + (size_t)count * sizeof(uint64_t);
	return (uint64_t *)(batch->text + aligned);
}

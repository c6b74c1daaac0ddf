/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "marshal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct marshal_box {
	uint64_t value;
};

static size_t boxes;
static _Thread_local char failure[256];
static _Thread_local struct marshal_error error;

static const char *const texts[] = {"eins", NULL, "zwölf"};
static const int32_t numbers[] = {INT32_MIN, -1, INT32_MAX};
static const struct marshal_record filled = {
	.size = sizeof(struct marshal_record),
	.text = MARSHAL_GREETING,
	.texts = texts,
	.text_count = 3,
	.numbers = numbers,
	.number_count = 3,
	.big = UINT64_MAX,
	.small = INT32_MIN,
	.flags = UINT32_MAX,
	.half = UINT16_MAX,
	.name = "nine char",
	.many = {1, (UINT64_C(1) << 53) + 1, UINT64_MAX},
};

int32_t marshal_int32(int32_t value)
{
	return value;
}

uint32_t marshal_uint32(uint32_t value)
{
	return value;
}

uint64_t marshal_uint64(uint64_t value)
{
	return value;
}

size_t marshal_size(size_t value)
{
	return value;
}

uint64_t marshal_double(double value)
{
	return (uint64_t)(value * 1000);
}

const char *marshal_text(const char *text)
{
	static char copy[256];

	if (!text)
		return NULL;
	snprintf(copy, sizeof(copy), "%s", text);
	return copy;
}

int32_t marshal_text_out(const char **text)
{
	*text = MARSHAL_GREETING;
	return MARSHAL_OK;
}

/* Append to a buffer that may be too short. */
__attribute__((format(printf, 4, 5))) static size_t append(char *buffer, size_t length, size_t at,
							   const char *format, ...)
{
	va_list arguments;
	int written;

	va_start(arguments, format);
	written = vsnprintf(at < length ? buffer + at : NULL, at < length ? length - at : 0, format,
			    arguments);
	va_end(arguments);
	return at + (size_t)written;
}

size_t marshal_join(const char *const *list, size_t count, char *buffer, size_t length)
{
	size_t at = append(buffer, length, 0, "%s", "");

	for (size_t i = 0; i < count; i++)
		at = append(buffer, length, at, "%s%s", i ? "|" : "", list[i] ? list[i] : "-");
	return at;
}

uint64_t marshal_values(const uint64_t *values, size_t count)
{
	uint64_t all = 0;

	for (size_t i = 0; values && i < count; i++)
		all ^= values[i];
	return all;
}

size_t marshal_sizes(const size_t *values, size_t count)
{
	size_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += values[i];
	return sum;
}

int32_t marshal_fill(uint64_t *values, size_t count)
{
	if (!values)
		return marshal_fail(MARSHAL_INVALID, "values is NULL");
	for (size_t i = 0; i < count; i++)
		values[i] = UINT64_MAX - i;
	return MARSHAL_OK;
}

const uint64_t *marshal_static_values(void)
{
	return filled.many;
}

int32_t marshal_record_read(const struct marshal_record *record, char *buffer, size_t length)
{
	char joined[128] = "";
	size_t at;

	if (record->size != sizeof(*record))
		return marshal_fail(MARSHAL_INVALID, "size is wrong");
	marshal_join(record->texts, record->text_count, joined, sizeof(joined));
	at = append(buffer, length, 0, "%s %s", record->text ? record->text : "-", joined);
	for (size_t i = 0; i < record->number_count; i++)
		at = append(buffer, length, at, " %" PRId32, record->numbers[i]);
	at = append(buffer, length, at, " %" PRIu64 " %" PRId32 " %" PRIu32 " %u %.*s", record->big,
		    record->small, record->flags, record->half, (int)sizeof(record->name),
		    record->name);
	for (size_t i = 0; i < MARSHAL_MANY; i++)
		at = append(buffer, length, at, " %" PRIu64, record->many[i]);
	return MARSHAL_OK;
}

int32_t marshal_record_write(struct marshal_record *record)
{
	if (record->size != sizeof(*record))
		return marshal_fail(MARSHAL_INVALID, "size is wrong");
	*record = filled;
	return MARSHAL_OK;
}

const struct marshal_record *marshal_record_static(void)
{
	return &filled;
}

int32_t marshal_call(marshal_value_fn function, void *context, const char *text, uint64_t big)
{
	return function(text, big, context);
}

int32_t marshal_call_record(const struct marshal_record *record, uint64_t big)
{
	return record->function ? record->function(record->text, big, record->context) : MARSHAL_OK;
}

int32_t marshal_each(marshal_record_fn function, void *context, size_t count)
{
	struct marshal_record record = filled;
	int32_t answer = 0;

	for (record.big = 0; record.big < count && !answer; record.big++)
		answer = function(&record, context);
	return answer;
}

int32_t marshal_box_new(uint64_t value, struct marshal_box **out)
{
	struct marshal_box *box = malloc(sizeof(*box));

	if (!box)
		return marshal_fail(MARSHAL_FAILED, "out of memory");
	box->value = value;
	boxes++;
	*out = box;
	return MARSHAL_OK;
}

int32_t marshal_box_fail(struct marshal_box **out)
{
	(void)out;
	return marshal_fail(MARSHAL_FAILED, "no box today");
}

int32_t marshal_box_set(struct marshal_box *box, uint64_t value)
{
	box->value = value;
	return MARSHAL_OK;
}

uint64_t marshal_box_value(const struct marshal_box *box)
{
	return box ? box->value : 0;
}

const struct marshal_box *marshal_box_inside(const struct marshal_box *box)
{
	return box;
}

size_t marshal_boxes(void)
{
	return boxes;
}

void marshal_box_free(struct marshal_box *box)
{
	if (box)
		boxes--;
	free(box);
}

int32_t marshal_fail(int32_t status, const char *message)
{
	snprintf(failure, sizeof(failure), "%s (%" PRId32 ")", message, status);
	error = (struct marshal_error){.code = status, .message = failure};
	return status;
}

const struct marshal_error *marshal_error_last(void)
{
	return &error;
}

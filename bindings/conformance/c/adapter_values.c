/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Between JSON and C. */
#include "adapter.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void broken(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(2);
}

const char *text_or_null(const json_t *step, const char *key)
{
	return json_string_value(json_object_get(step, key));
}

const char *text_of(const json_t *step, const char *key)
{
	const char *text = text_or_null(step, key);

	if (!text)
		broken("the step has no text %s", key);
	return text;
}

uint64_t number_of(const json_t *value)
{
	if (json_is_string(value))
		return strtoull(json_string_value(value), NULL, 10);
	if (!json_is_integer(value))
		broken("not a number");
	return (uint64_t)json_integer_value(value);
}

uint64_t number_or(const json_t *step, const char *key, uint64_t otherwise)
{
	const json_t *value = json_object_get(step, key);

	return value ? number_of(value) : otherwise;
}

json_t *number_json(uint64_t number)
{
	return number > INT64_MAX ? json_sprintf("%" PRIu64, number)
				  : json_integer((json_int_t)number);
}

const char **texts_of(const json_t *step, const char *key, size_t *count)
{
	const json_t *array = json_object_get(step, key);
	const char **texts;

	*count = json_array_size(array);
	if (!array)
		return NULL;
	texts = calloc(*count + 1, sizeof(*texts));
	for (size_t i = 0; i < *count; i++)
		texts[i] = json_string_value(json_array_get(array, i));
	return texts;
}

uint64_t *numbers_of(const json_t *step, const char *key, size_t *count)
{
	const json_t *array = json_object_get(step, key);
	uint64_t *numbers;

	*count = json_array_size(array);
	if (!array)
		return NULL;
	numbers = calloc(*count + 1, sizeof(*numbers));
	for (size_t i = 0; i < *count; i++)
		numbers[i] = number_of(json_array_get(array, i));
	return numbers;
}

static uint32_t flag_of(const char *name, const char *const *names)
{
	for (uint32_t bit = 0; names[bit]; bit++)
		if (strcmp(names[bit], name) == 0)
			return UINT32_C(1) << bit;
	broken("there is no flag %s", name);
}

uint32_t flags_of(const json_t *step, const char *const *names)
{
	const json_t *given = json_object_get(step, "flags");
	uint32_t flags = 0;

	for (size_t i = 0; i < json_array_size(given); i++)
		flags |= flag_of(json_string_value(json_array_get(given, i)), names);
	return flags;
}

uint32_t word_of(const char *word, const char *(*name)(uint32_t), uint32_t most)
{
	for (uint32_t number = 0; number <= most; number++)
		if (strcmp(name(number), word) == 0)
			return number;
	broken("there is no %s", word);
}

uint32_t kind_of(const json_t *step)
{
	const char *word = text_or_null(step, "kind");

	return word ? word_of(word, upm_kind_name, UPM_KIND_USDT) : UPM_KIND_UPROBE;
}

void put(json_t *answer, const char *key, json_t *value)
{
	if (json_object_set_new(answer, key, value))
		broken("%s can not be written as JSON", key);
}

void put_number(json_t *answer, const char *key, uint64_t number)
{
	put(answer, key, number_json(number));
}

void put_text(json_t *answer, const char *key, const char *text)
{
	put(answer, key, text ? json_string(text) : json_null());
}

size_t pids_of(const json_t *step, int32_t *pids, size_t most)
{
	size_t count;
	uint64_t *numbers = numbers_of(step, "pids", &count);

	if (count > most)
		broken("more than %zu pids", most);
	for (size_t i = 0; i < count; i++)
		pids[i] = (int32_t)numbers[i];
	free(numbers);
	return count;
}

int32_t count_down(const char *stage, uint64_t done, uint64_t total, void *context)
{
	uint64_t *left = context;

	(void)stage, (void)done, (void)total;
	return *left == 0 || --*left == 0;
}

static uint32_t placement_of(const json_t *step)
{
	static const char *const words[] = {"default", "exact", "cheapest"};
	const char *word = text_or_null(step, "placement");

	for (uint32_t number = 0; word && number < 3; number++)
		if (strcmp(words[number], word) == 0)
			return number;
	return UPM_PLACEMENT_DEFAULT;
}

void attach_of(const json_t *step, struct attach *attach)
{
	static const char *const flags[] = {"strict", "children", "cookie_is_index", NULL};
	const char *backend = text_or_null(step, "backend");

	*attach = (struct attach){
		.options = {
			.size = sizeof(attach->options),
			.flags = flags_of(step, flags),
			.probes_per_link = (uint32_t)number_or(step, "probes_per_link", 0),
			.placement = placement_of(step),
		}};
	if (backend)
		attach->options.backend =
			word_of(backend, upm_backend_name, UPM_BACKEND_PERF_EVENT);
	attach->options.pid_count = pids_of(step, attach->pids, 8);
	attach->options.pids = attach->pids;
	attach->calls_left = number_or(step, "cancel_at", 0);
	if (attach->calls_left) {
		attach->options.progress = count_down;
		attach->options.progress_context = &attach->calls_left;
	}
}

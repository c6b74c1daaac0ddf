/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Prints what ../marshalling/golden.txt has. Texts are shown as they are, bytes beside them. */
#include "marshal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void show_text(const char *what, const char *text)
{
	if (text)
		printf("%s = \"%s\" of %zu bytes\n", what, text, strlen(text));
	else
		printf("%s = NULL\n", what);
}

static void numbers(void)
{
	static const int32_t int32s[] = {INT32_MIN, -1, 0, INT32_MAX};
	static const uint32_t uint32s[] = {0, UINT32_C(1) << 31, UINT32_MAX};
	static const uint64_t uint64s[] = {0, (UINT64_C(1) << 53) + 1, UINT64_C(1) << 63,
					   UINT64_MAX};
	static const double doubles[] = {0, 0.5, 0.875, 1};

	for (size_t i = 0; i < 4; i++)
		printf("int32 %" PRId32 " = %" PRId32 "\n", int32s[i], marshal_int32(int32s[i]));
	for (size_t i = 0; i < 3; i++)
		printf("uint32 %" PRIu32 " = %" PRIu32 "\n", uint32s[i],
		       marshal_uint32(uint32s[i]));
	for (size_t i = 0; i < 4; i++)
		printf("uint64 %" PRIu64 " = %" PRIu64 "\n", uint64s[i],
		       marshal_uint64(uint64s[i]));
	for (size_t i = 0; i < 4; i++)
		printf("size %" PRIu64 " = %zu\n", uint64s[i], marshal_size(uint64s[i]));
	for (size_t i = 0; i < 4; i++)
		printf("double %g = %" PRIu64 "\n", doubles[i], marshal_double(doubles[i]));
	printf("constants = %d %" PRIu32 " %d %d %d\n", MARSHAL_MANY, MARSHAL_LARGE, MARSHAL_OK,
	       MARSHAL_INVALID, MARSHAL_FAILED);
}

static void texts(void)
{
	static const char *const list[] = {"a", NULL, "", "zwölf", "\xe2\x88\x9e"};
	const char *text;
	char buffer[64], small[4];

	show_text("text NULL", marshal_text(NULL));
	show_text("text empty", marshal_text(""));
	show_text("text ASCII", marshal_text("plain"));
	show_text("text UTF-8", marshal_text("naïve → ∞ 😀"));
	printf("text not UTF-8 = %d\n", strcmp(marshal_text("\xff\xfe!"), "\xff\xfe!") == 0);
	printf("text out = %d\n", marshal_text_out(&text));
	show_text("text out", text);
	show_text("constant text", MARSHAL_GREETING);
	printf("join = %zu\n", marshal_join(list, 5, buffer, sizeof(buffer)));
	show_text("joined", buffer);
	printf("join cut = %zu\n", marshal_join(list, 5, small, sizeof(small)));
	show_text("joined", small);
	printf("join none = %zu\n", marshal_join(NULL, 0, buffer, sizeof(buffer)));
	show_text("joined", buffer);
}

static void arrays(void)
{
	static const uint64_t values[] = {1, UINT64_C(1) << 63, UINT64_MAX};
	static const size_t sizes[] = {1, 2, (size_t)1 << 40};
	const uint64_t *given = marshal_static_values();
	uint64_t filled[2];

	printf("values = %" PRIu64 "\n", marshal_values(values, 3));
	printf("values NULL = %" PRIu64 "\n", marshal_values(NULL, 3));
	printf("sizes = %zu\n", marshal_sizes(sizes, 3));
	printf("fill = %d\n", marshal_fill(filled, 2));
	printf("filled = %" PRIu64 " %" PRIu64 "\n", filled[0], filled[1]);
	printf("fill NULL = %d\n", marshal_fill(NULL, 2));
	printf("static values = %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", given[0], given[1],
	       given[2]);
}

static void show_record(const char *what, const struct marshal_record *record)
{
	printf("%s = %s %s %s %" PRId32 " %" PRIu64 " %" PRId32 " %" PRIu32 " %u %s %" PRIu64 "\n",
	       what, record->text, record->texts[0], record->texts[2], record->numbers[2],
	       record->big, record->small, record->flags, record->half, record->name,
	       record->many[2]);
}

static void records(void)
{
	static const char *const list[] = {"x", "ÿ"};
	static const int32_t few[] = {-5, 5};
	struct marshal_record record = {
		.size = sizeof(record),
		.text = "ünï",
		.texts = list,
		.text_count = 2,
		.numbers = few,
		.number_count = 2,
		.big = UINT64_MAX - 1,
		.small = -2,
		.flags = UINT32_MAX - 1,
		.half = 65534,
		.name = "name",
		.many = {7, 8, UINT64_MAX - 2},
	};
	struct marshal_record out = {.size = sizeof(out)};
	char buffer[256];

	printf("record read = %d\n", marshal_record_read(&record, buffer, sizeof(buffer)));
	show_text("record", buffer);
	record = (struct marshal_record){.size = sizeof(record)};
	printf("record of zeros = %d\n", marshal_record_read(&record, buffer, sizeof(buffer)));
	show_text("record", buffer);
	record.size--;
	printf("record of wrong size = %d\n", marshal_record_read(&record, buffer, sizeof(buffer)));
	printf("record write = %d\n", marshal_record_write(&out));
	show_record("record", &out);
	show_record("static record", marshal_record_static());
}

static int32_t take_values(const char *text, uint64_t big, void *context)
{
	show_text("called with", text);
	printf("called with = %" PRIu64 ", context %d\n", big, *(int *)context);
	return -77;
}

static int32_t take_record(const struct marshal_record *record, void *context)
{
	printf("called with record = %" PRIu64 " %s, context %d\n", record->big, record->text,
	       *(int *)context);
	return record->big == 2 ? 42 : 0;
}

static void callbacks(void)
{
	int context = 1234;
	struct marshal_record record = {.size = sizeof(record),
					.text = "from a record",
					.function = take_values,
					.context = &context};

	printf("call = %d\n", marshal_call(take_values, &context, "größe", UINT64_MAX));
	printf("call = %d\n", marshal_call(take_values, &context, NULL, 0));
	printf("call of record = %d\n", marshal_call_record(&record, 1));
	record.function = NULL;
	printf("call of nothing = %d\n", marshal_call_record(&record, 1));
	printf("each of 2 = %d\n", marshal_each(take_record, &context, 2));
	printf("each of 9 = %d\n", marshal_each(take_record, &context, 9));
}

static void handles(void)
{
	struct marshal_box *box = NULL, *none = NULL;

	printf("box new = %d\n", marshal_box_new(UINT64_MAX, &box));
	printf("box value = %" PRIu64 "\n", marshal_box_value(box));
	printf("box set = %d\n", marshal_box_set(box, 5));
	printf("box inside = %" PRIu64 "\n", marshal_box_value(marshal_box_inside(box)));
	printf("box NULL = %" PRIu64 "\n", marshal_box_value(NULL));
	printf("box fail = %d, still NULL: %d\n", marshal_box_fail(&none), !none);
	show_text("message", marshal_error_last()->message);
	printf("boxes = %zu\n", marshal_boxes());
	marshal_box_free(box);
	marshal_box_free(NULL);
	printf("boxes = %zu\n", marshal_boxes());
}

static void failures(void)
{
	printf("fail = %d\n", marshal_fail(MARSHAL_FAILED, "schiefgegangen ✗"));
	printf("code = %d\n", marshal_error_last()->code);
	show_text("message", marshal_error_last()->message);
	printf("fail = %d\n", marshal_fail(INT32_MIN, ""));
	printf("code = %d\n", marshal_error_last()->code);
	show_text("message", marshal_error_last()->message);
}

int main(void)
{
	numbers();
	texts();
	arrays();
	records();
	callbacks();
	handles();
	failures();
	return 0;
}

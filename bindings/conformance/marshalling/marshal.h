/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * marshal.h - every way in which the public header passes values, in a library that does nothing
 * but give them back. Bindings of it are made like those of the public header, and needs no
 * privilege: what a language gets wrong between itself and C shows here, apart from all else.
 *
 * tests/bindings/marshalling.bats checks that no shape of parameter, result or field of the
 * public header is missing here.
 */
#ifndef MARSHAL_H
#define MARSHAL_H

#include <stddef.h>
#include <stdint.h>

#ifndef MARSHAL_API
#define MARSHAL_API __attribute__((visibility("default")))
#endif

#define MARSHAL_MANY 3
#define MARSHAL_LARGE 0xffffffffu
#define MARSHAL_GREETING "grüß dich"

/** What functions return. */
enum marshal_status { MARSHAL_OK = 0, MARSHAL_INVALID = -1, MARSHAL_FAILED = -9 };

/** The last failure on this thread. */
struct marshal_error {
	int32_t code;
	const char *message; /**< lives until the next failure */
};

struct marshal_record;

/** Takes a record. @return what marshal_each() shall return; 0 to go on. */
typedef int32_t (*marshal_record_fn)(const struct marshal_record *record, void *context);

/** Takes values of each kind. @return what marshal_call() shall return. */
typedef int32_t (*marshal_value_fn)(const char *text, uint64_t big, void *context);

/** Each kind of field; `size` is set by the caller. */
struct marshal_record {
	size_t size;
	const char *text;
	const char *const *texts; /**< text_count of them */
	size_t text_count;
	const int32_t *numbers; /**< number_count of them */
	size_t number_count;
	uint64_t big;
	int32_t small;
	uint32_t flags;
	uint16_t half;
	char name[10];
	uint64_t many[MARSHAL_MANY];
	marshal_value_fn function;
	void *context;
};

/** A handle. Opaque. */
struct marshal_box;

/** @return value. */
MARSHAL_API int32_t marshal_int32(int32_t value);
/** @return value. */
MARSHAL_API uint32_t marshal_uint32(uint32_t value);
/** @return value. */
MARSHAL_API uint64_t marshal_uint64(uint64_t value);
/** @return value. */
MARSHAL_API size_t marshal_size(size_t value);
/** @return value in thousandths. */
MARSHAL_API uint64_t marshal_double(double value);
/** @return a copy of text that lives until the next call; NULL for NULL. */
MARSHAL_API const char *marshal_text(const char *text);
/** Store a static text. @return 0 */
MARSHAL_API int32_t marshal_text_out(const char **text);
/** Join texts by '|'; NULL ones become "-". @return bytes of the whole, without the NUL. */
MARSHAL_API size_t marshal_join(const char *const *texts, size_t count, char *buffer,
				size_t length);
/** @return exclusive or of the values; 0 for NULL. */
MARSHAL_API uint64_t marshal_values(const uint64_t *values, size_t count);
/** @return sum of the values. */
MARSHAL_API size_t marshal_sizes(const size_t *values, size_t count);
/** Store 2^64-1, 2^64-2, … @return 0, or MARSHAL_INVALID for NULL. */
MARSHAL_API int32_t marshal_fill(uint64_t *values, size_t count);
/** @return MARSHAL_MANY values: 1, 2^53+1, 2^64-1; static. */
MARSHAL_API const uint64_t *marshal_static_values(void);

/** Write what the record has as one line. @return 0, or MARSHAL_INVALID for a wrong size. */
MARSHAL_API int32_t marshal_record_read(const struct marshal_record *record, char *buffer,
					size_t length);
/** Fill a record in. @return 0, or MARSHAL_INVALID for a wrong size. */
MARSHAL_API int32_t marshal_record_write(struct marshal_record *record);
/** @return what marshal_record_write() writes; static. */
MARSHAL_API const struct marshal_record *marshal_record_static(void);

/** Call a function with these values. @return what it returned. */
MARSHAL_API int32_t marshal_call(marshal_value_fn function, void *context, const char *text,
				 uint64_t big);
/** Call the function of a record. @return what it returned. */
MARSHAL_API int32_t marshal_call_record(const struct marshal_record *record, uint64_t big);
/** Call a function with records whose `big` is 0, 1, … @return the first non-zero answer, or 0. */
MARSHAL_API int32_t marshal_each(marshal_record_fn function, void *context, size_t count);

/** Make a box. @return 0 */
MARSHAL_API int32_t marshal_box_new(uint64_t value, struct marshal_box **out);
/** Make no box and leave *out as it was. @return MARSHAL_FAILED, always. */
MARSHAL_API int32_t marshal_box_fail(struct marshal_box **out);
/** Change the value. @return 0 */
MARSHAL_API int32_t marshal_box_set(struct marshal_box *box, uint64_t value);
/** @return the value; 0 for NULL. */
MARSHAL_API uint64_t marshal_box_value(const struct marshal_box *box);
/** @return the box itself, as something that belongs to it. */
MARSHAL_API const struct marshal_box *marshal_box_inside(const struct marshal_box *box);
/** @return how many boxes there are. */
MARSHAL_API size_t marshal_boxes(void);
/** Free a box; NULL is allowed. */
MARSHAL_API void marshal_box_free(struct marshal_box *box);

/** Fail. @return status, with "MESSAGE (STATUS)" as the message. */
MARSHAL_API int32_t marshal_fail(int32_t status, const char *message);
/** @return the record of this thread. */
MARSHAL_API const struct marshal_error *marshal_error_last(void);

#endif

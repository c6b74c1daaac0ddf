/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the tracing program and user space agree on: what is read of each probe, which hits
 * are kept, and how an event lies in the ring buffer.
 *
 * An event in the ring is a head, then the arguments as numbers, then texts (strings and byte
 * buffers) of a fixed size each, then the stack. Its size is fixed for an observer, with and
 * without texts, since the ring hands out room in sizes that the verifier knows.
 */
#ifndef UPM_BPF_TRACE_H
#define UPM_BPF_TRACE_H

#include <linux/types.h>

#include "upm_observe.h"
#include "upm_usdt.h"

#define UPM_TRACE_ARGUMENTS UPM_READ_ARGUMENTS_MAX
#define UPM_TRACE_CONDITIONS 8
#define UPM_TRACE_PATTERN 64 /* bytes of a string that a condition compares with, with its NUL */
#define UPM_TRACE_COMM 16

/* Which bytes an argument that is a pointer stands for. */
enum upm_text_source {
	UPM_TEXT_NONE = 0,
	UPM_TEXT_STRING = 1, /* up to the NUL */
	UPM_TEXT_BYTES = 2   /* as many as another argument says, or a constant */
};

#define UPM_TEXT_LENGTH_CONSTANT 0xff

struct upm_trace_text {
	__u8 source;	      /* enum upm_text_source */
	__u8 length_argument; /* number of the argument, or UPM_TEXT_LENGTH_CONSTANT */
	__u16 length;	      /* constant */
};

/* What a condition looks at, beside the number of an argument. */
enum upm_condition_subject { UPM_SUBJECT_RESULT = 0xfe, UPM_SUBJECT_DURATION = 0xff };

enum upm_comparison {
	UPM_IS_EQUAL = 0,
	UPM_IS_NOT_EQUAL = 1,
	UPM_IS_LESS = 2,
	UPM_IS_LESS_EQUAL = 3,
	UPM_IS_GREATER = 4,
	UPM_IS_GREATER_EQUAL = 5,
	UPM_HAS_BITS = 6, /* any of them */
	UPM_TEXT_IS_EQUAL = 7,
	UPM_TEXT_IS_NOT_EQUAL = 8,
	UPM_TEXT_BEGINS = 9
};

struct upm_trace_condition {
	__u8 subject;	 /* number of an argument, or enum upm_condition_subject */
	__u8 comparison; /* enum upm_comparison */
	__u8 is_signed;	 /* of < <= > >= */
	__u8 length;	 /* of text, bytes without the NUL */
	__u32 reserved;
	__u64 number;
	char text[UPM_TRACE_PATTERN];
};

/* What is read of a probe and kept; probes that agree in all of it share a list. */
struct upm_trace_list {
	struct upm_usdt_list arguments;
	struct upm_usdt_read result;
	struct upm_trace_text texts[UPM_TRACE_ARGUMENTS];
	struct upm_trace_condition conditions[UPM_TRACE_CONDITIONS];
	__u32 condition_count;
	__u32 text_count;
};

/* By number of the probe. */
struct upm_trace_probe {
	__u32 list;
	__u32 event; /* enum upm_event_kind */
};

_Static_assert(sizeof(struct upm_trace_text) == 4, "no padding: lists are compared as bytes");
_Static_assert(sizeof(struct upm_trace_condition) == 80, "no padding: lists are compared as bytes");
_Static_assert(sizeof(struct upm_trace_list) == 200 + 16 + 48 + 640 + 8,
	       "no padding: lists are compared as bytes");

#endif

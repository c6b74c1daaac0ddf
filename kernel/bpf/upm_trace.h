/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the tracing program and user space agree on: what is read of each probe, which hits
 * are kept, and how an event lies in the ring buffer.
 *
 * An event in the ring is a head, then the stack, the arguments as numbers, and texts (strings and
 * byte buffers) in slots of a fixed size each. Its size is fixed for an observer, with and without
 * texts, since the ring hands out room in sizes that the verifier knows.
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
#define UPM_TRACE_TEXT_MAX 4096 /* bytes of a text */

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

/* Of enum upm_event_kind. */
#define UPM_TRACE_EVENT_ENTRY 0
#define UPM_TRACE_EVENT_RETURN 1
#define UPM_TRACE_EVENT_CALL 3

/* By number of the probe. */
struct upm_trace_probe {
	__u32 list;
	__u16 event;	/* enum upm_event_kind */
	__u16 at_entry; /* of a function: the return address is where a call has put it */
};

/*
 * Counters of what became of hits: a column for each probe in each of these planes, one plane after
 * another in every row. A hit is counted in the first when it is in scope, and then in at most one
 * of the next three.
 */
enum upm_trace_plane {
	UPM_PLANE_HITS = 0,
	UPM_PLANE_FILTERED = 1,
	UPM_PLANE_LOST = 2,
	UPM_PLANE_EVENTS = 3,  /* counted with returns only: else it is what the others leave */
	UPM_PLANE_PASSED = 4,  /* counted with sampling only: hits that the filters let through */
	UPM_PLANE_REFUSED = 5, /* of those lost: there was no room in the table of calls */
	UPM_TRACE_PLANES = 6
};

/* Calls at one place: where the next one goes, modulo UPM_TRACE_CALLS_MAX, and how many there are
 * below. */
struct upm_trace_pile {
	__u32 top;
	__u32 count;
};

/*
 * An event in the ring: this head; where stacks are wanted the caller's address (of a function at
 * its entry, else 0) and config.stack_bytes of addresses; config.arguments numbers; and, in records
 * of config.full_size, config.texts slots of config.text_stride bytes. The head begins like struct
 * upm_event.
 */
struct upm_trace_record {
	__u64 time_ns;
	union {
		__u64 duration_ns;
		struct upm_trace_pile pile; /* of the first element of a place in upm_calls */
	};
	__u64 result;
	__u32 pid;
	__u32 tid;
	__u32 cpu;
	__u32 probe;
	char comm[UPM_TRACE_COMM];
	__u16 kind; /* enum upm_event_kind */
	__u16 argument_count;
	__u16 unreadable;
	__u16 truncated;
	__s32 stack_bytes; /* of addresses; negative: there is no stack */
	__u16 texts;	   /* bit i: the bytes of argument i are in the next slot */
	__u16 slots;	   /* in use */
};

/* Behind this, the bytes of a text. */
struct upm_trace_slot {
	__u32 length;
	__u32 reserved;
};

#define UPM_TRACE_CALLS_MAX 8 /* at one place */

/* Bytes of the smallest pages. The trampoline that the kernel returns to instead begins one. */
#define UPM_TRACE_PAGE 4096

/* By which a call is found again at its return. */
struct upm_trace_call {
	__u64 place; /* of the return address, or on aarch64 the stack pointer */
	__u32 thread;
	__u32 probe;
	__u32 number; /* of those at this place; the first has its pile */
	__u32 reserved;
};

/* What all CPUs share: the only element of a map. */
struct upm_trace_shared {
	__u64 rate;	     /* second of the clock (upper half) and events in it */
	__u64 calls_refused; /* because the table of calls had no room */
};

/* What conditions of the lists look at. */
enum upm_trace_conditions { UPM_CONDITIONS_ARGUMENTS = 1, UPM_CONDITIONS_OUTCOME = 2 };

/* Where the kernel's struct pt_regs has what programs look at, bytes. */
struct upm_registers_shape {
	__u32 size;
	__u32 instruction;
	__u32 stack;
	__u32 popped; /* bytes that a return takes from the stack: it has the return address */
	__u32 link;   /* the register that has it where the stack has not */
	__u32 reserved;
};

#define UPM_REGISTERS_MAX 272 /* bytes of struct pt_regs, as far as programs see it: aarch64 */

/* The .rodata of the programs: constants to the verifier, which drops what they switch off. */
struct upm_trace_config {
	struct upm_filter_config filter;
	struct upm_filter_config ids; /* how events number processes */
	struct upm_counters_shape counters;
	struct upm_registers_shape registers;
	__u32 probes;
	__u32 returns;	  /* calls are followed from entry to return */
	__u32 arguments;  /* numbers of a record */
	__u32 texts;	  /* slots of a record */
	__u32 text_bytes; /* most bytes of a text */
	__u32 text_stride;
	__u32 stack_bytes;
	__u32 numbers_offset;
	__u32 plain_size; /* bytes of a record without slots, which lie behind */
	__u32 full_size;
	__u32 wake_bytes; /* of events that wake the reader: a power of two */
	__u32 conditions; /* enum upm_trace_conditions, or-ed */
	__u32 sample;
	__u32 rate;
	__u32 selects_threads;
	__u32 selects_comm;
	char comm[UPM_TRACE_COMM];
};

_Static_assert(sizeof(struct upm_trace_text) == 4, "no padding: lists are compared as bytes");
_Static_assert(sizeof(struct upm_trace_condition) == 80, "no padding: lists are compared as bytes");
_Static_assert(sizeof(struct upm_trace_list) == 200 + 16 + 48 + 640 + 8,
	       "no padding: lists are compared as bytes");
_Static_assert(sizeof(struct upm_trace_record) == 72, "what follows is aligned");

#endif

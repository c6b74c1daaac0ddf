/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Where execution goes behind an instruction, and what the instruction changes. */
#ifndef UPM_JUDGE_FLOW_H
#define UPM_JUDGE_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "judge/insn.h"

enum upm_flow_kind {
	UPM_FLOW_ON,		/* to the next instruction, and nowhere else */
	UPM_FLOW_BRANCH,	/* to its target or on */
	UPM_FLOW_JUMP,		/* to its target */
	UPM_FLOW_CALL,		/* to its target, and on when that returns */
	UPM_FLOW_CALL_INDIRECT, /* somewhere, and on when that returns */
	UPM_FLOW_JUMP_POINTER,	/* to what a word in memory says, which is not on the stack */
	UPM_FLOW_JUMP_REGISTER, /* to what a register says: target is its number */
	UPM_FLOW_SYSTEM,	/* to the kernel, which may come back or not */
	UPM_FLOW_END,		/* it returns or ends the program */
	UPM_FLOW_UNKNOWN	/* it may go anywhere */
};

struct upm_flow {
	uint8_t length; /* bytes; 0 when it does not decode */
	uint8_t kind;	/* enum upm_flow_kind */
	bool near;	/* the target is told by one byte */
	int32_t target; /* of BRANCH, JUMP and CALL: bytes from the end of the instruction; of
			 * SYSTEM 1 for the instruction syscall */
};

/**
 * @param available  bytes of code; fewer than UPM_INSN_MAX only at the end of a segment
 * @return false when it does not decode, or the architecture is none that is followed
 */
bool upm_flow_of(const struct upm_insn_rules *rules, const uint8_t *code, size_t available,
		 struct upm_flow *flow);

/* Registers by number, as bits, and memory. */
#define UPM_STATE_RSP (1u << 4)
#define UPM_STATE_RBP (1u << 5)
/* rdi, rsi, rdx, rcx, r8, r9 */
#define UPM_STATE_ARGUMENTS (1u << 7 | 1u << 6 | 1u << 2 | 1u << 1 | 1u << 8 | 1u << 9)
#define UPM_STATE_REGISTERS 0xffffu
#define UPM_STATE_MEMORY (1u << 16) /* any but what a push writes below the stack pointer */

/** @return what the instruction may change, as bits; all of them when that is not known. */
uint32_t upm_state_changed(const struct upm_insn_rules *rules, const uint8_t *code,
			   size_t available);

/** @return whether it loads a word of memory that is not on the stack into this register. */
bool upm_loads_pointer(const uint8_t *code, unsigned int number);
/** @return whether it sets eax to a constant, which value receives. */
bool upm_sets_eax(const uint8_t *code, uint32_t *value);

/**
 * Look for what could be an instruction that leads to a place by four bytes of distance, or takes
 * its address. Wherever such an instruction may begin, it is found: bytes are looked at, not
 * instructions, so that no decoder has to be right about where they begin.
 * @param code    count + UPM_INSN_MAX bytes, of which the last may be anything
 * @param at      where to begin; receives what is behind the found one's first byte
 * @param place   receives what it leads to
 * @return false when none begins below count any more
 */
struct upm_far_place {
	int64_t distance; /* from code */
	bool called;
};
bool upm_far_reference(const uint8_t *code, size_t count, size_t *at, struct upm_far_place *place);

#endif

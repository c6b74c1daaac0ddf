/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Whether an instruction of a function's first block runs exactly once a call.
 *
 * The first instruction leads to the site in a straight line (block.h). What is left to show is
 * that nothing else leads to a place behind the first instruction, up to and including the site:
 *
 *  - A jump with four bytes of distance can come from anywhere in the file. All its code is looked
 *    through for bytes that could be one, wherever instructions begin (text.h). That covers parts
 * of the function that a compiler has put elsewhere (.cold), and what people write by hand.
 *  - A jump with one byte of distance begins within 143 bytes. What lies there is decoded; the code
 *    before the function from sixteen neighbouring bytes on, one of which is where an instruction
 *    begins: those who begin amiss fall into step with it long before they come near.
 *  - A jump through a register or memory can go anywhere in its function. So the function is
 *    decoded whole, with all that it jumps to outside itself unless that is another function, and
 *    refused when it has one. Within the function every jump has to land where an instruction
 *    begins: else what was decoded was not code.
 *  - No symbol begins there, and no lea takes an address there, so that nobody else knows of it.
 *
 * Sizes of symbols are what a file says. Those of functions that overlap could have the same bytes
 * decoded for thousands of them, so each prover has a budget.
 */
#ifndef UPM_PLACE_PROOF_H
#define UPM_PLACE_PROOF_H

#include "base/vector.h"
#include "place/text.h"

/* A function, and a site in it. */
struct upm_candidate {
	uint64_t entry; /* virtual address */
	uint64_t size;	/* bytes; 0 = not known */
	uint8_t site;	/* bytes from the entry */
};

/* A run of code that was decoded. */
struct upm_code_range {
	uint64_t first, end;
};

/* What proving needs; each thread has its own. */
struct upm_prover {
	const struct upm_text *text;
	struct upm_text_view view, elsewhere;
	UPM_VECTOR(uint64_t) targets; /* of the function's direct jumps */
	UPM_VECTOR(uint8_t) begins;   /* a bit for each byte of the function */
	UPM_VECTOR(struct upm_code_range) parts;
	UPM_VECTOR(struct upm_code_range) loads; /* from one of a pointer to the jump by it */
	uint64_t left; /* bytes that may yet be decoded, which honest files do not use up */
	bool out_of_memory;
	bool exhausted; /* the last proof was given up for want of them */
};

int upm_prover_open(struct upm_prover *prover, const struct upm_text *text);
/** @return whether the site sees the calls that the entry sees. Its text is surveyed. */
bool upm_prove(struct upm_prover *prover, const struct upm_candidate *candidate);
void upm_prover_close(struct upm_prover *prover);

#endif

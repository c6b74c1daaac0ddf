/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Instructions to ask the oracle about: generated ones, and those that real functions begin with.
 */
#ifndef UPM_TESTS_ORACLE_ENCODINGS_H
#define UPM_TESTS_ORACLE_ENCODINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENCODING_BYTES 16 /* of an instruction; zeros behind its end */

struct encodings {
	uint8_t (*items)[ENCODING_BYTES];
	size_t count;
	size_t capacity;
};

void encodings_add(struct encodings *all, const uint8_t *bytes, size_t count);
/** Sort, and remove what is there twice. */
void encodings_keep_distinct(struct encodings *all);
/** Keep one of so many neighbours, each time another one of them. */
void encodings_thin_out(struct encodings *all, size_t neighbours);

/** Opcodes of every map with every kind of prefix, impossible ones too. */
void encodings_add_generated(struct encodings *all);

/** The opcode space as a whole, and random bytes until there are so many distinct ones. */
void encodings_add_wide(struct encodings *all, size_t wanted);

/** The first instruction of every function of the large x86-64 binaries of this machine; with
 *  everything, of all its programs and libraries.
 *  @return how many binaries there are */
size_t encodings_add_binaries(struct encodings *all, bool everything);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * A hash for what others wrote: names, addresses and lists out of files.
 *
 * Who knows how a table hashes can write a file whose names all meet in one slot, and looking at
 * them takes the square of their number. So the hash has a key that differs from process to
 * process: SipHash (Aumasson and Bernstein, 2012), with one round for a word and three at the end.
 */
#ifndef UPM_BASE_HASH_H
#define UPM_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct upm_hash_key {
	uint64_t words[2];
};

/** The key of this process, which it got when it was executed. */
struct upm_hash_key upm_hash_key(void);

uint64_t upm_hash(struct upm_hash_key key, const void *bytes, size_t size);

#endif

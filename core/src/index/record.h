/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* An answer as it lies in its file: header, probes, details, aliases, texts of reasons. */
#ifndef UPM_INDEX_RECORD_H
#define UPM_INDEX_RECORD_H

#include "index/index.h"

struct upm_index_header {
	struct upm_index_key key;
	uint64_t probes, details, aliases,
		text_size; /* text_size in bytes, with a NUL at the end */
	uint64_t sample;   /* of the file that the answer is about: sample.h */
	uint64_t checksum; /* of all that follows */
};

struct upm_index_detail {
	uint32_t first_alias, alias_count;
	uint32_t reason; /* where its text begins, plus 1; 0 = none */
	uint32_t unranked;
};

/* A sum that a torn or damaged file does not have. */
static inline uint64_t upm_index_checksum(uint64_t sum, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	for (; size >= sizeof(uint64_t); size -= sizeof(uint64_t), bytes += sizeof(uint64_t)) {
		uint64_t word;

		__builtin_memcpy(&word, bytes, sizeof(word));
		sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		sum ^= sum >> 29;
	}
	while (size--)
		sum = (sum ^ *bytes++) * UINT64_C(0x9e3779b97f4a7c15);
	return sum;
}

#endif

// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Direct jumps, calls and branches with four bytes of distance, lea of a place near the
 * instruction pointer, and xbegin: wherever they may begin.
 *
 * Most bytes begin none of them, so sixteen are looked at together.
 */
#include <string.h>

#include "judge/flow.h"

#define BLOCK 16

#if defined(__SSE2__)
#include <emmintrin.h>

/* A bit for each byte that one of them can begin with. */
static unsigned int openers(const uint8_t *code)
{
	const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)code);
	/* e8 and e9 differ in the last bit */
	__m128i found =
		_mm_cmpeq_epi8(_mm_or_si128(bytes, _mm_set1_epi8(1)), _mm_set1_epi8((char)0xe9));

	found = _mm_or_si128(found, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x0f)));
	found = _mm_or_si128(found, _mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)0x8d)));
	found = _mm_or_si128(found, _mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)0xc7)));
	return (unsigned int)_mm_movemask_epi8(found);
}
#else
static unsigned int openers(const uint8_t *code)
{
	unsigned int found = 0;

	for (unsigned int i = 0; i < BLOCK; i++)
		if ((code[i] | 1) == 0xe9 || code[i] == 0x0f || code[i] == 0x8d || code[i] == 0xc7)
			found |= 1u << i;
	return found;
}
#endif

/* @return bytes before the distance; 0 when it is none of them */
static size_t opcode_bytes(const uint8_t *code)
{
	switch (code[0]) {
	case 0xe8:
	case 0xe9:
		return 1;
	case 0x0f:
		return (code[1] & 0xf0) == 0x80 ? 2 : 0;
	case 0x8d:
		return (code[1] & 0xc7) == 0x05 ? 2 : 0;
	default:
		return code[1] == 0xf8 ? 2 : 0;
	}
}

static bool refers(const uint8_t *code, size_t at, struct upm_far_place *place)
{
	size_t before = opcode_bytes(code + at);
	int32_t distance;

	if (!before)
		return false;
	memcpy(&distance, code + at + before, sizeof(distance));
	place->distance = (int64_t)(at + before + sizeof(distance)) + distance;
	place->called = code[at] == 0xe8;
	return true;
}

bool upm_far_reference(const uint8_t *code, size_t count, size_t *at, struct upm_far_place *place)
{
	size_t block = *at & ~(size_t)(BLOCK - 1);
	unsigned int skip = (1u << *at % BLOCK) - 1;

	for (; block < count; block += BLOCK, skip = 0) {
		unsigned int found = openers(code + block) & ~skip;

		for (; found; found &= found - 1) {
			size_t byte = block + (size_t)__builtin_ctz(found);

			if (byte >= count)
				break;
			if (refers(code, byte, place)) {
				*at = byte + 1;
				return true;
			}
		}
	}
	return false;
}

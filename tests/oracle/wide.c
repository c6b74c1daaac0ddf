// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The opcode space as a whole, for long runs: every order of up to two legacy prefixes before
 * opcodes of each map, with REX and without; every modrm byte of the four legacy maps; VEX, XOP,
 * EVEX and REX2 in the maps that their prefixes can name, also in some that no processor has. What
 * is still wanted then is random bytes behind random prefixes.
 */
#include "support.h"

#include <string.h>

#include "oracle/encodings.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct start {
	uint8_t bytes[ENCODING_BYTES];
	size_t length;
};

static void put(struct start *start, const void *bytes, size_t count)
{
	memcpy(start->bytes + start->length, bytes, count);
	start->length += count;
}

static void put_byte(struct start *start, unsigned byte)
{
	start->bytes[start->length++] = byte;
}

/* Every opcode with this modrm byte, a SIB byte and a displacement. */
static void add_opcodes(struct encodings *all, const struct start *start, unsigned modrm)
{
	for (unsigned opcode = 0; opcode < 256; opcode++) {
		struct start insn = *start;

		put_byte(&insn, opcode);
		put_byte(&insn, modrm);
		put(&insn, "\x24\x08", 2);
		encodings_add(all, insn.bytes, insn.length);
	}
}

static const struct start maps[] = {
	{"", 0},
	{"\x0f", 1},
	{"\x0f\x38", 2},
	{"\x0f\x3a", 2},
};

#define REXES 5

/* The first so many kinds of REX. */
static void add_legacy_maps(struct encodings *all, const struct start *prefixes, size_t kinds)
{
	static const struct start rexes[REXES] = {
		{"", 0}, {"\x48", 1}, {"\x40", 1}, {"\x41", 1}, {"\x4f", 1},
	};

	for (size_t rex = 0; rex < kinds; rex++) {
		for (size_t map = 0; map < COUNT(maps); map++) {
			struct start start = *prefixes;

			put(&start, rexes[rex].bytes, rexes[rex].length);
			put(&start, maps[map].bytes, maps[map].length);
			add_opcodes(all, &start, 0xc1);
			if (kinds == REXES)
				add_opcodes(all, &start, 0x44);
		}
	}
}

static void add_legacy(struct encodings *all)
{
	static const uint8_t prefixes[] = {0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x26,
					   0x2e, 0x36, 0x3e, 0x64, 0x65};
	struct start none = {.length = 0};

	add_legacy_maps(all, &none, REXES);
	for (size_t i = 0; i < COUNT(prefixes); i++) {
		struct start one = {{prefixes[i]}, 1};

		add_legacy_maps(all, &one, REXES);
		for (size_t j = 0; j < COUNT(prefixes); j++) {
			struct start two = {{prefixes[i], prefixes[j]}, 2};

			add_legacy_maps(all, &two, 2);
		}
	}
	for (size_t map = 0; map < COUNT(maps); map++)
		for (unsigned modrm = 0; modrm < 256; modrm++)
			add_opcodes(all, &maps[map], modrm);
}

/* The three-byte form: maps, both ends of vvvv, all of W, L and pp. */
static void add_three_bytes(struct encodings *all, uint8_t escape, uint8_t inverted)
{
	static const uint8_t numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 15, 16, 31};

	for (size_t i = 0; i < COUNT(numbers); i++) {
		unsigned map = numbers[i];

		for (unsigned last = 0; last < 16; last++) {
			unsigned bits = (last & 8) << 4 | (last & 7);
			struct start full = {{escape, inverted | map, 0x78 | bits}, 3};
			struct start empty = {{escape, inverted | map, bits}, 3};

			add_opcodes(all, &full, 0xc1);
			add_opcodes(all, &empty, 0x44);
		}
	}
}

static void add_evex(struct encodings *all)
{
	static const uint8_t last[] = {0x48, 0x08, 0x28, 0xc9};

	for (unsigned map = 0; map < 16; map++) {
		for (unsigned middle = 0; middle < 8; middle++) {
			unsigned bits = (middle & 4) << 5 | (middle & 3);

			for (size_t i = 0; i < COUNT(last); i++) {
				struct start start = {{0x62, 0xf0 | map, 0x7c | bits, last[i]}, 4};

				add_opcodes(all, &start, 0xc1);
			}
		}
	}
}

static void add_second_bytes(struct encodings *all, uint8_t escape)
{
	for (unsigned second = 0; second < 256; second++) {
		struct start start = {{escape, second}, 2};

		add_opcodes(all, &start, 0xc1);
	}
}

static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 33;
}

static void add_random(struct encodings *all, size_t count, uint64_t *state)
{
	static const uint8_t prefixes[] = {0x66, 0x67, 0xf2, 0xf3, 0x64, 0x65, 0x48, 0x0f,
					   0xc4, 0xc5, 0x62, 0x41, 0x40, 0xd5, 0x8f, 0xf0};

	while (count--) {
		uint8_t bytes[ENCODING_BYTES];
		size_t prefixed = next_random(state) % 4;

		for (size_t i = 0; i < ENCODING_BYTES; i++)
			bytes[i] = i < prefixed ? prefixes[next_random(state) % COUNT(prefixes)]
						: next_random(state);
		encodings_add(all, bytes, ENCODING_BYTES);
	}
}

void encodings_add_wide(struct encodings *all, size_t wanted)
{
	uint64_t random = 1;

	add_legacy(all);
	add_three_bytes(all, 0xc4, 0xe0);
	add_three_bytes(all, 0x8f, 0xe0);
	add_second_bytes(all, 0xc5);
	add_second_bytes(all, 0xd5);
	add_evex(all);
	encodings_keep_distinct(all);
	while (all->count < wanted) {
		add_random(all, wanted - all->count, &random);
		encodings_keep_distinct(all);
	}
}

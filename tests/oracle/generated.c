// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Generated instructions, and what keeps them apart. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "oracle/encodings.h"

void encodings_add(struct encodings *all, const uint8_t *bytes, size_t count)
{
	if (all->count == all->capacity) {
		all->capacity = all->capacity ? all->capacity * 2 : 4096;
		all->items = realloc(all->items, all->capacity * ENCODING_BYTES);
		assert_non_null(all->items);
	}
	memset(all->items[all->count], 0, ENCODING_BYTES);
	memcpy(all->items[all->count++], bytes, count < ENCODING_BYTES ? count : ENCODING_BYTES);
}

static int compare_encodings(const void *left, const void *right)
{
	return memcmp(left, right, ENCODING_BYTES);
}

void encodings_keep_distinct(struct encodings *all)
{
	size_t kept = 0;

	if (!all->count)
		return;
	qsort(all->items, all->count, ENCODING_BYTES, compare_encodings);
	for (size_t i = 1; i < all->count; i++)
		if (memcmp(all->items[kept], all->items[i], ENCODING_BYTES) != 0)
			memmove(all->items[++kept], all->items[i], ENCODING_BYTES);
	all->count = kept + 1;
}

void encodings_thin_out(struct encodings *all, size_t neighbours)
{
	size_t kept = 0;

	for (size_t at = 0; at < all->count; kept++, at = kept * neighbours + kept % neighbours)
		memmove(all->items[kept], all->items[at], ENCODING_BYTES);
	all->count = kept;
}

/* Add every start followed by every opcode followed by every modrm byte and an operand. */
struct family {
	const char *const *starts; /* hexadecimal; ends with NULL */
	const char *modrms;
};

static void add_opcodes(struct encodings *all, const uint8_t *start, size_t length,
			const char *modrms)
{
	uint8_t modrm[16], bytes[32] = {0};
	size_t modrm_count = test_from_hex(modrms, modrm);

	memcpy(bytes, start, length);
	for (unsigned int opcode = 0; opcode < 256; opcode++) {
		bytes[length] = opcode;
		for (size_t i = 0; i < modrm_count; i++) {
			bytes[length + 1] = modrm[i];
			bytes[length + 2] = 0x24;
			encodings_add(all, bytes, length + 3);
		}
	}
}

static void add_family(struct encodings *all, const struct family *family)
{
	uint8_t start[16];

	for (const char *const *hex = family->starts; *hex; hex++)
		add_opcodes(all, start, test_from_hex(*hex, start), family->modrms);
}

static void add_legacy(struct encodings *all)
{
	static const char *const one_byte[] = {"",	"66",	 "67",		"f2", "f3", "f0",
					       "26",	"2e",	 "36",		"3e", "64", "65",
					       "66 f3", "f2 66", "64 65 66 67", NULL};
	static const char *const rex[] = {"40", "41",	 "44",	  "48",	   "49",
					  "4f", "66 48", "f3 41", "48 66", NULL};
	static const char *const two_bytes[] = {
		"0f",	 "66 0f", "f2 0f",    "f3 0f",	  "f0 0f",    "3e 0f", "64 0f",
		"67 0f", "48 0f", "f2 48 0f", "66 41 0f", "66 64 0f", NULL};
	static const char *const three_bytes[] = {
		"0f 38",       "66 0f 38",    "f2 0f 38", "f3 0f 38", "f0 0f 38",
		"66 48 0f 38", "0f 3a",	      "66 0f 3a", "f2 0f 3a", "f3 0f 3a",
		"2e 0f 3a",    "66 48 0f 3a", NULL};
	static const struct family families[] = {
		{one_byte, "05 44 84 c0 d0 f8"},
		{rex, "05 44 d0"},
		{two_bytes, "05 44 d0"},
		{three_bytes, "44 d0"},
	};

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		add_family(all, &families[i]);
}

static void add_vector(struct encodings *all)
{
	static const char *const modrms = "d1 14";
	uint8_t start[4];

	for (unsigned int implied = 0; implied < 4; implied++) {
		add_opcodes(all, (uint8_t[]){0xc5, 0xf8 | implied}, 2, "c1 c9 d1 d9 f9 05 14");
		for (unsigned int map = 0; map < 9; map++) {
			memcpy(start, (uint8_t[]){0xc4, 0xe0 | map, 0x78 | implied}, 3);
			add_opcodes(all, start, 3, modrms);
			start[2] |= 0x84; /* W and L */
			add_opcodes(all, start, 3, "c1");
		}
		for (unsigned int map = 0; map < 8; map++) {
			memcpy(start, (uint8_t[]){0x62, 0xf0 | map, 0x7c | implied, 0x48}, 4);
			add_opcodes(all, start, 4, modrms);
			start[2] |= 0x80;
			add_opcodes(all, start, 4, "c1");
		}
	}
}

static void add_odd_ones(struct encodings *all)
{
	static const char *const odd[] = {"26 2e 36 3e",    "f0 64 65 66", "64 65 66 67 f2",
					  "64 65 66 67 f0", "d5 00",	   "d5 80",
					  "8f e8 78",	    "66 c5 f8",	   "48 c5 f8",
					  "c5 40",	    "c4 21 78",	   NULL};
	static const struct family family = {odd, "00 c0 d0"};
	uint8_t bytes[ENCODING_BYTES];
	uint32_t random = 1;

	add_family(all, &family);
	for (size_t prefixes = 1; prefixes <= ENCODING_BYTES; prefixes++) {
		memset(bytes, 0x66, sizeof(bytes));
		if (prefixes < ENCODING_BYTES)
			memcpy(bytes + prefixes, "\x48\x89\xc0",
			       3 < ENCODING_BYTES - prefixes ? 3 : ENCODING_BYTES - prefixes);
		encodings_add(all, bytes, ENCODING_BYTES);
	}
	for (int round = 0; round < 60000; round++) {
		for (size_t i = 0; i < ENCODING_BYTES; i++)
			bytes[i] = (random = random * 1664525 + 1013904223) >> 24;
		encodings_add(all, bytes, ENCODING_BYTES);
	}
}

void encodings_add_generated(struct encodings *all)
{
	add_legacy(all);
	add_vector(all);
	add_odd_ones(all);
}

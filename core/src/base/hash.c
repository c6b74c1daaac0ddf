/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "base/hash.h"

#include <endian.h>
#include <string.h>
#include <sys/auxv.h>

struct state {
	uint64_t v[4];
};

struct upm_hash_key upm_hash_key(void)
{
	/* 16 bytes that the kernel drew for this program: getauxval(3). */
	const void *drawn = (const void *)getauxval(AT_RANDOM);
	struct upm_hash_key key = {{0}};

	if (drawn)
		memcpy(&key, drawn, sizeof(key));
	return key;
}

static uint64_t rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static void turn(struct state *state)
{
	uint64_t *v = state->v;

	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

static void take(struct state *state, uint64_t word)
{
	state->v[3] ^= word;
	turn(state);
	state->v[0] ^= word;
}

static uint64_t word_of(const uint8_t *bytes, size_t size)
{
	uint64_t word = 0;

	memcpy(&word, bytes, size);
	return le64toh(word);
}

uint64_t upm_hash(struct upm_hash_key key, const void *data, size_t size)
{
	const uint8_t *bytes = data;
	size_t left = size;
	struct state state = {{
		key.words[0] ^ UINT64_C(0x736f6d6570736575),
		key.words[1] ^ UINT64_C(0x646f72616e646f6d),
		key.words[0] ^ UINT64_C(0x6c7967656e657261),
		key.words[1] ^ UINT64_C(0x7465646279746573),
	}};

	for (; left >= sizeof(uint64_t); left -= sizeof(uint64_t), bytes += sizeof(uint64_t))
		take(&state, word_of(bytes, sizeof(uint64_t)));
	take(&state, word_of(bytes, left) | (uint64_t)size << 56);
	state.v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		turn(&state);
	return state.v[0] ^ state.v[1] ^ state.v[2] ^ state.v[3];
}

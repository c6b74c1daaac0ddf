/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "base/intern.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 64

void upm_intern_open(struct upm_intern *intern, size_t size)
{
	*intern = (struct upm_intern){.size = size, .key = upm_hash_key()};
}

void upm_intern_open_texts(struct upm_intern *intern)
{
	upm_intern_open(intern, sizeof(const char *));
	intern->texts = true;
}

void *upm_intern_item(const struct upm_intern *intern, size_t number)
{
	return intern->bytes.items + number * intern->size;
}

static uint64_t hash_of(const struct upm_intern *intern, const void *item)
{
	const char *text;

	if (!intern->texts)
		return upm_hash(intern->key, item, intern->size);
	text = *(const char *const *)item;
	return upm_hash(intern->key, text, strlen(text));
}

static bool are_equal(const struct upm_intern *intern, const void *a, const void *b)
{
	if (!intern->texts)
		return memcmp(a, b, intern->size) == 0;
	return strcmp(*(const char *const *)a, *(const char *const *)b) == 0;
}

/* The slot that an item has, or would have. */
static uint32_t *slot_of(const struct upm_intern *intern, const void *item)
{
	size_t mask = intern->slot_count - 1;
	size_t at = hash_of(intern, item) & mask;

	while (intern->slots[at] &&
	       !are_equal(intern, upm_intern_item(intern, intern->slots[at] - 1), item))
		at = (at + 1) & mask;
	return &intern->slots[at];
}

/* At most half of the slots are used. */
static bool make_slots(struct upm_intern *intern)
{
	uint32_t *old = intern->slots;
	size_t count = intern->slot_count ? intern->slot_count * 2 : FIRST_SLOTS;

	if (intern->count * 2 < intern->slot_count)
		return true;
	intern->slots = calloc(count, sizeof(*intern->slots));
	if (!intern->slots) {
		intern->slots = old;
		return false;
	}
	intern->slot_count = count;
	for (size_t i = 0; i < intern->count; i++)
		*slot_of(intern, upm_intern_item(intern, i)) = (uint32_t)i + 1;
	free(old);
	return true;
}

bool upm_intern_add(struct upm_intern *intern, const void *item, uint32_t *number)
{
	uint32_t *slot;

	if (!make_slots(intern) || !upm_vector_reserve(&intern->bytes, intern->size))
		return false;
	slot = slot_of(intern, item);
	if (!*slot) {
		memcpy(intern->bytes.items + intern->bytes.count, item, intern->size);
		intern->bytes.count += intern->size;
		*slot = (uint32_t)++intern->count;
	}
	*number = *slot - 1;
	return true;
}

bool upm_intern_add_text(struct upm_intern *texts, const char *text, bool *added)
{
	size_t before = texts->count;
	uint32_t number;

	if (!upm_intern_add(texts, &text, &number))
		return false;
	*added = texts->count > before;
	return true;
}

bool upm_intern_has(const struct upm_intern *intern, const void *item)
{
	return intern->slot_count && *slot_of(intern, item);
}

void upm_intern_close(struct upm_intern *intern)
{
	upm_vector_clear(&intern->bytes);
	free(intern->slots);
	intern->slots = NULL;
	intern->slot_count = intern->count = 0;
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Items of one size, of which equal ones are kept once and have one number. */
#ifndef UPM_BASE_INTERN_H
#define UPM_BASE_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/vector.h"

struct upm_intern {
	size_t size; /* bytes of an item */
	bool texts;  /* items are pointers to strings, and equal when these are */
	struct upm_hash_key key;
	size_t count;
	UPM_VECTOR(uint8_t) bytes;
	uint32_t *slots; /* number of an item + 1; 0 = none */
	size_t slot_count;
};

void upm_intern_open(struct upm_intern *intern, size_t size);
/** Of strings, which stay where they are as long as this does: an item is a const char *. */
void upm_intern_open_texts(struct upm_intern *intern);
/**
 * The number of an item: that of an equal one, or the next. Padding counts.
 * @return false when out of memory
 */
bool upm_intern_add(struct upm_intern *intern, const void *item, uint32_t *number);
/**
 * Add a string.
 * @param added  receives whether there was none that is equal
 * @return false when out of memory
 */
bool upm_intern_add_text(struct upm_intern *texts, const char *text, bool *added);
bool upm_intern_has(const struct upm_intern *intern, const void *item);
/** @return item number 0 … count-1; valid until the next is added. */
void *upm_intern_item(const struct upm_intern *intern, size_t number);
/** Free all; it is empty then. */
void upm_intern_close(struct upm_intern *intern);

#endif

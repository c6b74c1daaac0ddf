/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The C types that signatures are made of, by name. */
#ifndef UPM_TRACE_C_TYPE_H
#define UPM_TRACE_C_TYPE_H

#include <stdbool.h>
#include <stdint.h>

struct upm_c_type {
	const char *name;
	uint8_t form; /* enum upm_form */
	uint8_t width;
};

/** @return the scalar type of this name, its words in any order and with single blanks; or NULL. */
const struct upm_c_type *upm_c_type_find(const char *words);
/** @return whether a type can consist of, or begin with, this word. */
bool upm_c_type_has_word(const char *word);
/** @return whether the words name single bytes, of which a buffer is made. */
bool upm_c_type_is_byte(const char *words);

#endif

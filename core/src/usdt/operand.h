/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Private to usdt/: what the grammars of the machines share. */
#ifndef UPM_USDT_OPERAND_H
#define UPM_USDT_OPERAND_H

#include "usdt/argument.h"

/* The text of one operand that is still to be read, and the argument that it describes. */
struct upm_usdt_operand {
	const char *at, *end;
	uint8_t word; /* bytes of an address and of a general register */
	upm_usdt_symbol_fn symbol;
	void *context;
	struct upm_usdt_argument *argument; /* size 0: the operand decides */
};

/* A sum of numbers and of at most one symbol: "sym", "8+16", "-4+sym@tpoff". */
struct upm_usdt_sum {
	uint64_t number;
	const char *symbol;  /* with its suffix; NULL = none */
	size_t length, stem; /* of the symbol with and without its relocation */
};

extern const char upm_usdt_not_understood[], upm_usdt_no_symbol[], upm_usdt_relocated[],
	upm_usdt_vector[], upm_usdt_too_wide[];

/** The argument can not be read. @return false */
bool upm_usdt_refuse(struct upm_usdt_operand *operand, const char *reason);
/** Pass over blanks. @return whether the operand ends there. */
bool upm_usdt_at_end(struct upm_usdt_operand *operand);
/** Pass over blanks and, if it comes next, over c. @return whether it did. */
bool upm_usdt_accept(struct upm_usdt_operand *operand, char c);
/** Take a word of letters and digits. @return its length, with *word at its begin */
size_t upm_usdt_word(struct upm_usdt_operand *operand, const char **word);
/** @return whether a word is this text, in whatever case */
bool upm_usdt_is(const char *word, size_t length, const char *text);
/** Take a sum. @return false when there is none or it is wrong (refused). */
bool upm_usdt_sum(struct upm_usdt_operand *operand, struct upm_usdt_sum *sum);
/** The value of a sum, by asking for its symbol. @return false when that is unknown (refused). */
bool upm_usdt_value(struct upm_usdt_operand *operand, const struct upm_usdt_sum *sum,
		    int64_t *value);
/** The rest of the operand is a sum that is the argument's value. */
void upm_usdt_constant(struct upm_usdt_operand *operand);
/** The argument is what stands at a register. @param width of the name, bytes */
void upm_usdt_register(struct upm_usdt_operand *operand, uint16_t offset, uint8_t width);

/** Read the whole operand; what can not be read is refused. */
void upm_usdt_operand_x86(struct upm_usdt_operand *operand);
void upm_usdt_operand_aarch64(struct upm_usdt_operand *operand);

#endif

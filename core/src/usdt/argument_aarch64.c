/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Operands of AArch64, as a compiler puts them in place of %[operand]:
 *
 *     10, #10                           a constant
 *     x0 w0 sp fp lr xzr                a register
 *     [x0] [x0, 8] [x0, #8]             memory
 *     [x0, x1] [x0, x1, lsl 3]          memory with an index
 *     [x0, #:lo12:sym+4]                memory whose page is in the register
 *     sym+4                             memory at an address of this file
 *
 * Blanks may stand within the brackets. The zero register is a constant.
 */
#include "usdt/operand.h"

#include <string.h>
#include <strings.h>

static const char narrow_index[] = "the index is a part of a register";
static const char changes_base[] = "the operand changes its base register";
static const char zero_base[] = "the zero register is no address";

/* Offsets in struct user_pt_regs. */
enum { SP = 248, FP = 29 * 8, LR = 30 * 8, PAGE = 4096 };

struct machine_register {
	uint16_t offset;
	uint8_t width; /* bytes */
	bool zero, vector;
};

/* @return the number behind the first letter, or limit */
static unsigned number_of(const char *word, size_t length, unsigned limit)
{
	unsigned number = 0;

	if (length < 2 || length > 3 || (length == 3 && word[1] == '0'))
		return limit;
	for (size_t i = 1; i < length; i++) {
		if (word[i] < '0' || word[i] > '9')
			return limit;
		number = 10 * number + (unsigned)(word[i] - '0');
	}
	return number < limit ? number : limit;
}

static bool find_named(const char *word, size_t length, struct machine_register *found)
{
	static const struct {
		const char *name;
		struct machine_register is;
	} named[] = {
		{"sp", {SP, 8, false, false}}, {"wsp", {SP, 4, false, false}},
		{"fp", {FP, 8, false, false}}, {"lr", {LR, 8, false, false}},
		{"xzr", {0, 8, true, false}},  {"wzr", {0, 4, true, false}},
	};

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		if (upm_usdt_is(word, length, named[i].name)) {
			*found = named[i].is;
			return true;
		}
	}
	return false;
}

static bool find_register(const char *word, size_t length, struct machine_register *found)
{
	memset(found, 0, sizeof(*found));
	if (find_named(word, length, found))
		return true;
	if (length && strchr("xXwW", word[0]) && number_of(word, length, 31) < 31) {
		found->offset = (uint16_t)(8 * number_of(word, length, 31));
		found->width = strchr("xX", word[0]) ? 8 : 4;
		return true;
	}
	found->vector =
		length && strchr("bhsdqvzBHSDQVZ", word[0]) && number_of(word, length, 32) < 32;
	return found->vector;
}

/* The base has been taken: what is added to it. @return whether a sum was read */
static bool take_displacement(struct upm_usdt_operand *operand, struct upm_usdt_argument *argument)
{
	static const char low[] = ":lo12:";
	struct upm_usdt_sum sum;
	bool page = false;

	upm_usdt_accept(operand, '#');
	if ((size_t)(operand->end - operand->at) >= strlen(low) &&
	    strncasecmp(operand->at, low, strlen(low)) == 0) {
		operand->at += strlen(low);
		page = true;
	}
	if (!upm_usdt_sum(operand, &sum))
		return false;
	if (page != (sum.symbol != NULL) || sum.stem != sum.length)
		return upm_usdt_refuse(operand, upm_usdt_relocated);
	if (!upm_usdt_value(operand, &sum, &argument->value))
		return false;
	if (page)
		argument->value &= PAGE - 1;
	argument->place = UPM_USDT_MEMORY;
	return true;
}

/* "lsl 3" behind the index; sxtx is the same for an index that is a whole register. */
static bool take_shift(struct upm_usdt_operand *operand, struct upm_usdt_argument *argument)
{
	const char *word;
	size_t length;
	struct upm_usdt_sum shift = {0};

	upm_usdt_at_end(operand);
	length = upm_usdt_word(operand, &word);
	if (!upm_usdt_is(word, length, "lsl") && !upm_usdt_is(word, length, "sxtx"))
		return upm_usdt_refuse(operand, upm_usdt_not_understood);
	upm_usdt_accept(operand, '#');
	if (!upm_usdt_at_end(operand) && *operand->at != ']' && !upm_usdt_sum(operand, &shift))
		return false;
	if (shift.symbol || shift.number > 3)
		return upm_usdt_refuse(operand, upm_usdt_not_understood);
	argument->scale = (uint8_t)shift.number;
	return true;
}

static bool take_index(struct upm_usdt_operand *operand, const struct machine_register *index,
		       struct upm_usdt_argument *argument)
{
	if (index->width != 8)
		return upm_usdt_refuse(operand, narrow_index);
	if (upm_usdt_accept(operand, ',') && !take_shift(operand, argument))
		return false;
	if (index->zero)
		argument->scale = 0;
	argument->place = index->zero ? UPM_USDT_MEMORY : UPM_USDT_INDEXED;
	argument->has_base = !index->zero;
	argument->index = index->offset;
	return true;
}

/* What follows "[base,": an index register, or else a displacement. */
static bool take_rest(struct upm_usdt_operand *operand, struct upm_usdt_argument *argument)
{
	const char *word, *begin;
	struct machine_register index;
	size_t length;

	upm_usdt_at_end(operand);
	begin = operand->at;
	length = upm_usdt_word(operand, &word);
	if (find_register(word, length, &index) && !index.vector && index.offset != SP)
		return take_index(operand, &index, argument);
	operand->at = begin;
	return take_displacement(operand, argument);
}

static bool take_base(struct upm_usdt_operand *operand, struct upm_usdt_argument *argument)
{
	const char *word;
	struct machine_register base;
	size_t length;

	upm_usdt_at_end(operand);
	length = upm_usdt_word(operand, &word);
	if (!find_register(word, length, &base) || base.vector || base.width != 8)
		return upm_usdt_refuse(operand, upm_usdt_not_understood);
	if (base.zero)
		return upm_usdt_refuse(operand, zero_base);
	argument->place = UPM_USDT_MEMORY;
	argument->base = base.offset;
	return true;
}

/* The left bracket has been taken. */
static void read_memory(struct upm_usdt_operand *operand)
{
	struct upm_usdt_argument *argument = operand->argument;

	if (!take_base(operand, argument) ||
	    (upm_usdt_accept(operand, ',') && !take_rest(operand, argument)))
		return;
	if (!upm_usdt_accept(operand, ']'))
		upm_usdt_refuse(operand, upm_usdt_not_understood);
	else if (!upm_usdt_at_end(operand))
		upm_usdt_refuse(operand, *operand->at == '!' || *operand->at == ','
						 ? changes_base
						 : upm_usdt_not_understood);
	else if (!argument->size)
		argument->size = operand->word;
}

static void read_register(struct upm_usdt_operand *operand, const struct machine_register *found)
{
	struct upm_usdt_argument *argument = operand->argument;

	if (found->vector) {
		argument->is_float = true;
		upm_usdt_refuse(operand, upm_usdt_vector);
		return;
	}
	upm_usdt_register(operand, found->offset, found->width);
	if (found->zero && argument->place == UPM_USDT_REGISTER)
		argument->place = UPM_USDT_CONSTANT;
}

static void read_symbol(struct upm_usdt_operand *operand)
{
	struct upm_usdt_sum sum;

	if (!upm_usdt_sum(operand, &sum))
		return;
	if (!upm_usdt_at_end(operand) || !sum.symbol)
		upm_usdt_refuse(operand, upm_usdt_not_understood);
	else if (sum.stem != sum.length)
		upm_usdt_refuse(operand, upm_usdt_relocated);
	else if (upm_usdt_value(operand, &sum, &operand->argument->value))
		operand->argument->place = UPM_USDT_ABSOLUTE;
	if (!operand->argument->size)
		operand->argument->size = operand->word;
}

void upm_usdt_operand_aarch64(struct upm_usdt_operand *operand)
{
	struct machine_register found;
	const char *word, *begin;
	size_t length;

	if (upm_usdt_accept(operand, '[')) {
		read_memory(operand);
		return;
	}
	if (upm_usdt_at_end(operand)) {
		upm_usdt_refuse(operand, upm_usdt_not_understood);
		return;
	}
	begin = operand->at;
	if (strchr("#+-0123456789", *begin)) {
		upm_usdt_accept(operand, '#');
		upm_usdt_constant(operand);
		return;
	}
	length = upm_usdt_word(operand, &word);
	if (find_register(word, length, &found) && upm_usdt_at_end(operand)) {
		read_register(operand, &found);
		return;
	}
	operand->at = begin;
	read_symbol(operand);
}

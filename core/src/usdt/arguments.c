/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * A list of arguments, taken apart into SIZE@OPERAND. Blanks separate arguments, but
 * within brackets they may belong to the operand: such an argument ends at the blank
 * only where another SIZE@ follows, so that a bracket that is never closed costs no more than
 * its own argument.
 */
#include <ctype.h>
#include <elf.h>
#include <string.h>

#include "usdt/operand.h"

static const char unknown_machine[] = "arguments of programs for this machine can not be read";
static const char unknown_size[] = "a value of this size can not be read";

enum { SIZE_MAX_READABLE = 8, SIZE_DIGITS_MAX = 3 };

struct size {
	unsigned bytes;
	bool negative, is_float;
};

static bool is_blank(char c)
{
	return isspace((unsigned char)c);
}

/* @return the length of "-4@" or "8f@" at the begin of text, or 0 */
static size_t read_size(const char *text, struct size *size)
{
	const char *at = text;

	*size = (struct size){.negative = *at == '-'};
	at += *at == '-' || *at == '+';
	if (!isdigit((unsigned char)*at))
		return 0;
	for (; isdigit((unsigned char)*at); at++)
		size->bytes = size->bytes > UINT8_MAX ? UINT8_MAX + 1
						      : 10 * size->bytes + (unsigned)(*at - '0');
	size->is_float = *at == 'f';
	at += *at == 'f';
	return *at == '@' ? (size_t)(at + 1 - text) : 0;
}

static const char *skip_blanks(const char *at)
{
	while (*at && is_blank(*at))
		at++;
	return at;
}

static const char *end_of_argument(const char *at)
{
	struct size size;
	int depth = 0;

	for (; *at; at++) {
		if (*at == '(' || *at == '[')
			depth++;
		else if (*at == ')' || *at == ']')
			depth--;
		else if (is_blank(*at) && (depth <= 0 || read_size(skip_blanks(at), &size)))
			break;
	}
	return at;
}

static bool take_size(struct upm_usdt_operand *operand)
{
	struct upm_usdt_argument *argument = operand->argument;
	struct size size;
	size_t length = read_size(operand->at, &size);

	argument->is_signed = true;
	if (!length)
		return true;
	operand->at += length;
	argument->is_signed = size.negative;
	argument->is_float = size.is_float;
	argument->size = size.bytes <= UINT8_MAX ? (uint8_t)size.bytes : 0;
	if (size.bytes == 1 || size.bytes == 2 || size.bytes == 4 || size.bytes == 8)
		return true;
	return upm_usdt_refuse(operand, unknown_size);
}

static void read_operand(uint16_t machine, struct upm_usdt_operand *operand)
{
	switch (machine) {
	case EM_X86_64:
	case EM_386:
		operand->word = machine == EM_X86_64 ? 8 : 4;
		upm_usdt_operand_x86(operand);
		break;
	case EM_AARCH64:
		operand->word = 8;
		upm_usdt_operand_aarch64(operand);
		break;
	default:
		upm_usdt_refuse(operand, unknown_machine);
	}
}

/* What an operand left half-written before it turned out to be wrong. */
static void forget_place(struct upm_usdt_argument *argument)
{
	argument->base = argument->index = 0;
	argument->value = 0;
	argument->scale = argument->high_byte = 0;
	argument->has_base = argument->biased = false;
}

size_t upm_usdt_arguments(uint16_t machine, const char *list, upm_usdt_symbol_fn symbol,
			  void *context, struct upm_usdt_argument arguments[UPM_USDT_ARGUMENTS_MAX])
{
	size_t count = 0;

	for (const char *at = skip_blanks(list); *at && count < UPM_USDT_ARGUMENTS_MAX; count++) {
		struct upm_usdt_argument *argument = &arguments[count];
		struct upm_usdt_operand operand = {.at = at,
						   .end = end_of_argument(at),
						   .symbol = symbol,
						   .context = context,
						   .argument = argument};

		*argument = (struct upm_usdt_argument){.text = at,
						       .text_length = (size_t)(operand.end - at)};
		if (take_size(&operand))
			read_operand(machine, &operand);
		if (argument->place == UPM_USDT_NOWHERE)
			forget_place(argument);
		at = skip_blanks(operand.end);
	}
	return count;
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "usdt/operand.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

const char upm_usdt_not_understood[] = "the operand is not understood";
const char upm_usdt_no_symbol[] = "the address of the symbol is not known";
const char upm_usdt_relocated[] = "the operand is relative to a table of the linker";
const char upm_usdt_vector[] = "a probe can not read vector and floating-point registers";
const char upm_usdt_too_wide[] = "the value is wider than the register that holds it";

static const char symbol_address[] = "the operand is the address of a symbol, not a number";

bool upm_usdt_refuse(struct upm_usdt_operand *operand, const char *reason)
{
	operand->argument->place = UPM_USDT_NOWHERE;
	operand->argument->reason = reason;
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool upm_usdt_at_end(struct upm_usdt_operand *operand)
{
	while (operand->at < operand->end && is_blank(*operand->at))
		operand->at++;
	return operand->at == operand->end;
}

bool upm_usdt_accept(struct upm_usdt_operand *operand, char c)
{
	if (upm_usdt_at_end(operand) || *operand->at != c)
		return false;
	operand->at++;
	return true;
}

size_t upm_usdt_word(struct upm_usdt_operand *operand, const char **word)
{
	*word = operand->at;
	while (operand->at < operand->end && isalnum((unsigned char)*operand->at))
		operand->at++;
	return (size_t)(operand->at - *word);
}

bool upm_usdt_is(const char *word, size_t length, const char *text)
{
	return strlen(text) == length && strncasecmp(word, text, length) == 0;
}

static bool begins_symbol(char c)
{
	return isalpha((unsigned char)c) || c == '_' || c == '.' || c == '$' || (c & 0x80);
}

static bool continues_symbol(char c)
{
	return begins_symbol(c) || isdigit((unsigned char)c) || c == '@';
}

static int digit_value(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	return isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : 16;
}

/* As the assembler reads them: 0x10 and 020 are 16. */
static bool take_number(struct upm_usdt_operand *operand, uint64_t *number)
{
	const char *at = operand->at;
	unsigned base = 10;

	if (*at == '0' && at + 1 < operand->end) {
		base = tolower((unsigned char)at[1]) == 'x' ? 16 : 8;
		at += base == 16 ? 2 : 0;
	}
	operand->at = at;
	*number = 0;
	for (; at < operand->end && (unsigned)digit_value(*at) < base; at++) {
		if (__builtin_mul_overflow(*number, base, number) ||
		    __builtin_add_overflow(*number, (unsigned)digit_value(*at), number))
			return false;
	}
	if (at == operand->at || (at < operand->end && continues_symbol(*at)))
		return false;
	operand->at = at;
	return true;
}

/* What an assembler may add to a name; "name@VERSION" is part of the name. */
static bool is_relocation(const char *suffix, size_t length)
{
	static const char *const relocations[] = {
		"tpoff",     "ntpoff",	"gottpoff",  "gotntpoff", "indntpoff", "dtpoff",
		"tlsgd",     "tlsld",	"tlsldm",    "tlsdesc",	  "tlscall",   "gotpcrel",
		"gotpcrelx", "gotplt",	"gotoff",    "got",	  "plt",       "pltoff",
		"size",	     "gotpage", "gotpageoff"};

	for (size_t i = 0; i < sizeof(relocations) / sizeof(relocations[0]); i++) {
		if (upm_usdt_is(suffix, length, relocations[i]))
			return true;
	}
	return false;
}

static bool take_symbol(struct upm_usdt_operand *operand, struct upm_usdt_sum *sum)
{
	const char *suffix;

	if (sum->symbol)
		return false;
	sum->symbol = operand->at;
	while (operand->at < operand->end && continues_symbol(*operand->at))
		operand->at++;
	sum->length = sum->stem = (size_t)(operand->at - sum->symbol);
	suffix = memrchr(sum->symbol, '@', sum->length);
	if (suffix && is_relocation(suffix + 1, (size_t)(operand->at - suffix - 1)))
		sum->stem = (size_t)(suffix - sum->symbol);
	return sum->stem > 0;
}

static bool take_term(struct upm_usdt_operand *operand, bool negative, struct upm_usdt_sum *sum)
{
	uint64_t number;

	if (upm_usdt_at_end(operand))
		return false;
	if (begins_symbol(*operand->at))
		return !negative && take_symbol(operand, sum);
	if (!take_number(operand, &number))
		return false;
	sum->number += negative ? -number : number;
	return true;
}

/* One or more signs: "8+-4". */
static bool take_signs(struct upm_usdt_operand *operand, bool *negative)
{
	bool any = false;

	*negative = false;
	for (;; any = true) {
		if (upm_usdt_accept(operand, '-'))
			*negative = !*negative;
		else if (!upm_usdt_accept(operand, '+'))
			return any;
	}
}

bool upm_usdt_sum(struct upm_usdt_operand *operand, struct upm_usdt_sum *sum)
{
	bool negative;

	memset(sum, 0, sizeof(*sum));
	take_signs(operand, &negative);
	do {
		if (!take_term(operand, negative, sum))
			return upm_usdt_refuse(operand, upm_usdt_not_understood);
	} while (take_signs(operand, &negative));
	return true;
}

bool upm_usdt_value(struct upm_usdt_operand *operand, const struct upm_usdt_sum *sum,
		    int64_t *value)
{
	uint64_t address = 0;

	if (sum->symbol && !(operand->symbol &&
			     operand->symbol(operand->context, sum->symbol, sum->length, &address)))
		return upm_usdt_refuse(operand, upm_usdt_no_symbol);
	*value = (int64_t)(address + sum->number);
	return true;
}

static void default_size(struct upm_usdt_operand *operand, uint8_t size)
{
	if (!operand->argument->size)
		operand->argument->size = size;
}

/* A constant as a read of so many bytes would give it. */
static int64_t cut(uint64_t value, const struct upm_usdt_argument *argument)
{
	unsigned unused = 64 - 8 * argument->size;

	value <<= unused;
	return argument->is_signed ? (int64_t)value >> unused : (int64_t)(value >> unused);
}

void upm_usdt_constant(struct upm_usdt_operand *operand)
{
	struct upm_usdt_sum sum;

	default_size(operand, operand->word);
	if (!upm_usdt_sum(operand, &sum))
		return;
	if (!upm_usdt_at_end(operand)) {
		upm_usdt_refuse(operand, upm_usdt_not_understood);
	} else if (sum.symbol) {
		upm_usdt_refuse(operand, symbol_address);
	} else {
		operand->argument->place = UPM_USDT_CONSTANT;
		operand->argument->value = cut(sum.number, operand->argument);
	}
}

/*
 * SIZE governs, not the name of the register: <sys/sdt.h> lets compilers write a longer or a
 * shorter name of it. But 8 bytes of a 32-bit program stand in two registers, and only one is
 * named.
 */
void upm_usdt_register(struct upm_usdt_operand *operand, uint16_t offset, uint8_t width)
{
	struct upm_usdt_argument *argument = operand->argument;

	default_size(operand, width);
	if (!upm_usdt_at_end(operand)) {
		upm_usdt_refuse(operand, upm_usdt_not_understood);
	} else if (argument->size > operand->word) {
		upm_usdt_refuse(operand, upm_usdt_too_wide);
	} else {
		argument->place = UPM_USDT_REGISTER;
		argument->base = offset;
	}
}

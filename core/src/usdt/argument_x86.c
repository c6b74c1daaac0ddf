/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Operands of x86 in AT&T syntax, as a compiler puts them in place of %[operand]:
 *
 *     $8+16                   a constant
 *     %rax %eax %ax %al %ah   a register
 *     8+16(%rbp,%rcx,4)       memory; each part may be missing
 *     sym+4(%rip), sym+4      memory at an address of this file
 *     table+4(,%rcx,8)        likewise with registers: code that is not position-independent
 *     sym@GOTOFF(%ebx)        likewise: 32-bit code that is position-independent
 *     %fs:sym@tpoff(%rax)     a variable of the thread
 *
 * Numbers before (%rip) are taken from the site itself, for want of an instruction whose
 * end they could be relative to.
 */
#include "usdt/operand.h"

#include <string.h>

static const char unread_segment[] = "the operand lies in a segment that a probe can not read";
static const char fixed_address[] = "the operand is a number without $: a fixed address";
static const char narrow_address[] = "a register of the address has not the width of an address";
static const char thread_index[] = "a variable of the thread with an index register";
static const char no_register[] = "the register is not among those that a probe sees";

/* Offsets in the kernel's struct pt_regs for x86-64, which 32-bit programs get as well. */
enum { IP = 128, FULL_NAMES = 4, HIGH_BYTE = 4, NAMES };

struct family {
	uint16_t offset;
	const char *names[NAMES]; /* of 8, 4, 2 and 1 bytes, and of the second byte */
};

static const struct family families[] = {
	{80, {"rax", "eax", "ax", "al", "ah"}},
	{40, {"rbx", "ebx", "bx", "bl", "bh"}},
	{88, {"rcx", "ecx", "cx", "cl", "ch"}},
	{96, {"rdx", "edx", "dx", "dl", "dh"}},
	{104, {"rsi", "esi", "si", "sil"}},
	{112, {"rdi", "edi", "di", "dil"}},
	{32, {"rbp", "ebp", "bp", "bpl"}},
	{152, {"rsp", "esp", "sp", "spl"}},
	{72, {"r8", "r8d", "r8w", "r8b"}},
	{64, {"r9", "r9d", "r9w", "r9b"}},
	{56, {"r10", "r10d", "r10w", "r10b"}},
	{48, {"r11", "r11d", "r11w", "r11b"}},
	{24, {"r12", "r12d", "r12w", "r12b"}},
	{16, {"r13", "r13d", "r13w", "r13b"}},
	{8, {"r14", "r14d", "r14w", "r14b"}},
	{0, {"r15", "r15d", "r15w", "r15b"}},
	{IP, {"rip", "eip"}},
};

struct machine_register {
	uint16_t offset;
	uint8_t width; /* bytes; 0 = none */
	bool high_byte;
};

struct memory {
	struct upm_usdt_sum sum;
	struct machine_register base, index;
	uint8_t scale;
};

static bool find_register(const char *word, size_t length, struct machine_register *found)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		for (size_t name = 0; name < NAMES; name++) {
			if (!families[i].names[name] ||
			    !upm_usdt_is(word, length, families[i].names[name]))
				continue;
			found->offset = families[i].offset;
			found->high_byte = name == HIGH_BYTE;
			found->width = found->high_byte ? 1 : (uint8_t)(8 >> name);
			return true;
		}
	}
	return false;
}

static bool is_vector(const char *word, size_t length)
{
	return length > 3 && strchr("xyzXYZ", word[0]) && upm_usdt_is(word + 1, 2, "mm");
}

static bool take_register(struct upm_usdt_operand *operand, struct machine_register *found)
{
	const char *word;
	size_t length = upm_usdt_word(operand, &word);

	if (find_register(word, length, found))
		return found->width <= operand->word || upm_usdt_refuse(operand, no_register);
	if (!is_vector(word, length))
		return upm_usdt_refuse(operand, no_register);
	operand->argument->is_float = true;
	return upm_usdt_refuse(operand, upm_usdt_vector);
}

static bool take_address_register(struct upm_usdt_operand *operand, struct machine_register *found)
{
	if (!upm_usdt_accept(operand, '%'))
		return upm_usdt_refuse(operand, upm_usdt_not_understood);
	if (!take_register(operand, found))
		return false;
	return found->width == operand->word || upm_usdt_refuse(operand, narrow_address);
}

static bool take_scale(struct upm_usdt_operand *operand, uint8_t *scale)
{
	if (upm_usdt_at_end(operand))
		return false;
	switch (*operand->at++) {
	case '1':
		*scale = 0;
		return true;
	case '2':
		*scale = 1;
		return true;
	case '4':
		*scale = 2;
		return true;
	case '8':
		*scale = 3;
		return true;
	}
	return false;
}

static bool take_index(struct upm_usdt_operand *operand, struct memory *memory)
{
	if (!take_address_register(operand, &memory->index))
		return false;
	if (memory->index.offset == IP ||
	    (upm_usdt_accept(operand, ',') && !take_scale(operand, &memory->scale)))
		return upm_usdt_refuse(operand, upm_usdt_not_understood);
	return true;
}

/* What stands in parentheses; the left one has been taken. */
static bool take_registers(struct upm_usdt_operand *operand, struct memory *memory)
{
	bool has_base = !upm_usdt_accept(operand, ',');

	if (has_base && !take_address_register(operand, &memory->base))
		return false;
	if ((!has_base || upm_usdt_accept(operand, ',')) && !take_index(operand, memory))
		return false;
	return upm_usdt_accept(operand, ')') || upm_usdt_refuse(operand, upm_usdt_not_understood);
}

static bool take_memory(struct upm_usdt_operand *operand, struct memory *memory)
{
	bool registers = upm_usdt_accept(operand, '(');

	if (!registers && !upm_usdt_sum(operand, &memory->sum))
		return false;
	if ((registers || upm_usdt_accept(operand, '(')) && !take_registers(operand, memory))
		return false;
	if (!upm_usdt_at_end(operand))
		return upm_usdt_refuse(operand, upm_usdt_not_understood);
	return true;
}

static bool place_in_thread(struct upm_usdt_operand *operand, struct memory *memory)
{
	const struct upm_usdt_sum *sum = &memory->sum;

	if (memory->index.width)
		return upm_usdt_refuse(operand, thread_index);
	if (sum->symbol && !upm_usdt_is(sum->symbol + sum->stem, sum->length - sum->stem, "@tpoff"))
		return upm_usdt_refuse(operand, upm_usdt_relocated);
	if (memory->base.width && memory->base.offset == IP)
		return upm_usdt_refuse(operand, upm_usdt_not_understood);
	operand->argument->place = UPM_USDT_FS;
	operand->argument->has_base = memory->base.width;
	return true;
}

/*
 * sym@GOTOFF(%ebx): the register holds the address of the linker's table, so that the sum is the
 * address of the symbol. Of two registers that are not scaled either could be that one.
 */
static bool drop_table_register(struct memory *memory)
{
	struct upm_usdt_sum *sum = &memory->sum;

	if (!sum->symbol || !memory->base.width || memory->base.offset == IP ||
	    (memory->index.width && memory->scale == 0) ||
	    !upm_usdt_is(sum->symbol + sum->stem, sum->length - sum->stem, "@gotoff"))
		return false;
	sum->length = sum->stem;
	memory->base.width = 0;
	memory->base.offset = 0;
	return true;
}

static bool place_in_file(struct upm_usdt_operand *operand, struct memory *memory)
{
	struct upm_usdt_argument *argument = operand->argument;
	bool from_ip = memory->base.width && memory->base.offset == IP;

	if (memory->sum.length != memory->sum.stem && !drop_table_register(memory))
		return upm_usdt_refuse(operand, upm_usdt_relocated);
	if (from_ip && memory->index.width)
		return upm_usdt_refuse(operand, upm_usdt_not_understood);
	if (memory->index.width) {
		argument->place = UPM_USDT_INDEXED;
		argument->has_base = memory->base.width;
		argument->biased = memory->sum.symbol;
	} else if (memory->sum.symbol && (from_ip || !memory->base.width)) {
		argument->place = UPM_USDT_ABSOLUTE;
	} else if (memory->base.width) {
		argument->place = UPM_USDT_MEMORY;
		argument->biased = memory->sum.symbol;
	} else {
		return upm_usdt_refuse(operand, fixed_address);
	}
	return true;
}

static void read_memory(struct upm_usdt_operand *operand, bool thread)
{
	struct upm_usdt_argument *argument = operand->argument;
	struct memory memory = {0};

	if (!take_memory(operand, &memory) ||
	    !(thread ? place_in_thread : place_in_file)(operand, &memory) ||
	    !upm_usdt_value(operand, &memory.sum, &argument->value))
		return;
	if (!argument->size)
		argument->size = operand->word;
	if (argument->place != UPM_USDT_ABSOLUTE) {
		argument->base = memory.base.offset;
		argument->index = memory.index.offset;
		argument->scale = memory.scale;
	}
}

static void read_register(struct upm_usdt_operand *operand)
{
	struct machine_register found;

	if (!take_register(operand, &found))
		return;
	if (found.high_byte && operand->argument->size > 1) {
		upm_usdt_refuse(operand, upm_usdt_too_wide);
		return;
	}
	operand->argument->high_byte = found.high_byte;
	upm_usdt_register(operand, found.offset, found.width);
}

/* %fs: and its like. @return 0 when there is none, else its letter */
static char take_segment(struct upm_usdt_operand *operand)
{
	const char *at = operand->at;

	if (operand->end - at < 3 || !strchr("cdefgs", at[0]) || at[1] != 's' || at[2] != ':')
		return '\0';
	operand->at += 3;
	return at[0];
}

void upm_usdt_operand_x86(struct upm_usdt_operand *operand)
{
	char segment = '\0';

	if (upm_usdt_accept(operand, '$')) {
		upm_usdt_constant(operand);
		return;
	}
	if (upm_usdt_accept(operand, '%')) {
		segment = take_segment(operand);
		if (!segment) {
			read_register(operand);
			return;
		}
	}
	if (segment && (segment != 'f' || operand->word != 8))
		upm_usdt_refuse(operand, unread_segment);
	else
		read_memory(operand, segment);
}

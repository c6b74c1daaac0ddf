/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "usdt/reading.h"

#include <elf.h>

/* Of the instruction pointer in the kernel's struct pt_regs. */
enum { X86_64_IP = 128, AARCH64_PC = 256 };

struct upm_usdt_position upm_usdt_position_of(const struct upm_binary *binary, uint64_t offset)
{
	struct upm_usdt_position position = {
		.machine = binary->machine,
		.fixed = binary->elf_type == ET_EXEC,
	};

	upm_binary_address_of(binary, offset, &position.address);
	return position;
}

static void add_index(struct upm_usdt_read *read, const struct upm_usdt_argument *argument)
{
	bool alone = !(read->flags & UPM_READ_BASE) && !argument->scale;

	if (alone)
		read->base = argument->index;
	else
		read->index = argument->index;
	read->scale = alone ? 0 : argument->scale;
	read->flags |= alone ? UPM_READ_BASE : UPM_READ_INDEX;
}

/*
 * Make a virtual address of the file relative to the probe. Of two other registers one
 * would find no place: position-independent code has no such operand.
 */
static void make_relative(struct upm_usdt_read *read, const struct upm_usdt_position *position)
{
	if (read->flags & UPM_READ_BASE && read->flags & UPM_READ_INDEX) {
		read->flags = 0;
		return;
	}
	if (read->flags & UPM_READ_BASE) {
		read->index = read->base;
		read->flags |= UPM_READ_INDEX;
	}
	read->base = position->machine == EM_AARCH64 ? AARCH64_PC : X86_64_IP;
	read->flags |= UPM_READ_BASE;
	read->value = (int64_t)((uint64_t)read->value - position->address);
}

static void add_thread(struct upm_usdt_read *read, const struct upm_usdt_position *position)
{
	if (!position->thread) {
		read->flags = 0;
		return;
	}
	read->index = position->thread;
	read->flags |= UPM_READ_THREAD;
}

static bool has_base(const struct upm_usdt_argument *argument)
{
	switch (argument->place) {
	case UPM_USDT_REGISTER:
	case UPM_USDT_MEMORY:
		return true;
	case UPM_USDT_INDEXED:
	case UPM_USDT_FS:
		return argument->has_base;
	default:
		return false;
	}
}

struct upm_usdt_read upm_usdt_reading(const struct upm_usdt_argument *argument,
				      const struct upm_usdt_position *position)
{
	struct upm_usdt_read read = {.flags = UPM_READ_VALID};

	if (argument->place == UPM_USDT_NOWHERE || !argument->size || argument->size > 8)
		return (struct upm_usdt_read){0};
	read.unused = (uint8_t)(64 - 8 * argument->size);
	if (argument->is_signed)
		read.flags |= UPM_READ_SIGNED;
	if (argument->place != UPM_USDT_REGISTER)
		read.value = argument->value;
	if (argument->place > UPM_USDT_REGISTER)
		read.flags |= UPM_READ_MEMORY;
	if (has_base(argument)) {
		read.flags |= UPM_READ_BASE;
		read.base = (uint16_t)(argument->base + argument->high_byte);
	}
	if (argument->place == UPM_USDT_INDEXED)
		add_index(&read, argument);
	if (argument->place == UPM_USDT_ABSOLUTE ||
	    (argument->biased && (!position->fixed || !(read.flags & UPM_READ_BASE))))
		make_relative(&read, position);
	if (argument->place == UPM_USDT_FS)
		add_thread(&read, position);
	return read.flags ? read : (struct upm_usdt_read){0};
}

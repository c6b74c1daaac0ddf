/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "usdt/libbpf_spec.h"

#include <string.h>

enum { OLD_STRIDE = 16, NEW_STRIDE = 24 };
enum { CONSTANT = 0, IN_REGISTER = 1, AT_REGISTER = 2, AT_TWO_REGISTERS = 3, NO_TYPE = 255 };
enum { TAKEN = 0x74706d75, LEFT = 0x6c706d75 };

/* One argument without its bytes' places, which the layouts differ in. */
struct element {
	uint64_t value;
	uint8_t type;
	int16_t base;
	uint16_t index; /* the scale in the upper four bits */
	uint8_t is_signed, unused;
};

bool upm_libbpf_spec_known(uint32_t size)
{
	return size == UPM_LIBBPF_SPEC_OLD || size == UPM_LIBBPF_SPEC_NEW;
}

static uint8_t type_of(const struct upm_usdt_read *read, uint32_t size)
{
	const uint8_t terms = UPM_READ_BASE | UPM_READ_INDEX | UPM_READ_THREAD | UPM_READ_MEMORY;

	if (!(read->flags & UPM_READ_VALID))
		return NO_TYPE;
	switch (read->flags & terms) {
	case 0:
		return CONSTANT;
	case UPM_READ_BASE:
		return IN_REGISTER;
	case UPM_READ_MEMORY | UPM_READ_BASE:
		return AT_REGISTER;
	case UPM_READ_MEMORY | UPM_READ_BASE | UPM_READ_INDEX:
		return size == UPM_LIBBPF_SPEC_NEW ? AT_TWO_REGISTERS : NO_TYPE;
	default:
		return NO_TYPE;
	}
}

static struct element element_of(const struct upm_usdt_read *read, uint32_t size)
{
	return (struct element){
		.value = (uint64_t)read->value,
		.type = type_of(read, size),
		.base = (int16_t)read->base,
		.index = (uint16_t)(read->index | read->scale << 12),
		.is_signed = read->flags & UPM_READ_SIGNED ? 1 : 0,
		.unused = read->unused,
	};
}

static void write_old(uint8_t *to, const struct element *element)
{
	const uint32_t type = element->type;

	memcpy(to, &element->value, 8);
	memcpy(to + 8, &type, 4);
	memcpy(to + 12, &element->base, 2);
	to[14] = element->is_signed;
	to[15] = element->unused;
}

static void write_new(uint8_t *to, const struct element *element)
{
	memcpy(to, &element->value, 8);
	to[8] = element->type;
	if (element->type == AT_TWO_REGISTERS)
		memcpy(to + 10, &element->index, 2);
	memcpy(to + 14, &element->base, 2);
	to[16] = element->is_signed;
	to[17] = element->unused;
}

void upm_libbpf_spec_write(void *spec, uint32_t size, const struct upm_usdt_position *position,
			   const struct upm_usdt_argument *arguments, size_t count, uint64_t cookie)
{
	const int16_t number = (int16_t)count;
	bool old = size == UPM_LIBBPF_SPEC_OLD;
	uint8_t *to = spec;

	memset(spec, 0, size);
	for (size_t i = 0; i < count; i++) {
		struct upm_usdt_read read = upm_usdt_reading(&arguments[i], position);
		struct element element = element_of(&read, size);

		(old ? write_old : write_new)(to + i * (old ? OLD_STRIDE : NEW_STRIDE), &element);
	}
	to += UPM_USDT_ARGUMENTS_MAX * (old ? OLD_STRIDE : NEW_STRIDE);
	memcpy(to, &cookie, 8);
	memcpy(to + 8, &number, 2);
}

static void mark(void *spec, uint32_t size, uint32_t as)
{
	memcpy((uint8_t *)spec + size - sizeof(as), &as, sizeof(as));
}

bool upm_libbpf_spec_free(const void *spec, uint32_t size)
{
	const uint8_t *bytes = spec;
	uint32_t found;

	memcpy(&found, bytes + size - sizeof(found), sizeof(found));
	return found == LEFT || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

void upm_libbpf_spec_take(void *spec, uint32_t size)
{
	mark(spec, size, TAKEN);
}

void upm_libbpf_spec_leave(void *spec, uint32_t size)
{
	mark(spec, size, LEFT);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A byte that chooses the machine, and a list of arguments. */
#include "fuzz.h"

#include <elf.h>

#include "usdt/argument.h"

static bool find_symbol(void *context, const char *name, size_t length, uint64_t *address)
{
	(void)context;
	*address = length ? (uint64_t)name[0] << 56 | (uint64_t)name[length - 1] : 0;
	return length % 2;
}

static void check_argument(const struct upm_usdt_argument *argument)
{
	fuzz_check(argument->text_length > 0);
	fuzz_check((argument->place == UPM_USDT_NOWHERE) == (argument->reason != NULL));
	if (argument->place == UPM_USDT_NOWHERE)
		return;
	fuzz_check(argument->size == 1 || argument->size == 2 || argument->size == 4 ||
		   argument->size == 8);
	fuzz_check(argument->base <= 256 && argument->base % 8 == 0);
	fuzz_check(argument->index <= 256 && argument->index % 8 == 0);
	fuzz_check(argument->scale <= 3 && argument->high_byte <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t machines[] = {EM_X86_64, EM_386, EM_AARCH64, EM_RISCV};
	struct upm_usdt_argument arguments[UPM_USDT_ARGUMENTS_MAX];
	size_t count;
	char *list;

	if (!size)
		return 0;
	list = fuzz_text(data + 1, size - 1);
	count = upm_usdt_arguments(machines[data[0] % 4], list, data[0] & 4 ? NULL : find_symbol,
				   NULL, arguments);
	fuzz_check(count <= UPM_USDT_ARGUMENTS_MAX);
	for (size_t i = 0; i < count; i++)
		check_argument(&arguments[i]);
	free(list);
	return 0;
}

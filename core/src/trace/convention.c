/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "trace/convention.h"

#include <elf.h>
#include <stdio.h>

#include "uprobe_multi.h"

struct convention {
	uint16_t machine;
	const char *registers[8];
	unsigned register_count, float_count;
	const char *stack; /* format: distance from the stack pointer */
	unsigned stack_start;
	const char *result;
};

static const struct convention conventions[] = {
	/* System V ABI, AMD64 supplement: 3.2.3. The return address is at the stack pointer. */
	{EM_X86_64, {"%rdi", "%rsi", "%rdx", "%rcx", "%r8", "%r9"}, 6, 8, "%u(%%rsp)", 8, "%rax"},
	/* Procedure Call Standard for the Arm 64-bit Architecture: 6.8.2. */
	{EM_AARCH64, {"x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7"}, 8, 8, "[sp, %u]", 0, "x0"},
};

static const struct convention *convention_of(uint16_t machine)
{
	for (size_t i = 0; i < sizeof(conventions) / sizeof(conventions[0]); i++)
		if (conventions[i].machine == machine)
			return &conventions[i];
	return NULL;
}

static bool is_signed(const struct upm_parameter *parameter)
{
	return parameter->form == UPM_FORM_SIGNED || parameter->form == UPM_FORM_CHARACTER;
}

static struct upm_usdt_read read_at(const char *place, const struct upm_parameter *parameter,
				    const struct upm_usdt_position *position)
{
	struct upm_usdt_argument arguments[UPM_USDT_ARGUMENTS_MAX];
	char text[64];

	snprintf(text, sizeof(text), "%s%u@%s", is_signed(parameter) ? "-" : "", parameter->width,
		 place);
	if (upm_usdt_arguments(position->machine, text, NULL, NULL, arguments) != 1)
		return (struct upm_usdt_read){0};
	return upm_usdt_reading(&arguments[0], position);
}

static void place_parameters(const struct convention *convention,
			     const struct upm_signature *signature,
			     const struct upm_usdt_position *position, struct upm_usdt_list *list)
{
	unsigned integers = 0, floats = 0, stacked = 0;

	for (uint32_t i = 0; i < signature->count; i++) {
		const struct upm_parameter *parameter = &signature->parameters[i];
		char place[32];

		if (parameter->form == UPM_FORM_UNREADABLE && floats++ < convention->float_count)
			continue;
		if (parameter->form != UPM_FORM_UNREADABLE &&
		    integers < convention->register_count) {
			list->arguments[i] =
				read_at(convention->registers[integers++], parameter, position);
			continue;
		}
		snprintf(place, sizeof(place), convention->stack,
			 convention->stack_start + 8 * stacked++);
		if (parameter->form != UPM_FORM_UNREADABLE)
			list->arguments[i] = read_at(place, parameter, position);
	}
	list->count = signature->count;
}

void upm_convention_apply(const struct upm_usdt_position *position,
			  const struct upm_signature *signature, struct upm_trace_list *list)
{
	const struct convention *convention = convention_of(position->machine);

	if (!convention)
		return;
	place_parameters(convention, signature, position, &list->arguments);
	if (signature->result.form != UPM_FORM_NONE)
		list->result = read_at(convention->result, &signature->result, position);
}

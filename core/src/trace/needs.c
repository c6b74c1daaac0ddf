/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "trace/needs.h"

#include "trace/trace.h"

#define NOWHERE 0xff

/* The number of the register that a word of struct pt_regs holds. */
static uint32_t register_at(uint16_t offset)
{
#if defined(__x86_64__)
	static const uint8_t numbers[] = {15, 14, 13, 12, 5, 3,	      11,      10,	9,	 8,
					  0,  1,  2,  6,  7, NOWHERE, NOWHERE, NOWHERE, NOWHERE, 4};
	size_t word = offset / sizeof(uint64_t);

	if (word < sizeof(numbers) && numbers[word] != NOWHERE)
		return 1u << numbers[word];
#endif
	(void)offset;
	return UPM_NEEDS_PLACE;
}

static uint32_t needs_of_read(const struct upm_usdt_read *read)
{
	uint32_t needs = 0;

	if (!(read->flags & UPM_READ_VALID))
		return 0;
	if (read->flags & UPM_READ_BASE)
		needs |= register_at(read->base);
	if (read->flags & UPM_READ_INDEX)
		needs |= register_at(read->index);
	if (read->flags & UPM_READ_MEMORY)
		needs |= UPM_STATE_MEMORY;
	return needs;
}

uint32_t upm_trace_list_needs(const struct upm_trace_list *list)
{
	uint32_t needs = list->text_count ? UPM_STATE_MEMORY : 0;

	for (uint32_t i = 0; i < list->arguments.count && i < UPM_TRACE_ARGUMENTS; i++)
		needs |= needs_of_read(&list->arguments.arguments[i]);
	for (uint32_t i = 0; i < list->condition_count && i < UPM_TRACE_CONDITIONS; i++)
		if (list->conditions[i].comparison >= UPM_TEXT_IS_EQUAL)
			needs |= UPM_STATE_MEMORY;
	return needs;
}

/* The caller is the word at the stack pointer. Behind the entry it may be the kernel's trampoline
 * already, which somebody else's return probe at the entry has put there. */
uint32_t upm_trace_needs(const void *observer, const struct upm_probe_table *table, size_t index)
{
	const struct upm_trace *state = ((const struct upm_observer *)observer)->state;
	const struct upm_trace_probe *probe = &state->lists.probes[index];
	uint32_t needs = 0;

	if (table->probes.items[index].kind == UPM_KIND_URETPROBE)
		return UPM_STATE_RSP;
	if (state->config.stack_bytes)
		return UPM_NEEDS_PLACE;
	if (state->config.returns)
		needs |= UPM_STATE_RSP;
	return needs | upm_trace_list_needs(&state->lists.lists.items[probe->list]);
}

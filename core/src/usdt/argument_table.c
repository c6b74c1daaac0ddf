/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "usdt/argument_table.h"

#include <bpf/bpf.h>
#include <errno.h>

#include "base/error.h"
#include "usdt/thread_pointer.h"

static const char operation[] = "list the arguments of USDT probes";

void upm_argument_table_open(struct upm_argument_table *table)
{
	upm_intern_open(&table->lists, sizeof(struct upm_usdt_list));
}

int upm_argument_table_add(struct upm_argument_table *table, struct upm_usdt_position *position,
			   const struct upm_usdt_argument *arguments, size_t count, uint32_t *list)
{
	struct upm_usdt_list ours = {.count = (uint32_t)count};

	for (size_t i = 0; i < count; i++) {
		if (arguments[i].place == UPM_USDT_FS)
			position->thread = upm_thread_pointer_offset();
		ours.arguments[i] = upm_usdt_reading(&arguments[i], position);
	}
	return upm_intern_add(&table->lists, &ours, list) ? UPM_OK : upm_fail_memory(operation);
}

uint32_t upm_argument_table_size(const struct upm_argument_table *table)
{
	return table->lists.count ? (uint32_t)table->lists.count : 1;
}

int upm_argument_table_store(const struct upm_argument_table *table, int map_fd)
{
	for (uint32_t i = 0; i < table->lists.count; i++)
		if (bpf_map_update_elem(map_fd, &i, upm_intern_item(&table->lists, i), BPF_ANY))
			return upm_fail(UPM_ERR_SYSTEM, errno, operation, "the map upm_usdt_lists",
					NULL, "can not write element %u", i);
	return UPM_OK;
}

void upm_argument_table_close(struct upm_argument_table *table)
{
	upm_intern_close(&table->lists);
}

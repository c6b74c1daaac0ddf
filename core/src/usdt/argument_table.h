/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The lists of arguments that programs with usdt_arguments.bpf.h read. The table holds each
 * distinct list once and is as large as the call sites make it: the map is made to fit.
 */
#ifndef UPM_USDT_ARGUMENT_TABLE_H
#define UPM_USDT_ARGUMENT_TABLE_H

#include "base/intern.h"
#include "usdt/reading.h"

struct upm_argument_table {
	struct upm_intern lists; /* of struct upm_usdt_list */
};

void upm_argument_table_open(struct upm_argument_table *table);
/**
 * Add the arguments of one call site.
 * @param position  of the probe; its field thread is filled in where an argument needs it
 * @param list      receives the number of its list
 * @return UPM_OK or UPM_ERR_MEMORY
 */
int upm_argument_table_add(struct upm_argument_table *table, struct upm_usdt_position *position,
			   const struct upm_usdt_argument *arguments, size_t count, uint32_t *list);
/** @return elements that the map upm_usdt_lists must have; at least 1. */
uint32_t upm_argument_table_size(const struct upm_argument_table *table);
/** Write the lists to the map. @return UPM_OK or UPM_ERR_SYSTEM */
int upm_argument_table_store(const struct upm_argument_table *table, int map_fd);
void upm_argument_table_close(struct upm_argument_table *table);

#endif

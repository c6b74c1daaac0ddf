/* SPDX-License-Identifier: GPL-2.0-only */
/* The map of results, for BPF programs. */
#ifndef UPM_TESTS_USDT_RESULTS_H
#define UPM_TESTS_USDT_RESULTS_H

#include "usdt_result.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, USDT_PROBES);
	__type(key, __u32);
	__type(value, struct usdt_result);
} results SEC(".maps");

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Names of pins. */
#ifndef UPM_SHARE_NAMES_H
#define UPM_SHARE_NAMES_H

/* In filter/, in the order of upm_process_filter's descriptors. */
enum { UPM_FILTER_PINS = 3 };
static const char *const upm_filter_pins[UPM_FILTER_PINS] = {"fork", "exit", "lost"};

/** @return the pin of a map: no dots in a BPF file system. */
static inline const char *upm_map_pin(const char *map)
{
	return map[0] == '.' ? map + 1 : map;
}

#endif

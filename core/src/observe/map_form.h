/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Whether a map is what its name says. One that comes from pins can be any BPF object, and the
 * kernel writes as many bytes as a map's values have, whatever room the reader has for them.
 */
#ifndef UPM_OBSERVE_MAP_FORM_H
#define UPM_OBSERVE_MAP_FORM_H

#include <stddef.h>
#include <stdint.h>

struct upm_map_form {
	uint32_t type; /* enum bpf_map_type */
	size_t key_size, value_size;
	uint64_t entries; /* at least so many, and at least one */
};

/** An array of so many values. */
struct upm_map_form upm_map_form_of_array(size_t value_size, uint64_t entries);
/** Refuse a map of another form. @return UPM_OK; UPM_ERR_FORMAT, which names the map */
int upm_map_require(const char *name, int map_fd, struct upm_map_form form);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The maps of a program that was built with <bpf/usdt.bpf.h>, whoever loaded it. */
#ifndef UPM_ATTACH_USDT_MAPS_H
#define UPM_ATTACH_USDT_MAPS_H

#include <stdbool.h>
#include <stdint.h>

struct upm_usdt_maps {
	int specs_fd; /* __bpf_usdt_specs; -1 = the program has none */
	int ips_fd;   /* __bpf_usdt_ip_to_spec_id; likewise */
	uint32_t spec_size, spec_count;
	bool kconfig; /* the program was told at load whether there are cookies */
};

/**
 * Find them by the program's descriptor.
 * @param maps  receives descriptors: upm_usdt_maps_close() is due, also on error
 * @return UPM_OK; UPM_ERR_PERMISSION; UPM_ERR_UNSUPPORTED for a layout that is not known;
 *         UPM_ERR_MEMORY; UPM_ERR_SYSTEM
 */
int upm_usdt_maps_find(int program_fd, struct upm_usdt_maps *maps);
void upm_usdt_maps_close(struct upm_usdt_maps *maps);

#endif

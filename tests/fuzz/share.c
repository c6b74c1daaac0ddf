/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The record of a pinned observer. Its frame is put right, so that what is in it gets read. */
#include "fuzz.h"

#include "attach/link.h"
#include "look.h"
#include "share/record.h"

static void look_at_link(const struct upm_link *link)
{
	struct upm_kernel_link kernel_link = {.size = sizeof(kernel_link)};
	struct upm_probe probe = {.size = sizeof(probe)};

	for (size_t i = 0; i < upm_link_attached(link); i++)
		fuzz_check(upm_link_attached_get(link, i, &probe) == UPM_OK);
	for (size_t i = 0; i < upm_link_skipped(link); i++) {
		fuzz_check(upm_link_skipped_get(link, i, &probe) == UPM_OK);
		look(probe.reason);
	}
	for (size_t i = 0; i < upm_link_kernel_links(link); i++) {
		fuzz_check(upm_link_kernel_get(link, i, &kernel_link) == UPM_OK);
		look(kernel_link.path);
	}
}

static void look_at(const struct upm_share_record *record)
{
	struct upm_probe_set set = {.table = record->link->table};

	fuzz_check(upm_probe_set_size(&set) == record->header.probes);
	fuzz_check(upm_link_attached(record->link) + upm_link_skipped(record->link) ==
		   record->header.probes);
	look_at_set(&set);
	look_at_link(record->link);
	look_at_bytes(record->own, record->own_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = fuzz_text(data, size);
	struct upm_share_header header;
	struct upm_share_record record;

	if (size >= sizeof(header)) {
		memcpy(&header, bytes, sizeof(header));
		memcpy(header.magic, UPM_SHARE_MAGIC, sizeof(header.magic));
		header.format = UPM_SHARE_FORMAT;
		header.size = size;
		memcpy(bytes, &header, sizeof(header));
	}
	if (upm_share_read(bytes, size, "fuzz", &record) == UPM_OK) {
		look_at(&record);
		upm_link_free(record.link);
	}
	free(bytes);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The record of a pinned observer. Its frame is put right, so that what is in it gets read. */
#include "fuzz.h"

#include "attach/link.h"
#include "share/record.h"

static size_t sum; /* of all that is read, so that reading is not left out */

static void look(const char *text)
{
	sum += strlen(text);
}

static void look_at_probe(const struct upm_probe_set *set, size_t index)
{
	struct upm_probe probe = {.size = sizeof(probe)};

	fuzz_check(upm_probe_set_get(set, index, &probe) == UPM_OK);
	look(probe.path);
	look(probe.symbol);
	look(probe.version);
	look(probe.spec);
	look(probe.reason);
	look(probe.provider);
	for (uint32_t i = 0; i < probe.alias_count; i++)
		look(upm_probe_set_alias(set, index, i));
	for (uint32_t i = 0; i < probe.argument_count; i++) {
		struct upm_argument argument = {.size = sizeof(argument)};

		fuzz_check(upm_probe_set_argument(set, index, i, &argument) == UPM_OK);
		look(argument.reason);
		look(argument.text);
	}
}

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
	for (size_t i = 0; i < upm_probe_set_size(&set); i++)
		look_at_probe(&set, i);
	look_at_link(record->link);
	for (size_t i = 0; i < record->own_size; i++)
		sum += record->own[i];
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

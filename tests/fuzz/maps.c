/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* /proc/PID/maps, where a program chooses the names of its files. */
#include "fuzz.h"

#include "locate/process.h"
#include "look.h"
#include "uprobe_multi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct upm_mappings mappings;
	FILE *file;

	if (!size)
		return 0;
	file = fmemopen((void *)data, size, "r");
	fuzz_check(file != NULL);
	fuzz_check(upm_mappings_read(file, &mappings) == UPM_OK);
	for (size_t i = 0; i < mappings.list.count; i++)
		look(mappings.list.items[i].path);
	upm_mappings_clear(&mappings);
	fclose(file);
	return 0;
}

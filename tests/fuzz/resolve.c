/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A file, of which all probes are resolved, judged and placed. */
#include "elf_image.h"
#include "fuzz.h"
#include "look.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	look_at_file(bytes_to_fd(data, size));
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A byte of flags, and a section of notes. */
#include "fuzz.h"

#include "usdt/notes_section.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct upm_usdt_note_format format = {.base = 0x401000};
	struct upm_usdt_notes notes = {0};
	char *bytes;

	if (!size)
		return 0;
	format.wide = data[0] & 1;
	format.foreign_order = data[0] & 2;
	format.named = data[0] & 4;
	format.has_base = data[0] & 8;
	bytes = fuzz_text(data + 1, size - 1);
	fuzz_check(upm_usdt_notes_parse(&format, bytes, size - 1, &notes));
	for (size_t i = 0; i < notes.list.count; i++) {
		const struct upm_usdt_note *note = &notes.list.items[i];

		fuzz_check(strlen(note->provider) + strlen(note->name) + strlen(note->arguments) <
			   size);
		fuzz_check(note->damage ? !*note->provider : *note->provider && *note->name);
	}
	upm_vector_clear(&notes.list);
	free(bytes);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "index/self.h"

#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <string.h>

struct search {
	uint8_t *id;
	bool found;
};

static bool is_here(const struct dl_phdr_info *object)
{
	uintptr_t here = (uintptr_t)&upm_self_id;

	for (size_t i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];

		if (segment->p_type == PT_LOAD &&
		    here - object->dlpi_addr - segment->p_vaddr < segment->p_memsz)
			return true;
	}
	return false;
}

static size_t padded(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

/* Notes that the linker wrote: each a header, a name, a value. */
static bool find_note(const uint8_t *notes, size_t size, uint8_t id[UPM_SELF_ID_SIZE])
{
	ElfW(Nhdr) note;
	size_t whole;

	for (; size >= sizeof(note); notes += whole, size -= whole) {
		memcpy(&note, notes, sizeof(note));
		whole = sizeof(note) + padded(note.n_namesz) + padded(note.n_descsz);
		if (whole > size)
			return false;
		if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != sizeof("GNU") ||
		    memcmp(notes + sizeof(note), "GNU", sizeof("GNU")) != 0)
			continue;
		memset(id, 0, UPM_SELF_ID_SIZE);
		memcpy(id, notes + sizeof(note) + sizeof("GNU"),
		       note.n_descsz < UPM_SELF_ID_SIZE ? note.n_descsz : UPM_SELF_ID_SIZE);
		return true;
	}
	return false;
}

static int look_at(struct dl_phdr_info *object, size_t size, void *context)
{
	struct search *search = context;

	(void)size;
	if (!is_here(object))
		return 0;
	for (size_t i = 0; i < object->dlpi_phnum && !search->found; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];

		/* Where notes are aligned to 8 bytes there is no build-id among them. */
		if (segment->p_type == PT_NOTE && segment->p_align <= 4)
			search->found =
				find_note((const uint8_t *)(object->dlpi_addr + segment->p_vaddr),
					  segment->p_memsz, search->id);
	}
	return 1;
}

bool upm_self_id(uint8_t id[UPM_SELF_ID_SIZE])
{
	struct search search = {.id = id};

	dl_iterate_phdr(look_at, &search);
	return search.found;
}

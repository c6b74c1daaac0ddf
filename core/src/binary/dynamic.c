/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "binary/dynamic.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "binary/elf_file.h"

#define STRING_MAX 4096
#define READ_DYNAMIC "read the dynamic section"

static uint64_t *single_value(struct upm_dynamic *dynamic, uint64_t tag)
{
	switch (tag) {
	case DT_SYMTAB:
		return &dynamic->symbols;
	case DT_STRTAB:
		return &dynamic->strings;
	case DT_STRSZ:
		return &dynamic->strings_size;
	case DT_HASH:
		return &dynamic->hash;
	case DT_GNU_HASH:
		return &dynamic->gnu_hash;
	case DT_VERSYM:
		return &dynamic->versym;
	case DT_VERDEF:
		return &dynamic->verdef;
	case DT_VERDEFNUM:
		return &dynamic->verdef_count;
	case DT_VERNEED:
		return &dynamic->verneed;
	case DT_VERNEEDNUM:
		return &dynamic->verneed_count;
	case DT_RELA:
		return &dynamic->relocations;
	case DT_RELASZ:
		return &dynamic->relocations_size;
	case DT_JMPREL:
		return &dynamic->plt_relocations;
	case DT_PLTRELSZ:
		return &dynamic->plt_relocations_size;
	case DT_SONAME:
		return &dynamic->soname;
	case DT_RPATH:
		return &dynamic->rpath;
	case DT_RUNPATH:
		return &dynamic->runpath;
	}
	return NULL;
}

static bool take_entry(struct upm_dynamic *dynamic, uint64_t tag, uint64_t value)
{
	uint64_t *single = single_value(dynamic, tag);

	if (single)
		*single = value;
	dynamic->has_soname |= tag == DT_SONAME;
	dynamic->has_rpath |= tag == DT_RPATH;
	dynamic->has_runpath |= tag == DT_RUNPATH;
	return tag != DT_NEEDED || upm_vector_push(&dynamic->needed, value);
}

int upm_dynamic_read(const struct upm_binary *binary, struct upm_dynamic *dynamic)
{
	const struct upm_elf *elf = binary->elf;
	size_t entry = binary->bits == 64 ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn);
	uint64_t size = elf->dynamic.size - elf->dynamic.size % entry;
	bool room = true;
	void *bytes;

	memset(dynamic, 0, sizeof(*dynamic));
	if (!size)
		return UPM_OK;
	bytes = upm_elf_records(elf, elf->dynamic.offset, size, ELF_T_DYN, READ_DYNAMIC,
				"the dynamic section");
	if (!bytes)
		return upm_error_last()->code;
	for (size_t i = 0; i < size / entry && room; i++) {
		const Elf64_Dyn *wide = (const Elf64_Dyn *)bytes + i;
		const Elf32_Dyn *narrow = (const Elf32_Dyn *)bytes + i;
		uint64_t tag = binary->bits == 64 ? (uint64_t)wide->d_tag : (uint32_t)narrow->d_tag;

		if (tag == DT_NULL)
			break;
		room = take_entry(dynamic, tag,
				  binary->bits == 64 ? wide->d_un.d_val : narrow->d_un.d_val);
	}
	free(bytes);
	if (room)
		return UPM_OK;
	upm_dynamic_clear(dynamic);
	return upm_fail_memory(READ_DYNAMIC);
}

void upm_dynamic_clear(struct upm_dynamic *dynamic)
{
	upm_vector_clear(&dynamic->needed);
}

static char *string_at(const struct upm_elf *elf, uint64_t offset, size_t limit)
{
	char text[STRING_MAX];
	size_t got =
		upm_elf_read_at(elf, text, limit < sizeof(text) ? limit : sizeof(text), offset);

	return memchr(text, '\0', got) ? strdup(text) : NULL;
}

char *upm_dynamic_string(const struct upm_binary *binary, const struct upm_dynamic *dynamic,
			 uint64_t offset)
{
	uint64_t strings;

	if (offset >= dynamic->strings_size ||
	    !upm_binary_offset_of(binary, dynamic->strings, &strings))
		return NULL;
	return string_at(binary->elf, strings + offset, dynamic->strings_size - offset);
}

char *upm_binary_soname(const struct upm_binary *binary)
{
	struct upm_dynamic dynamic;
	char *soname = NULL;

	if (upm_dynamic_read(binary, &dynamic))
		return NULL;
	if (dynamic.has_soname)
		soname = upm_dynamic_string(binary, &dynamic, dynamic.soname);
	upm_dynamic_clear(&dynamic);
	return soname;
}

char *upm_binary_interpreter(const struct upm_binary *binary)
{
	const struct upm_elf_range *range = &binary->elf->interpreter;

	return range->size ? string_at(binary->elf, range->offset, range->size) : NULL;
}

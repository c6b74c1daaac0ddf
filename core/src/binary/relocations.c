/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "binary/relocations.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "binary/dynamic.h"
#include "binary/elf_file.h"

#define READ_RELOCATIONS "read the relocations"
#define RECORDS_PER_READ 4096

struct walk {
	const struct upm_binary *binary;
	enum upm_relocation_kind kind;
	upm_relocation_fn visit;
	void *context;
	Elf64_Rela *records; /* RECORDS_PER_READ of them */
};

static bool is_kind(uint16_t machine, uint32_t type, enum upm_relocation_kind kind)
{
	bool indirect = kind == UPM_RELOCATION_INDIRECT;

	switch (machine) {
	case EM_X86_64:
		return indirect ? type == R_X86_64_IRELATIVE
				: type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT ||
					  type == R_X86_64_64;
	case EM_AARCH64:
		return indirect ? type == R_AARCH64_IRELATIVE
				: type == R_AARCH64_JUMP_SLOT || type == R_AARCH64_GLOB_DAT ||
					  type == R_AARCH64_ABS64;
	}
	return false;
}

static bool visit_records(const struct walk *walk, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const Elf64_Rela *record = &walk->records[i];
		struct upm_relocation relocation = {
			.slot = record->r_offset,
			.addend = (uint64_t)record->r_addend,
			.symbol = (uint32_t)ELF64_R_SYM(record->r_info),
		};

		if (is_kind(walk->binary->machine, (uint32_t)ELF64_R_TYPE(record->r_info),
			    walk->kind) &&
		    !walk->visit(&relocation, walk->context))
			return false;
	}
	return true;
}

static bool visit_range(const struct walk *walk, uint64_t offset, uint64_t size)
{
	const size_t whole = RECORDS_PER_READ * sizeof(*walk->records);

	while (size >= sizeof(*walk->records)) {
		size_t wanted = size < whole ? (size_t)size : whole;
		size_t got = upm_elf_read_at(walk->binary->elf, walk->records, wanted, offset);

		if (!visit_records(walk, got / sizeof(*walk->records)))
			return false;
		if (got < wanted)
			break;
		offset += wanted;
		size -= wanted;
	}
	return true;
}

static bool visit_sections(const struct walk *walk)
{
	const struct upm_elf *elf = walk->binary->elf;
	GElf_Shdr header;

	for (size_t i = 1; i < elf->section_count; i++) {
		if (upm_elf_section(elf, i, &header) && header.sh_type == SHT_RELA &&
		    (header.sh_flags & SHF_ALLOC) && !(header.sh_flags & SHF_COMPRESSED) &&
		    !visit_range(walk, header.sh_offset, header.sh_size))
			return false;
	}
	return true;
}

static int visit_dynamic(const struct walk *walk)
{
	struct upm_dynamic dynamic;
	uint64_t offset;
	bool room = true;
	int status = upm_dynamic_read(walk->binary, &dynamic);

	if (status)
		return status;
	if (upm_binary_offset_of(walk->binary, dynamic.relocations, &offset))
		room = visit_range(walk, offset, dynamic.relocations_size);
	if (room && upm_binary_offset_of(walk->binary, dynamic.plt_relocations, &offset))
		room = visit_range(walk, offset, dynamic.plt_relocations_size);
	upm_dynamic_clear(&dynamic);
	return room ? UPM_OK : upm_fail_memory(READ_RELOCATIONS);
}

int upm_relocations_visit(const struct upm_binary *binary, enum upm_relocation_kind kind,
			  upm_relocation_fn visit, void *context)
{
	struct walk walk = {.binary = binary, .kind = kind, .visit = visit, .context = context};
	int status = UPM_OK;

	/* No process of the other byte order runs here, and 32-bit x86 has no addends. */
	if (binary->bits != 64 || binary->elf->foreign_order)
		return UPM_OK;
	walk.records = malloc(RECORDS_PER_READ * sizeof(*walk.records));
	if (!walk.records)
		return upm_fail_memory(READ_RELOCATIONS);
	if (!binary->elf->section_count)
		status = visit_dynamic(&walk);
	else if (!visit_sections(&walk))
		status = upm_fail_memory(READ_RELOCATIONS);
	free(walk.records);
	return status;
}

// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* First instructions of real functions. */
#include "support.h"

#include <fcntl.h>
#include <gelf.h>
#include <glob.h>
#include <sys/mman.h>
#include <unistd.h>

#include "judge/insn.h"
#include "oracle/encodings.h"

struct image {
	const uint8_t *bytes;
	size_t size;
	struct upm_insn_rules rules;
};

static void add_first_insn(struct encodings *all, Elf *elf, const struct image *image,
			   uint64_t address)
{
	size_t count = 0, length;
	GElf_Phdr segment;

	elf_getphdrnum(elf, &count);
	for (size_t i = 0; i < count; i++) {
		uint64_t offset;

		if (!gelf_getphdr(elf, i, &segment) || segment.p_type != PT_LOAD ||
		    !(segment.p_flags & PF_X) || address < segment.p_vaddr ||
		    address - segment.p_vaddr >= segment.p_filesz)
			continue;
		offset = address - segment.p_vaddr + segment.p_offset;
		if (offset + UPM_INSN_MAX > image->size)
			continue;
		length = upm_insn_length(&image->rules, image->bytes + offset, UPM_INSN_MAX);
		encodings_add(all, image->bytes + offset, length ? length : UPM_INSN_MAX);
	}
}

static void add_symbols(struct encodings *all, Elf *elf, const struct image *image)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	GElf_Sym symbol;

	while ((section = elf_nextscn(elf, section))) {
		Elf_Data *data;

		gelf_getshdr(section, &header);
		if (header.sh_type != SHT_SYMTAB && header.sh_type != SHT_DYNSYM)
			continue;
		data = elf_getdata(section, NULL);
		for (size_t i = 0; i < header.sh_size / header.sh_entsize; i++)
			if (gelf_getsym(data, i, &symbol) && symbol.st_shndx != SHN_UNDEF &&
			    GELF_ST_TYPE(symbol.st_info) == STT_FUNC)
				add_first_insn(all, elf, image, symbol.st_value);
	}
}

static bool add_binary(struct encodings *all, const char *path)
{
	struct image image = {.rules = {.machine = EM_X86_64, .bits = 64}};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t before = all->count;
	Elf *elf;

	if (fd < 0)
		return false;
	elf_version(EV_CURRENT);
	image.size = lseek(fd, 0, SEEK_END);
	image.bytes = mmap(NULL, image.size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	assert_ptr_not_equal(image.bytes, MAP_FAILED);
	elf = elf_memory((char *)image.bytes, image.size);
	if (elf)
		add_symbols(all, elf, &image);
	elf_end(elf);
	munmap((void *)image.bytes, image.size);
	return all->count > before;
}

size_t encodings_add_binaries(struct encodings *all)
{
	static const char *const patterns[] = {
		"/lib/*-linux-gnu/libc.so.6",
		"/usr/bin/node",
		"/usr/bin/perl",
		"/usr/bin/python3.[0-9]*[0-9]",
		"/usr/lib/jvm/*/lib/server/libjvm.so",
		"/usr/lib/*-linux-gnu/libcrypto.so.3",
		"/usr/lib/*-linux-gnu/libstdc++.so.6",
		"/usr/lib/*-linux-gnu/libLLVM-*.so.1",
		"/usr/lib/llvm-*/lib/libclang-cpp.so.*",
		"/usr/lib/postgresql/*/bin/postgres",
		"/usr/bin/gdb",
		"/usr/lib/*-linux-gnu/libavcodec.so.*",
	};
	size_t binaries = 0;

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		glob_t found;

		if (glob(patterns[i], 0, NULL, &found) != 0)
			continue;
		if (add_binary(all, found.gl_pathv[0])) {
			binaries++;
			encodings_keep_distinct(all);
		}
		globfree(&found);
	}
	return binaries;
}

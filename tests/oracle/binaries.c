// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* First instructions of real functions. */
#include "support.h"

#include <fcntl.h>
#include <gelf.h>
#include <glob.h>
#include <sys/mman.h>
#include <sys/stat.h>
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

/* @return false for what is no file, or too small for a binary */
static bool map_file(const char *path, struct image *image)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	bool usable = fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
		      status.st_size >= (off_t)sizeof(Elf64_Ehdr);

	if (usable) {
		image->size = status.st_size;
		image->bytes = mmap(NULL, image->size, PROT_READ, MAP_PRIVATE, fd, 0);
		assert_ptr_not_equal(image->bytes, MAP_FAILED);
	}
	if (fd >= 0)
		close(fd);
	return usable;
}

static bool add_binary(struct encodings *all, const char *path)
{
	struct image image = {.rules = {.machine = EM_X86_64, .bits = 64}};
	size_t before = all->count;
	Elf *elf;

	if (!map_file(path, &image))
		return false;
	elf_version(EV_CURRENT);
	elf = elf_memory((char *)image.bytes, image.size);
	if (elf && image.bytes[EI_CLASS] == ELFCLASS64)
		add_symbols(all, elf, &image);
	elf_end(elf);
	munmap((void *)image.bytes, image.size);
	return all->count > before;
}

/* @return how many files were added; at most so many of those that match */
static size_t add_matching(struct encodings *all, const char *pattern, size_t most)
{
	size_t binaries = 0;
	glob_t found;

	if (glob(pattern, 0, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; i < found.gl_pathc && i < most; i++)
		binaries += add_binary(all, found.gl_pathv[i]);
	globfree(&found);
	encodings_keep_distinct(all);
	return binaries;
}

size_t encodings_add_binaries(struct encodings *all, bool everything)
{
	static const char *const large[] = {
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
	static const char *const others[] = {
		"/usr/bin/*",
		"/usr/sbin/*",
		"/usr/lib/*-linux-gnu/*.so*",
		"/usr/lib/*/*.so",
		"/usr/lib/*-linux-gnu/*/*.so*",
	};
	size_t binaries = 0;

	for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++)
		binaries += add_matching(all, large[i], 1);
	for (size_t i = 0; everything && i < sizeof(others) / sizeof(others[0]); i++)
		binaries += add_matching(all, others[i], SIZE_MAX);
	return binaries;
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Walks over a symbol table that is too large to be kept at the first, and names read late. */
#include "support.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "binary/symbols.h"
#include "uprobe_multi.h"

enum {
	SYMBOLS = 40000, /* of 24 bytes: ten pieces */
	CODE = 0x1000,
	FUNCTION_SIZE = 16,
	NAME_SIZE = 8, /* "f00001" and a NUL, and a spare one */
	ALIASES = 300  /* the last functions lie at one address */
};

/* A file whose function number i is f00000 + i, 16 bytes each, all nops. */
/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): in the order of the file */
struct image {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	Elf64_Shdr sections[3];
	Elf64_Sym symbols[SYMBOLS];
	char strings[SYMBOLS * NAME_SIZE];
	uint8_t code[SYMBOLS * FUNCTION_SIZE] __attribute__((aligned(CODE)));
};

static uint64_t address_of(size_t number)
{
	size_t last = SYMBOLS - ALIASES;

	return offsetof(struct image, code) + FUNCTION_SIZE * (number < last ? number : last);
}

static void describe_sections(struct image *image)
{
	image->sections[1] = (Elf64_Shdr){
		.sh_type = SHT_SYMTAB,
		.sh_offset = offsetof(struct image, symbols),
		.sh_size = sizeof(image->symbols),
		.sh_entsize = sizeof(Elf64_Sym),
		.sh_link = 2,
	};
	image->sections[2] = (Elf64_Shdr){
		.sh_type = SHT_STRTAB,
		.sh_offset = offsetof(struct image, strings),
		.sh_size = sizeof(image->strings),
	};
}

static void describe_file(struct image *image)
{
	image->header = (Elf64_Ehdr){
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = offsetof(struct image, segment),
		.e_shoff = offsetof(struct image, sections),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = 3,
	};
	memcpy(image->header.e_ident, ELFMAG, SELFMAG);
	image->header.e_ident[EI_CLASS] = ELFCLASS64;
	image->header.e_ident[EI_DATA] = ELFDATA2LSB;
	image->header.e_ident[EI_VERSION] = EV_CURRENT;
	image->segment = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_filesz = sizeof(*image),
		.p_memsz = sizeof(*image),
	};
	describe_sections(image);
}

static void write_image(char path[64])
{
	struct image *image = aligned_alloc(CODE, sizeof(*image));
	int fd;

	assert_non_null(image);
	memset(image, 0, sizeof(*image));
	describe_file(image);
	memset(image->code, 0x90, sizeof(image->code));
	for (size_t i = 0; i < SYMBOLS; i++) {
		snprintf(image->strings + i * NAME_SIZE, NAME_SIZE, "f%05zu", i);
		image->symbols[i] = (Elf64_Sym){
			.st_name = (uint32_t)(i * NAME_SIZE),
			.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
			.st_shndx = 1,
			.st_value = address_of(i),
			.st_size = FUNCTION_SIZE,
		};
	}
	strcpy(path, "/tmp/upm-symbol-scan-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, image, sizeof(*image)), sizeof(*image));
	close(fd);
	free(image);
}

static void walk(struct upm_symbol_table *table)
{
	struct upm_symbol_scan scan;
	struct upm_symbol symbol;
	size_t count = 0;

	assert_upm_ok(upm_symbol_scan_open(&scan, table));
	while (upm_symbol_scan_next(&scan, &symbol)) {
		assert_int_equal(symbol.address, address_of(count));
		assert_int_equal(symbol.name_offset, count * NAME_SIZE);
		assert_int_equal(scan.next, ++count);
	}
	assert_int_equal(scan.status, UPM_OK);
	assert_int_equal(count, SYMBOLS);
	upm_symbol_scan_close(&scan);
}

static void every_walk_sees_all_symbols(void **state)
{
	struct upm_symbol_tables tables;
	struct upm_binary *binary;
	struct upm_symbol symbol;
	char path[64];

	(void)state;
	write_image(path);
	assert_upm_ok(upm_binary_open(path, &binary));
	assert_upm_ok(upm_binary_symbols(binary, UPM_SYMBOLS_OWN, NULL, NULL, &tables));
	assert_int_equal(tables.count, 1);
	assert_ptr_equal(upm_binary_symbol_table(binary, 0), tables.items[0]);
	walk(tables.items[0]);
	walk(tables.items[0]);
	upm_symbol_table_get(tables.items[0], 12345, &symbol);
	assert_string_equal(symbol.name, "f12345");
	walk(tables.items[0]);
	upm_binary_unref(binary);
	unlink(path);
}

static void a_file_that_shrinks_is_an_error(void **state)
{
	struct upm_symbol_tables tables;
	struct upm_symbol_scan scan;
	struct upm_symbol symbol;
	struct upm_binary *binary;
	char path[64];

	(void)state;
	write_image(path);
	assert_upm_ok(upm_binary_open(path, &binary));
	assert_upm_ok(upm_binary_symbols(binary, UPM_SYMBOLS_OWN, NULL, NULL, &tables));
	assert_int_equal(truncate(path, offsetof(struct image, symbols) + 500000), 0);
	assert_upm_ok(upm_symbol_scan_open(&scan, tables.items[0]));
	while (upm_symbol_scan_next(&scan, &symbol))
		;
	assert_true(scan.next < SYMBOLS);
	assert_int_equal(scan.status, UPM_ERR_FORMAT);
	upm_symbol_scan_close(&scan);
	upm_symbol_table_get(tables.items[0], 3, &symbol);
	assert_string_equal(symbol.name, "");
	upm_binary_unref(binary);
	unlink(path);
}

/* The names of one point are ranked when they are asked for, of a point of many before. */
static void all_names_of_a_point_are_told(void **state)
{
	struct upm_probe probe = {.size = sizeof(probe)};
	struct upm_probe_set *set;
	const char *specs;
	char path[64], spec[80];
	size_t last = SYMBOLS - ALIASES;

	(void)state;
	write_image(path);
	snprintf(spec, sizeof(spec), "%s:*", path);
	specs = spec;
	assert_upm_ok(upm_resolve(&specs, 1, NULL, &set));
	assert_int_equal(upm_probe_set_size(set), last + 1);
	assert_upm_ok(upm_probe_set_get(set, 777, &probe));
	assert_string_equal(probe.symbol, "f00777");
	assert_int_equal(probe.symbol_size, FUNCTION_SIZE);
	assert_int_equal(probe.alias_count, 0);
	assert_upm_ok(upm_probe_set_get(set, last, &probe));
	assert_string_equal(probe.symbol, "f39700");
	assert_int_equal(probe.alias_count, ALIASES - 1);
	assert_string_equal(upm_probe_set_alias(set, last, 0), "f39701");
	assert_string_equal(upm_probe_set_alias(set, last, ALIASES - 2), "f39999");
	assert_null(upm_probe_set_alias(set, last, ALIASES - 1));
	upm_probe_set_free(set);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_walk_sees_all_symbols),
		cmocka_unit_test(a_file_that_shrinks_is_an_error),
		cmocka_unit_test(all_names_of_a_point_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "support.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>

#include "binary/symbols.h"
#include "elf_image.h"

static const struct image_symbol some_symbols[] = {
	{"plain", IMAGE_BASE + 0x400, 8, STT_FUNC, STB_GLOBAL, 1},
	{"old@V_1", IMAGE_BASE + 0x408, 8, STT_FUNC, STB_GLOBAL, 1},
	{"new@@V_2", IMAGE_BASE + 0x410, 0, STT_GNU_IFUNC, STB_WEAK, 1},
	{"import@V_3", 0, 0, STT_FUNC, STB_GLOBAL, SHN_UNDEF},
	{"@odd", IMAGE_BASE, 1, STT_OBJECT, STB_LOCAL, 1},
	{"trailing@", IMAGE_BASE, 1, STT_NOTYPE, STB_LOCAL, 1},
	{"last", IMAGE_BASE + 0x420, 4, STT_FUNC, STB_GLOBAL, 1},
};
#define SOME_COUNT (sizeof(some_symbols) / sizeof(some_symbols[0]))

static struct upm_binary *open_image(struct image *image)
{
	struct upm_binary *binary;

	image_finish(image);
	assert_upm_ok(upm_binary_open_fd(bytes_to_fd(image->bytes, image->size), "image", &binary));
	free(image);
	return binary;
}

static struct upm_symbol_tables own_tables(struct upm_binary *binary)
{
	struct upm_symbol_tables tables;

	assert_upm_ok(upm_binary_symbols(binary, UPM_SYMBOLS_OWN, NULL, NULL, &tables));
	return tables;
}

static bool find(struct upm_symbol_table *table, const char *name, const char *version,
		 struct upm_symbol *symbol)
{
	for (size_t i = 0; i < upm_symbol_table_size(table); i++) {
		upm_symbol_table_get(table, i, symbol);
		if (strcmp(symbol->name, name) == 0 && strcmp(symbol->version, version) == 0)
			return true;
	}
	return false;
}

static void check_some_symbols(struct upm_symbol_table *table)
{
	struct upm_symbol symbol;

	assert_int_equal(upm_symbol_table_size(table), SOME_COUNT + 1);
	assert_true(find(table, "plain", "", &symbol));
	assert_int_equal(symbol.address, IMAGE_BASE + 0x400);
	assert_int_equal(symbol.size, 8);
	assert_int_equal(symbol.type, STT_FUNC);
	assert_int_equal(symbol.binding, STB_GLOBAL);
	assert_true(symbol.default_version && !symbol.undefined);
	assert_true(find(table, "old", "V_1", &symbol));
	assert_false(symbol.default_version);
	assert_true(find(table, "new", "V_2", &symbol));
	assert_true(symbol.default_version);
	assert_int_equal(symbol.type, STT_GNU_IFUNC);
	assert_int_equal(symbol.binding, STB_WEAK);
	assert_true(find(table, "import", "V_3", &symbol));
	assert_true(symbol.undefined);
	assert_true(find(table, "@odd", "", &symbol));
	assert_true(find(table, "trailing@", "", &symbol));
	assert_true(find(table, "last", "", &symbol));
}

static void reads_both_classes_and_byte_orders(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct image *image = image_new(i & 1 ? 64 : 32, i & 2);
		struct upm_symbol_tables tables;
		struct upm_binary *binary;

		image_symbols(image, false, some_symbols, SOME_COUNT);
		binary = open_image(image);
		tables = own_tables(binary);
		assert_int_equal(tables.count, 1);
		assert_false(upm_symbol_table_is_debug(tables.items[0]));
		check_some_symbols(tables.items[0]);
		tables = own_tables(binary);
		assert_int_equal(tables.count, 1);
		upm_binary_unref(binary);
	}
}

static const struct image_symbol versioned_symbols[] = {
	{"f", IMAGE_BASE + 0x400, 8, STT_FUNC, STB_GLOBAL, 1},
	{"f", IMAGE_BASE + 0x408, 8, STT_FUNC, STB_GLOBAL, 1},
	{"g", IMAGE_BASE + 0x410, 8, STT_FUNC, STB_GLOBAL, 1},
	{"h", 0, 0, STT_FUNC, STB_GLOBAL, SHN_UNDEF},
	/* names of versions, to have them in the string table */
	{"V_1", 0, 0, STT_OBJECT, STB_GLOBAL, SHN_ABS},
	{"V_2", 0, 0, STT_OBJECT, STB_GLOBAL, SHN_ABS},
};
enum { V_1_AT = 9, V_2_AT = 13 }; /* "\0f\0f\0g\0h\0V_1\0V_2\0" */

static void put_half(struct image *image, uint8_t *to, size_t index, uint64_t value)
{
	image_put(image, to + 2 * index, value, 2);
}

/* A dynamic table with .gnu.version, one definition (2: V_1) and one need (3: V_2). */
static size_t add_versioned(struct image *image)
{
	uint8_t numbers[14] = {0}, definition[28] = {0}, need[32] = {0};
	size_t table = image_symbols(image, true, versioned_symbols, 6), section;
	static const uint16_t values[] = {0, 2, 0x8002, 1, 3, 1, 1};

	for (size_t i = 0; i < 7; i++)
		put_half(image, numbers, i, values[i]);
	section = image_section(image, ".gnu.version", SHT_GNU_versym, 0, numbers, sizeof(numbers));
	image->sections[section].link = (uint32_t)table;
	put_half(image, definition, 0, 1);
	put_half(image, definition, 2, 2);
	image_put(image, definition + 12, 20, 4);
	image_put(image, definition + 20, V_1_AT, 4);
	image_section(image, ".gnu.version_d", SHT_GNU_verdef, 0, definition, sizeof(definition));
	put_half(image, need, 0, 1);
	put_half(image, need, 1, 1);
	image_put(image, need + 8, 16, 4);
	put_half(image, need + 16, 3, 3);
	image_put(image, need + 24, V_2_AT, 4);
	image_section(image, ".gnu.version_r", SHT_GNU_verneed, 0, need, sizeof(need));
	return table;
}

static void check_versioned(struct upm_binary *binary)
{
	struct upm_symbol_tables tables = own_tables(binary);
	struct upm_symbol symbol;

	assert_int_equal(tables.count, 1);
	upm_symbol_table_get(tables.items[0], 1, &symbol);
	assert_string_equal(symbol.version, "V_1");
	assert_true(symbol.default_version);
	upm_symbol_table_get(tables.items[0], 2, &symbol);
	assert_string_equal(symbol.version, "V_1");
	assert_false(symbol.default_version);
	assert_true(find(tables.items[0], "g", "", &symbol));
	assert_true(symbol.default_version);
	assert_true(find(tables.items[0], "h", "V_2", &symbol));
	assert_true(symbol.undefined && !symbol.default_version);
}

static void reads_versions_by_number(void **state)
{
	(void)state;
	for (int big = 0; big < 2; big++) {
		struct image *image = image_new(64, big);
		struct upm_binary *binary;

		add_versioned(image);
		binary = open_image(image);
		check_versioned(binary);
		upm_binary_unref(binary);
	}
}

static void add_dynamic_entry(struct image *image, uint8_t *to, size_t index, uint64_t tag,
			      uint64_t value)
{
	size_t word = image->bits / 8;

	image_put(image, to + 2 * word * index, tag, word);
	image_put(image, to + 2 * word * index + word, value, word);
}

/* Section headers stripped: PT_DYNAMIC and the hash table say where everything is. */
static void reads_files_without_section_headers(void **state)
{
	(void)state;
	for (int bits = 32; bits <= 64; bits += 32) {
		for (int gnu = 0; gnu < 2; gnu++) {
			struct image *image = image_new((unsigned)bits, false);
			size_t table = add_versioned(image);
			const struct image_section *parts = &image->sections[table];
			uint8_t dynamic[16 * 16] = {0}, hash[64] = {0};
			static const uint32_t sysv[] = {1, 7}, fast[] = {1, 1, 1, 0};
			struct upm_binary *binary;
			uint64_t hash_at;

			memcpy(hash, gnu ? fast : sysv, gnu ? sizeof(fast) : sizeof(sysv));
			if (gnu) { /* after the Bloom word: one bucket from 1, chain of 6 */
				uint8_t *bucket = hash + 16 + bits / 8;

				image_put(image, bucket, 1, 4);
				image_put(image, bucket + 4 * 6, 1, 4);
			}
			hash_at = image_append(image, hash, sizeof(hash));
			add_dynamic_entry(image, dynamic, 0, DT_SYMTAB,
					  IMAGE_BASE + parts[0].offset);
			add_dynamic_entry(image, dynamic, 1, DT_STRTAB,
					  IMAGE_BASE + parts[1].offset);
			add_dynamic_entry(image, dynamic, 2, DT_STRSZ, parts[1].size);
			add_dynamic_entry(image, dynamic, 3, DT_VERSYM,
					  IMAGE_BASE + parts[2].offset);
			add_dynamic_entry(image, dynamic, 4, DT_VERDEF,
					  IMAGE_BASE + parts[3].offset);
			add_dynamic_entry(image, dynamic, 5, DT_VERDEFNUM, 1);
			add_dynamic_entry(image, dynamic, 6, DT_VERNEED,
					  IMAGE_BASE + parts[4].offset);
			add_dynamic_entry(image, dynamic, 7, DT_VERNEEDNUM, 1);
			add_dynamic_entry(image, dynamic, 8, gnu ? DT_GNU_HASH : DT_HASH,
					  IMAGE_BASE + hash_at);
			image->dynamic = image_append(image, dynamic, sizeof(dynamic));
			image->dynamic_size = sizeof(dynamic);
			image->without_sections = true;
			binary = open_image(image);
			assert_int_equal(upm_symbol_table_size(own_tables(binary).items[0]), 7);
			check_versioned(binary);
			upm_binary_unref(binary);
		}
	}
}

enum lie {
	LIE_ENTRY_SIZE,
	LIE_OUT_OF_FILE,
	LIE_HUGE,
	LIE_LINK,
	LIE_LINK_TO_ITSELF,
	LIE_STRINGS_OUT_OF_FILE,
	LIE_UNTERMINATED,
	LIE_COUNT
};

static void tell(struct image *image, size_t table, enum lie lie)
{
	struct image_section *symbols = &image->sections[table], *strings = symbols + 1;

	switch (lie) {
	case LIE_ENTRY_SIZE:
		symbols->entry_size = 0;
		break;
	case LIE_OUT_OF_FILE:
		symbols->offset = UINT64_MAX - 8;
		break;
	case LIE_HUGE:
		symbols->size = UINT64_C(24) << 50;
		break;
	case LIE_LINK:
		symbols->link = 99;
		break;
	case LIE_LINK_TO_ITSELF:
		symbols->link = (uint32_t)table;
		break;
	case LIE_STRINGS_OUT_OF_FILE:
		strings->size = 1u << 30;
		break;
	default:
		image->bytes[strings->offset + strings->size - 1] = 'x';
	}
}

static void reports_tables_that_lie(void **state)
{
	(void)state;
	for (enum lie lie = 0; lie < LIE_COUNT; lie++) {
		struct image *image = image_new(64, false);
		struct upm_symbol_tables tables;
		struct upm_binary *binary;

		tell(image, image_symbols(image, false, some_symbols, SOME_COUNT), lie);
		binary = open_image(image);
		assert_upm(upm_binary_symbols(binary, UPM_SYMBOLS_OWN, NULL, NULL, &tables),
			   UPM_ERR_FORMAT);
		assert_int_equal(tables.count, 0);
		assert_string_equal(upm_error_last()->object, "image");
		assert_upm(upm_binary_symbols(binary, UPM_SYMBOLS_OWN, NULL, NULL, &tables),
			   UPM_ERR_FORMAT);
		upm_binary_unref(binary);
	}
}

static void bad_name_reads_as_empty(void **state)
{
	struct image *image = image_new(64, false);
	size_t table = image_symbols(image, false, some_symbols, SOME_COUNT);
	struct upm_symbol symbol;
	struct upm_binary *binary;

	(void)state;
	image_put(image, image->bytes + image->sections[table].offset + 24, UINT32_MAX, 4);
	binary = open_image(image);
	upm_symbol_table_get(own_tables(binary).items[0], 1, &symbol);
	assert_string_equal(symbol.name, "");
	assert_string_equal(symbol.version, "");
	upm_binary_unref(binary);
}

static void file_without_symbols_has_no_tables(void **state)
{
	struct upm_binary *binary = open_image(image_new(64, false));

	(void)state;
	assert_int_equal(own_tables(binary).count, 0);
	upm_binary_unref(binary);
}

static void check_against_loader(struct upm_symbol_table *table, uintptr_t bias, const char *name,
				 const char *version)
{
	struct upm_symbol symbol = {0};
	void *address = dlvsym(RTLD_DEFAULT, name, version);

	assert_non_null(address);
	assert_true(find(table, name, version, &symbol));
	assert_int_equal(symbol.address + bias, (uintptr_t)address);
}

static void agrees_with_the_loader(void **state)
{
	struct upm_symbol_tables tables;
	struct upm_symbol symbol = {0};
	struct upm_binary *binary;
	struct link_map *map;
	Dl_info info;

	(void)state;
	assert_true(dladdr1((void *)(uintptr_t)dlsym(RTLD_DEFAULT, "getppid"), &info, (void **)&map,
			    RTLD_DL_LINKMAP));
	assert_upm_ok(upm_binary_open(info.dli_fname, &binary));
	tables = own_tables(binary);
	assert_true(tables.count >= 1);
	check_against_loader(tables.items[0], map->l_addr, "getppid", "GLIBC_2.2.5");
	check_against_loader(tables.items[0], map->l_addr, "getpagesize", "GLIBC_2.2.5");
	assert_true(find(tables.items[0], "memcpy", "GLIBC_2.14", &symbol));
	assert_true(symbol.default_version);
	assert_true(find(tables.items[0], "memcpy", "GLIBC_2.2.5", &symbol));
	assert_false(symbol.default_version);
	upm_binary_unref(binary);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_both_classes_and_byte_orders),
		cmocka_unit_test(reads_versions_by_number),
		cmocka_unit_test(reads_files_without_section_headers),
		cmocka_unit_test(reports_tables_that_lie),
		cmocka_unit_test(bad_name_reads_as_empty),
		cmocka_unit_test(file_without_symbols_has_no_tables),
		cmocka_unit_test(agrees_with_the_loader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

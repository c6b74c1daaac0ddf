/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "support.h"

#include <dlfcn.h>
#include <lzma.h>
#include <string.h>
#include <sys/stat.h>

#include "binary/symbols.h"
#include "elf_image.h"

static const uint8_t id[20] = {0x5e, 0xed, 1}, other_id[20] = {0x0d, 0xd1};
static char directory[] = "/tmp/upm-debug-XXXXXX";

static const char *in_directory(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

static struct image *debug_image(unsigned bits, const uint8_t *build_id)
{
	static const struct image_symbol symbols[] = {
		{"hidden", IMAGE_BASE + 0x400, 8, STT_FUNC, STB_LOCAL, 1},
		{"versioned@@V_1", IMAGE_BASE + 0x408, 8, STT_FUNC, STB_GLOBAL, 1},
	};
	struct image *image = image_new(bits, false);

	if (build_id)
		image_note(image, "GNU", NT_GNU_BUILD_ID, build_id, sizeof(id));
	image_symbols(image, false, symbols, 2);
	image_finish(image);
	return image;
}

/* A binary without symbols of its own. */
static struct image *stripped_image(const uint8_t *build_id)
{
	struct image *image = image_new(64, false);

	if (build_id)
		image_note(image, "GNU", NT_GNU_BUILD_ID, build_id, sizeof(id));
	return image;
}

static void add_link(struct image *image, const char *name, uint32_t crc)
{
	uint8_t link[64] = {0};
	size_t padded = (strlen(name) + 4) & ~(size_t)3;

	memcpy(link, name, strlen(name) + 1);
	image_put(image, link + padded, crc, 4);
	image_section(image, ".gnu_debuglink", SHT_PROGBITS, 0, link, padded + 4);
}

static void save(struct image *image, const char *path)
{
	bytes_to_file(image->bytes, image->size, path);
	free(image);
}

static struct upm_binary *open_saved(struct image *image)
{
	struct upm_binary *binary;

	image_finish(image);
	save(image, in_directory("binary"));
	assert_upm_ok(upm_binary_open(in_directory("binary"), &binary));
	return binary;
}

static void expect_tables(struct upm_binary *binary, unsigned sources, size_t count)
{
	struct upm_symbol_tables tables;
	struct upm_symbol symbol;

	assert_upm_ok(upm_binary_symbols(binary, sources, NULL, NULL, &tables));
	assert_int_equal(tables.count, count);
	if (count) {
		assert_true(upm_symbol_table_is_debug(tables.items[0]));
		upm_symbol_table_get(tables.items[0], 1, &symbol);
		assert_string_equal(symbol.name, "hidden");
		upm_symbol_table_get(tables.items[0], 2, &symbol);
		assert_string_equal(symbol.name, "versioned");
		assert_string_equal(symbol.version, "V_1");
	}
}

static void expect_after_save(struct image *image, size_t count)
{
	struct upm_binary *binary = open_saved(image);

	expect_tables(binary, UPM_SYMBOLS_OWN, 0);
	expect_tables(binary, UPM_SYMBOLS_DEBUG, count);
	expect_tables(binary, UPM_SYMBOLS_DEBUG | UPM_SYMBOLS_OWN, count);
	upm_binary_unref(binary);
}

static void follows_link_with_right_crc(void **state)
{
	static const char *const places[] = {"binary.debug", ".debug/binary.debug"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct image *debug = debug_image(64, NULL), *image = stripped_image(NULL);

		add_link(image, "binary.debug", lzma_crc32(debug->bytes, debug->size, 0));
		save(debug, in_directory(places[i]));
		expect_after_save(image, 1);

		image = stripped_image(NULL);
		add_link(image, "binary.debug", 12345);
		expect_after_save(image, 0);
		unlink(in_directory(places[i]));
	}
}

static void follows_link_with_equal_build_id(void **state)
{
	struct image *image = stripped_image(id);

	(void)state;
	save(debug_image(64, id), in_directory("binary.debug"));
	add_link(image, "binary.debug", 0);
	expect_after_save(image, 1);

	image = stripped_image(other_id);
	add_link(image, "binary.debug", 0);
	expect_after_save(image, 0);

	save(debug_image(32, id), in_directory("binary.debug"));
	image = stripped_image(id);
	add_link(image, "binary.debug", 0);
	expect_after_save(image, 0);
	unlink(in_directory("binary.debug"));
}

static void passes_over_damaged_links(void **state)
{
	struct image *image = stripped_image(id);

	(void)state;
	image_section(image, ".gnu_debuglink", SHT_PROGBITS, 0, "name", 4);
	expect_after_save(image, 0);
	image = stripped_image(id);
	add_link(image, "../binary.debug", 0);
	expect_after_save(image, 0);
	image = stripped_image(id);
	add_link(image, "binary", 0); /* itself */
	expect_after_save(image, 0);
	image = stripped_image(id);
	add_link(image, "missing", 0);
	expect_after_save(image, 0);
}

static size_t pack(const void *bytes, size_t size, uint8_t *to, size_t room)
{
	size_t at = 0;

	assert_int_equal(
		lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, bytes, size, to, &at, room),
		LZMA_OK);
	return at;
}

static struct image *image_with_debugdata(const uint8_t *packed, size_t size)
{
	struct image *image = stripped_image(NULL);

	image_section(image, ".gnu_debugdata", SHT_PROGBITS, 0, packed, size);
	return image;
}

static void expect_damage(struct image *image)
{
	struct upm_binary *binary = open_saved(image);
	struct upm_symbol_tables tables;

	assert_upm(upm_binary_symbols(binary, UPM_SYMBOLS_DEBUG, NULL, NULL, &tables),
		   UPM_ERR_FORMAT);
	assert_non_null(strstr(upm_error_last()->operation, ".gnu_debugdata"));
	expect_tables(binary, UPM_SYMBOLS_OWN, 0);
	upm_binary_unref(binary);
}

static void unpacks_debugdata(void **state)
{
	static uint8_t packed[64 << 10];
	struct image *debug = debug_image(64, NULL);
	size_t size = pack(debug->bytes, debug->size, packed, sizeof(packed));

	(void)state;
	free(debug);
	expect_after_save(image_with_debugdata(packed, size), 1);
	for (size_t cut = 0; cut < size; cut += 7)
		expect_damage(image_with_debugdata(packed, cut));
	packed[size / 2] ^= 0x55;
	expect_damage(image_with_debugdata(packed, size));
	expect_damage(image_with_debugdata((const uint8_t *)"no xz at all", 12));
}

/* A few kilobytes that unpack to more than anybody needs. */
static void bounds_what_debugdata_unpacks_to(void **state)
{
	enum { PART = 16 << 20, PARTS = 40 };
	static uint8_t packed[512 << 10];
	uint8_t *zeros = calloc(1, PART);
	size_t size, total = 0;

	(void)state;
	assert_non_null(zeros);
	size = pack(zeros, PART, packed, sizeof(packed));
	free(zeros);
	for (int i = 0; i < PARTS; i++, total += size)
		memmove(packed + total, packed, size);
	expect_damage(image_with_debugdata(packed, total));
}

static void finds_debug_file_of_libc(void **state)
{
	struct upm_symbol_tables own, debug;
	struct upm_binary *binary;
	Dl_info info;

	(void)state;
	assert_true(dladdr((void *)(uintptr_t)dlsym(RTLD_DEFAULT, "getppid"), &info));
	assert_upm_ok(upm_binary_open(info.dli_fname, &binary));
	assert_upm_ok(upm_binary_symbols(binary, UPM_SYMBOLS_OWN, NULL, NULL, &own));
	assert_upm_ok(upm_binary_symbols(binary, UPM_SYMBOLS_DEBUG, NULL, NULL, &debug));
	if (debug.count == 0) {
		upm_binary_unref(binary);
		skip_because("the package libc6-dbg is not installed");
	}
	assert_true(upm_symbol_table_is_debug(debug.items[0]));
	assert_false(upm_symbol_table_is_debug(own.items[0]));
	assert_true(upm_symbol_table_size(debug.items[0]) > upm_symbol_table_size(own.items[0]));
	upm_binary_unref(binary);
}

static int32_t count_calls(const char *stage, uint64_t done, uint64_t total, void *context)
{
	(void)done, (void)total;
	assert_string_equal(stage, "debuginfo");
	return (*(int *)context)-- == 0;
}

static void make_server(void)
{
	char path[128];
	size_t at;

	snprintf(path, sizeof(path), "file://%s/", directory);
	setenv("DEBUGINFOD_URLS", path, 1);
	setenv("DEBUGINFOD_CACHE_PATH", in_directory("cache"), 1);
	mkdir(in_directory("buildid"), 0700);
	at = (size_t)snprintf(path, sizeof(path), "%s/buildid/", directory);
	for (size_t i = 0; i < sizeof(id); i++)
		at += (size_t)snprintf(path + at, sizeof(path) - at, "%02x", id[i]);
	mkdir(path, 0700);
	snprintf(path + at, sizeof(path) - at, "/debuginfo");
	save(debug_image(64, id), path);
}

static void asks_debuginfod(void **state)
{
	struct upm_symbol_tables tables;
	struct upm_binary *binary;
	int calls = 0;

	(void)state;
	make_server();
	binary = open_saved(stripped_image(id));
	expect_tables(binary, UPM_SYMBOLS_DEBUG, 0);
	assert_upm(upm_binary_symbols(binary, UPM_SYMBOLS_DEBUGINFOD, count_calls, &calls, &tables),
		   UPM_ERR_CANCELLED);
	calls = 1 << 20;
	assert_upm_ok(
		upm_binary_symbols(binary, UPM_SYMBOLS_DEBUGINFOD, count_calls, &calls, &tables));
	expect_tables(binary, UPM_SYMBOLS_DEBUGINFOD, 1);
	upm_binary_unref(binary);
	binary = open_saved(stripped_image(other_id));
	expect_tables(binary, UPM_SYMBOLS_DEBUGINFOD, 0);
	upm_binary_unref(binary);
	unsetenv("DEBUGINFOD_URLS");
	binary = open_saved(stripped_image(id));
	expect_tables(binary, UPM_SYMBOLS_DEBUGINFOD, 0);
	upm_binary_unref(binary);
}

static int make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) && !mkdir(in_directory(".debug"), 0700) ? 0 : -1;
}

static int remove_directory(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_link_with_right_crc),
		cmocka_unit_test(follows_link_with_equal_build_id),
		cmocka_unit_test(passes_over_damaged_links),
		cmocka_unit_test(unpacks_debugdata),
		cmocka_unit_test(bounds_what_debugdata_unpacks_to),
		cmocka_unit_test(finds_debug_file_of_libc),
		cmocka_unit_test(asks_debuginfod),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}

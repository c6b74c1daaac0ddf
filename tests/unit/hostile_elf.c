/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Cut and mutated ELF files: whatever is in them, the answer is an error or symbols. */
#include "support.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "binary/dynamic.h"
#include "binary/symbols.h"
#include "elf_image.h"

#define READ_MAX (2u << 20)

struct sample {
	uint8_t *bytes;
	size_t size;
};

static struct sample read_sample(const char *path)
{
	struct sample sample = {.bytes = malloc(READ_MAX)};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	assert_true(fd >= 0);
	assert_non_null(sample.bytes);
	while ((got = read(fd, sample.bytes + sample.size, READ_MAX - sample.size)) > 0)
		sample.size += (size_t)got;
	close(fd);
	if (!sample.size)
		abort();
	return sample;
}

static size_t walk(struct upm_binary *binary)
{
	struct upm_symbol_tables tables;
	size_t letters = 0;

	if (upm_binary_symbols(binary, UPM_SYMBOLS_OWN | UPM_SYMBOLS_DEBUG, NULL, NULL, &tables)) {
		assert_int_equal(upm_error_last()->code, UPM_ERR_FORMAT);
		return 0;
	}
	for (size_t i = 0; i < tables.count; i++) {
		for (size_t j = 0; j < upm_symbol_table_size(tables.items[i]); j++) {
			struct upm_symbol symbol;
			uint64_t offset;

			upm_symbol_table_get(tables.items[i], j, &symbol);
			letters += strlen(symbol.name) + strlen(symbol.version);
			if (upm_binary_offset_of(binary, symbol.address, &offset))
				upm_binary_executable_at(binary, offset);
		}
	}
	return letters;
}

/* @return true when the file was opened */
static bool read_everything(const uint8_t *bytes, size_t size)
{
	struct upm_binary *binary;
	char *text;

	if (upm_binary_open_fd(bytes_to_fd(bytes, size), "sample", &binary)) {
		assert_int_equal(upm_error_last()->code, UPM_ERR_FORMAT);
		assert_true(*upm_error_last()->message);
		return false;
	}
	walk(binary);
	text = upm_binary_soname(binary);
	free(text);
	text = upm_binary_interpreter(binary);
	free(text);
	upm_binary_unref(binary);
	return true;
}

static void cut_anywhere(void **state)
{
	struct sample sample = read_sample(test_build_path("target/known"));

	(void)state;
	assert_true(read_everything(sample.bytes, sample.size));
	/* The section headers are the last thing in the file: without them it is truncated. */
	for (size_t size = 0; size < sample.size; size += size < 4096 ? 16 : 1024)
		assert_false(read_everything(sample.bytes, size));
	free(sample.bytes);
}

static void cut_while_open(void **state)
{
	struct sample sample = read_sample(test_build_path("target/known"));

	(void)state;
	for (size_t size = 0; size < sample.size; size += sample.size / 50) {
		int fd = bytes_to_fd(sample.bytes, sample.size);
		struct upm_binary *binary;
		struct upm_code_window window;
		size_t available;

		assert_upm_ok(upm_binary_open_fd(fd, "sample", &binary));
		assert_int_equal(ftruncate(fd, (off_t)size), 0);
		walk(binary);
		assert_upm_ok(upm_code_window_open(&window, binary));
		upm_code_window_at(&window, sample.size / 2, 16, &available);
		assert_int_equal(available, size > sample.size / 2 ? 16 : 0);
		upm_code_window_close(&window);
		upm_binary_unref(binary);
	}
	free(sample.bytes);
}

/* The parts that steer the reading: headers at both ends, and whatever is hit in between. */
static size_t place_to_hit(const struct sample *sample, size_t headers)
{
	switch (rand() % 4) {
	case 0:
		return (size_t)rand() % 0x400;
	case 1:
	case 2:
		return sample->size - 1 - (size_t)rand() % headers;
	default:
		return (size_t)rand() % sample->size;
	}
}

static void mutate(const struct sample *sample, size_t headers, int rounds)
{
	static const uint8_t bad[] = {0, 1, 0x7f, 0x80, 0xff};
	uint8_t *copy = malloc(sample->size);
	int opened = 0;

	assert_non_null(copy);
	for (int i = 0; i < rounds; i++) {
		int hits = 1 + rand() % 6;

		memcpy(copy, sample->bytes, sample->size);
		while (hits--) {
			uint8_t *at = copy + place_to_hit(sample, headers);

			*at = rand() % 2 ? (uint8_t)(*at ^ 1 << rand() % 8)
					 : bad[rand() % sizeof(bad)];
		}
		opened += read_everything(copy, sample->size);
	}
	assert_in_range(opened, rounds / 20, rounds);
	free(copy);
}

static struct image *rich_image(unsigned bits, bool big, bool without_sections)
{
	static const struct image_symbol symbols[] = {
		{"one", IMAGE_BASE + 0x400, 8, STT_FUNC, STB_GLOBAL, 1},
		{"two@@V_2", IMAGE_BASE + 0x408, 8, STT_FUNC, STB_GLOBAL, 1},
		{"three@V_3", 0, 0, STT_FUNC, STB_GLOBAL, SHN_UNDEF},
	};
	static const uint8_t id[20] = {9};
	struct image *image = image_new(bits, big);
	uint8_t dynamic[32 * 16] = {0}, hash[64];
	size_t table = image_symbols(image, true, symbols, 3), word = bits / 8;
	uint64_t values[][2] = {
		{DT_SYMTAB, IMAGE_BASE + image->sections[table].offset},
		{DT_STRTAB, IMAGE_BASE + image->sections[table + 1].offset},
		{DT_STRSZ, image->sections[table + 1].size},
		{DT_GNU_HASH, 0},
		{DT_NEEDED, 1},
		{DT_SONAME, 1},
	};

	image_symbols(image, false, symbols, 3);
	image_note(image, "GNU", NT_GNU_BUILD_ID, id, sizeof(id));
	for (size_t i = 0; i < sizeof(hash); i++)
		hash[i] = (uint8_t)(rand() % 3);
	values[3][1] = IMAGE_BASE + image_append(image, hash, sizeof(hash));
	for (size_t i = 0; i < 6; i++) {
		image_put(image, dynamic + 2 * word * i, values[i][0], word);
		image_put(image, dynamic + 2 * word * i + word, values[i][1], word);
	}
	image->dynamic = image_append(image, dynamic, sizeof(dynamic));
	image->dynamic_size = sizeof(dynamic);
	image->without_sections = without_sections;
	image_finish(image);
	return image;
}

static void mutated_images(void **state)
{
	(void)state;
	srand(2);
	for (int kind = 0; kind < 8; kind++) {
		struct image *image = rich_image(kind & 1 ? 64 : 32, kind & 2, kind & 4);
		struct sample sample = {image->bytes, image->size};

		mutate(&sample, 0x300, 1000);
		free(image);
	}
}

static void mutated_real_file(void **state)
{
	struct sample sample = read_sample(test_build_path("target/known"));

	(void)state;
	srand(3);
	mutate(&sample, 2048, 500);
	free(sample.bytes);
}

static void sparse_terabyte(void **state)
{
	struct image *image = rich_image(64, false, false);
	uint64_t symtab = image->section_headers + 3 * sizeof(Elf64_Shdr);
	int fd;
	struct upm_symbol_tables tables;
	struct upm_binary *binary;

	(void)state;
	image_put(image, image->bytes + symtab + offsetof(Elf64_Shdr, sh_size),
		  (UINT64_C(1) << 40) / 24 * 24 - 24 * 4096, 8);
	fd = bytes_to_fd(image->bytes, image->size);
	assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
	assert_upm_ok(upm_binary_open_fd(fd, "sparse", &binary));
	assert_upm(upm_binary_symbols(binary, UPM_SYMBOLS_OWN, NULL, NULL, &tables),
		   UPM_ERR_FORMAT);
	upm_binary_unref(binary);
	free(image);
}

static void no_segments(void **state)
{
	struct image *image = rich_image(64, false, false);

	(void)state;
	image_put(image, image->bytes + sizeof(Elf64_Ehdr), PT_NULL, 4);
	assert_true(read_everything(image->bytes, image->size));
	free(image);
}

/* Records that all point to each other would take for ever to walk one by one. */
static void overlapping_versions(void **state)
{
	enum { SIZE = 256 << 10, COUNT = 1 };
	static const struct image_symbol symbol = {"f", IMAGE_BASE, 8, STT_FUNC, STB_GLOBAL, 1};
	struct image *image = image_new(64, false);
	size_t table = image_symbols(image, true, &symbol, COUNT), section;
	uint8_t *needs = malloc(SIZE), numbers[2 * (COUNT + 1)] = {0, 0, 2, 0};
	struct upm_binary *binary;

	(void)state;
	assert_non_null(needs);
	memset(needs, 1, SIZE);
	for (size_t i = 0; i + 4 <= SIZE; i += 4)
		image_put(image, needs + i, i % 16 == 4 || i % 16 == 12 ? 4 : 0x10001, 4);
	section = image_section(image, ".gnu.version", SHT_GNU_versym, 0, numbers, sizeof(numbers));
	image->sections[section].link = (uint32_t)table;
	image_section(image, ".gnu.version_r", SHT_GNU_verneed, 0, needs, SIZE);
	image_finish(image);
	assert_upm_ok(
		upm_binary_open_fd(bytes_to_fd(image->bytes, image->size), "overlap", &binary));
	walk(binary);
	upm_binary_unref(binary);
	free(needs);
	free(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_anywhere),		cmocka_unit_test(cut_while_open),
		cmocka_unit_test(mutated_images),	cmocka_unit_test(mutated_real_file),
		cmocka_unit_test(sparse_terabyte),	cmocka_unit_test(no_segments),
		cmocka_unit_test(overlapping_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "support.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "binary/binary.h"
#include "elf_image.h"

static struct image *image_with_text(unsigned bits, bool big)
{
	static const uint8_t code[64] = {0x55, 0xc3};
	struct image *image = image_new(bits, big);

	image_section(image, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, code, sizeof(code));
	return image;
}

static struct upm_binary *open_image(struct image *image)
{
	struct upm_binary *binary;

	image_finish(image);
	assert_upm_ok(upm_binary_open_fd(bytes_to_fd(image->bytes, image->size), "image", &binary));
	free(image);
	return binary;
}

static void opens_itself(void **state)
{
	struct upm_binary *binary;
	struct stat facts;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC); /* valgrind's stat() is its own */

	(void)state;
	assert_upm_ok(upm_binary_open("/proc/self/exe", &binary));
	assert_int_equal(fstat(fd, &facts), 0);
	close(fd);
	assert_true(binary->device == facts.st_dev && binary->inode == facts.st_ino);
	assert_int_equal(binary->file_size, facts.st_size);
	assert_int_equal(binary->bits, 8 * sizeof(void *));
	assert_true(binary->segments.count >= 2);
	assert_true(fcntl(binary->fd, F_GETFD) & FD_CLOEXEC);
	assert_ptr_equal(upm_binary_ref(binary), binary);
	upm_binary_unref(binary);
	upm_binary_unref(binary);
	upm_binary_unref(NULL);
}

static void reads_both_classes_and_byte_orders(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		unsigned bits = i & 1 ? 64 : 32;
		bool big = i & 2;
		struct upm_binary *binary = open_image(image_with_text(bits, big));

		assert_int_equal(binary->bits, bits);
		assert_int_equal(binary->big_endian, big);
		assert_int_equal(binary->machine, bits == 64 ? EM_X86_64 : EM_386);
		assert_int_equal(binary->elf_type, ET_DYN);
		assert_int_equal(binary->segments.count, 1);
		assert_int_equal(binary->segments.items[0].address, IMAGE_BASE);
		assert_true(binary->segments.items[0].executable);
		assert_false(binary->segments.items[0].writable);
		upm_binary_unref(binary);
	}
}

static void refuses(const char *path, int32_t status, const char *message)
{
	struct upm_binary *binary;

	assert_upm(upm_binary_open(path, &binary), status);
	assert_string_equal(upm_error_last()->object, path);
	if (!strstr(upm_error_last()->message, message))
		fail_msg("%s: \"%s\" lacks \"%s\"", path, upm_error_last()->message, message);
}

static void refuses_what_is_no_elf_file(void **state)
{
	char directory[] = "/tmp/upm-binary-XXXXXX", path[64];

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/file", directory);
	refuses(path, UPM_ERR_NOT_FOUND, "No such file");
	refuses(directory, UPM_ERR_FORMAT, "directory");
	refuses("/dev/null", UPM_ERR_FORMAT, "device");
	assert_int_equal(mkfifo(path, 0600), 0);
	refuses(path, UPM_ERR_FORMAT, "named pipe");
	unlink(path);
	bytes_to_file("", 0, path);
	refuses(path, UPM_ERR_FORMAT, "empty");
	bytes_to_file("#!/bin/sh\n", 10, path);
	refuses(path, UPM_ERR_FORMAT, "script");
	bytes_to_file("text", 4, path);
	refuses(path, UPM_ERR_FORMAT, "not an ELF file");
	bytes_to_file("\177ELF\2\1\1", 7, path);
	refuses(path, UPM_ERR_FORMAT, "truncated");
	unlink(path);
	rmdir(directory);
}

static void refuses_bytes(struct image *image, size_t offset, uint64_t value, size_t size)
{
	struct upm_binary *binary;
	uint8_t saved[8];

	memcpy(saved, image->bytes + offset, size);
	image_put(image, image->bytes + offset, value, size);
	assert_upm(upm_binary_open_fd(bytes_to_fd(image->bytes, image->size), "image", &binary),
		   UPM_ERR_FORMAT);
	memcpy(image->bytes + offset, saved, size);
}

static void refuses_headers_that_lie(void **state)
{
	struct image *image = image_with_text(64, false);

	(void)state;
	image_finish(image);
	refuses_bytes(image, EI_CLASS, 3, 1);
	refuses_bytes(image, EI_DATA, 0, 1);
	refuses_bytes(image, EI_VERSION, 9, 1);
	refuses_bytes(image, offsetof(Elf64_Ehdr, e_phoff), UINT64_MAX - 8, 8);
	refuses_bytes(image, offsetof(Elf64_Ehdr, e_phnum), 0xfffe, 2);
	refuses_bytes(image, offsetof(Elf64_Ehdr, e_phentsize), 8, 2);
	refuses_bytes(image, offsetof(Elf64_Ehdr, e_shoff), 1u << 30, 8);
	refuses_bytes(image, offsetof(Elf64_Ehdr, e_shnum), 0xfeff, 2);
	refuses_bytes(image, offsetof(Elf64_Ehdr, e_shentsize), 0, 2);
	free(image);
}

static void finds_build_id_and_go(void **state)
{
	static const uint8_t id[20] = {1, 2, 3, 4, 5};
	struct image *image = image_with_text(32, true);
	struct upm_binary *binary;

	(void)state;
	image_note(image, "GNU", NT_GNU_BUILD_ID, id, sizeof(id));
	binary = open_image(image);
	assert_int_equal(binary->build_id_size, sizeof(id));
	assert_memory_equal(binary->build_id, id, sizeof(id));
	assert_false(binary->go);
	upm_binary_unref(binary);

	image = image_with_text(64, false);
	image_note(image, "Go", 4, id, sizeof(id));
	binary = open_image(image);
	assert_true(binary->go);
	assert_int_equal(binary->build_id_size, 0);
	upm_binary_unref(binary);

	image = image_with_text(64, false);
	image_section(image, ".gopclntab", SHT_PROGBITS, SHF_ALLOC, id, sizeof(id));
	binary = open_image(image);
	assert_true(binary->go);
	upm_binary_unref(binary);
}

static void passes_over_damaged_notes(void **state)
{
	static const uint8_t note[][16] = {
		{0xff, 0xff, 0xff, 0xff, 4, 0, 0, 0, 3, 0, 0, 0, 'G', 'N', 'U', 0},
		{4, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 3, 0, 0, 0, 'G', 'N', 'U', 0},
		{4, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 'G', 'N', 'U', 0},
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct image *image = image_with_text(64, false);
		struct upm_binary *binary;

		image_section(image, ".note", SHT_NOTE, SHF_ALLOC, note[i], sizeof(note[i]));
		binary = open_image(image);
		assert_int_equal(binary->build_id_size, 0);
		upm_binary_unref(binary);
	}
}

static void translates_addresses(void **state)
{
	struct upm_binary *binary = open_image(image_with_text(64, false));
	uint64_t value = 1;

	(void)state;
	assert_true(upm_binary_offset_of(binary, IMAGE_BASE, &value));
	assert_int_equal(value, 0);
	assert_true(upm_binary_offset_of(binary, IMAGE_BASE + binary->file_size - 1, &value));
	assert_int_equal(value, binary->file_size - 1);
	assert_false(upm_binary_offset_of(binary, IMAGE_BASE - 1, &value));
	assert_false(upm_binary_offset_of(binary, IMAGE_BASE + binary->file_size, &value));
	assert_false(upm_binary_offset_of(binary, UINT64_MAX, &value));
	assert_true(upm_binary_address_of(binary, 0x400, &value));
	assert_int_equal(value, IMAGE_BASE + 0x400);
	assert_false(upm_binary_address_of(binary, UINT64_MAX, &value));
	assert_non_null(upm_binary_executable_at(binary, 0x400));
	assert_null(upm_binary_executable_at(binary, binary->file_size));
	assert_null(upm_binary_writable_at(binary, 0x400));
	upm_binary_unref(binary);
}

static void window_shows_the_file(void **state)
{
	struct upm_code_window window;
	struct upm_binary *binary;
	uint64_t offset = 0;
	uint8_t wanted[4096];

	(void)state;
	srand(1);
	assert_upm_ok(upm_binary_open("/proc/self/exe", &binary));
	assert_upm_ok(upm_code_window_open(&window, binary));
	for (int i = 0; i < 5000; i++) {
		size_t length = 1 + (size_t)rand() % sizeof(wanted), available;
		ssize_t there = pread(binary->fd, wanted, length, (off_t)offset);
		const uint8_t *bytes = upm_code_window_at(&window, offset, length, &available);

		assert_int_equal(available, there);
		assert_memory_equal(bytes, wanted, available);
		offset = i % 50 ? offset + (uint64_t)rand() % 600
				: (uint64_t)rand() % (binary->file_size + 100);
	}
	upm_code_window_at(&window, 0, 64 << 10, &(size_t){0});
	upm_code_window_at(&window, UINT64_MAX, 16, &(size_t){0});
	upm_code_window_close(&window);
	upm_binary_unref(binary);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_itself),
		cmocka_unit_test(reads_both_classes_and_byte_orders),
		cmocka_unit_test(refuses_what_is_no_elf_file),
		cmocka_unit_test(refuses_headers_that_lie),
		cmocka_unit_test(finds_build_id_and_go),
		cmocka_unit_test(passes_over_damaged_notes),
		cmocka_unit_test(translates_addresses),
		cmocka_unit_test(window_shows_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

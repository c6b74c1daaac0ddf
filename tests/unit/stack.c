/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Functions by file offset, and lists of functions that were made at run time. */
#include "support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "elf_image.h"
#include "stack/image.h"
#include "stack/jit.h"

/* ---- functions of a file */

/* A gap behind the first; the second has no size, the third ends the second. */
static const struct image_symbol symbols[] = {
	{"first", IMAGE_BASE + 0x400, 0x10, STT_FUNC, STB_GLOBAL, 1},
	{"alias_of_first", IMAGE_BASE + 0x400, 0x10, STT_FUNC, STB_LOCAL, 1},
	{"data", IMAGE_BASE + 0x418, 0x100, STT_OBJECT, STB_GLOBAL, 1},
	{"unsized", IMAGE_BASE + 0x420, 0, STT_FUNC, STB_GLOBAL, 1},
	{"third", IMAGE_BASE + 0x430, 8, STT_FUNC, STB_GLOBAL, 1},
	{"imported", IMAGE_BASE + 0x438, 8, STT_FUNC, STB_GLOBAL, SHN_UNDEF},
};

static void assert_function(struct upm_image *image, uint64_t offset, const char *name,
			    uint64_t start)
{
	for (int again = 0; again < 2; again++) {
		uint64_t found = 0;

		assert_string_equal(upm_image_function(image, offset, &found), name);
		assert_int_equal(found, start);
	}
}

static void assert_no_function(struct upm_image *image, uint64_t offset)
{
	uint64_t found;

	assert_null(upm_image_function(image, offset, &found));
	assert_null(upm_image_function(image, offset, &found));
}

static void functions_by_offset(void **state)
{
	struct image *elf = image_new(64, false);
	struct upm_image image = {0};
	int fd = memfd_create("image", 0);

	(void)state;
	image_symbols(elf, false, symbols, sizeof(symbols) / sizeof(symbols[0]));
	image_finish(elf);
	assert_int_equal(write(fd, elf->bytes, elf->size), elf->size);
	assert_upm_ok(upm_binary_open_fd(fd, "image", &image.binary));
	assert_no_function(&image, 0x3ff);
	assert_function(&image, 0x400, "first", 0x400);
	assert_function(&image, 0x40f, "first", 0x400);
	assert_no_function(&image, 0x410);
	assert_no_function(&image, 0x418);
	assert_function(&image, 0x420, "unsized", 0x420);
	assert_function(&image, 0x42f, "unsized", 0x420);
	assert_function(&image, 0x430, "third", 0x430);
	assert_no_function(&image, 0x438);
	assert_no_function(&image, UINT64_MAX);
	assert_no_function(&image, 0x80000000);
	upm_symbol_index_close(&image.index);
	upm_binary_unref(image.binary);
	free(image.answers);
	free(elf);
}

static void no_file_no_function(void **state)
{
	struct upm_image image = {0};

	(void)state;
	assert_no_function(&image, 0x400);
}

/* ---- files that come and go */

static char directory[] = "/tmp/upm-images-XXXXXX";

static int make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	int failure = rmdir(directory);

	(void)state;
	strcpy(directory + strlen(directory) - 6, "XXXXXX");
	return failure;
}

static void write_file(const char *path, const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

/* An ELF file with one function. */
static void write_elf(const char *path, const char *function)
{
	const struct image_symbol symbol = {function, IMAGE_BASE + 0x400, 0x10,
					    STT_FUNC, STB_GLOBAL,	  1};
	struct image *elf = image_new(64, false);

	image_symbols(elf, false, &symbol, 1);
	image_finish(elf);
	write_file(path, elf->bytes, elf->size);
	free(elf);
}

static struct upm_image *image_of(struct upm_images *images, char *path)
{
	struct upm_mapping mapping = {.start = 1, .end = 2, .executable = true, .path = path};
	struct upm_image *image;
	struct stat facts;

	assert_int_equal(stat(path, &facts), 0);
	mapping.device = facts.st_dev;
	mapping.inode = facts.st_ino;
	assert_int_equal(upm_images_of_mapping(images, getpid(), &mapping, &image), UPM_OK);
	assert_non_null(image);
	return image;
}

static int next_descriptor(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

/* So that they are told from later ones by their times. */
static void let_files_settle(void)
{
	usleep(50000);
}

static char *path_of(int number)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%d", directory, number);
	return path;
}

static void write_numbered(int number, const char *path)
{
	char name[16];

	snprintf(name, sizeof(name), "of_%06d", number);
	write_elf(path, name);
}

static void assert_numbered(struct upm_image *image, int number)
{
	char name[16];

	snprintf(name, sizeof(name), "of_%06d", number);
	assert_function(image, 0x400, name, 0x400);
}

static void neither_descriptors_nor_images_pile_up(void **state)
{
	enum { FILES = 2 * UPM_IMAGES_KEPT };
	struct upm_image *first = NULL, *image;
	struct upm_images images = {0};
	int descriptor = next_descriptor();

	(void)state;
	for (int i = 0; i < FILES; i++)
		write_numbered(i, path_of(i));
	let_files_settle();
	for (int i = 0; i < FILES; i++) {
		image = image_of(&images, path_of(i));
		assert_numbered(image, i);
		assert_no_function(image, 0x500);
		if (!first)
			first = upm_image_hold(image);
		assert_ptr_equal(image_of(&images, path_of(i)), image);
		assert_true(images.list.count <= UPM_IMAGES_KEPT);
		assert_int_equal(next_descriptor(), descriptor);
	}
	assert_ptr_equal(image_of(&images, path_of(0)), first);
	assert_numbered(first, 0);
	for (int i = 0; i < FILES; i++)
		assert_int_equal(unlink(path_of(i)), 0);
	upm_images_close(&images);
}

/* The next file often gets the inode of the last one, its size, and the time of the same tick. */
static void a_file_in_the_place_of_another(void **state)
{
	struct upm_images images = {0};

	(void)state;
	for (int i = 0; i < 500; i++) {
		write_numbered(i, path_of(0));
		assert_numbered(image_of(&images, path_of(0)), i);
		assert_int_equal(unlink(path_of(0)), 0);
	}
	upm_images_close(&images);
}

/* Also where the size is the same, and where the file was no ELF file before. */
static void a_file_that_is_written_anew(void **state)
{
	const struct timespec long_ago[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
	struct upm_images images = {0};
	struct upm_image *image;
	char path[128];
	uint64_t start;

	(void)state;
	snprintf(path, sizeof(path), "%s/written", directory);
	write_elf(path, "before");
	image = upm_image_hold(image_of(&images, path));
	assert_function(image, 0x400, "before", 0x400);
	write_elf(path, "behind");
	assert_int_equal(utimensat(AT_FDCWD, path, long_ago, 0), 0);
	assert_function(image_of(&images, path), 0x400, "behind", 0x400);
	write_file(path, "nothing", 7);
	assert_null(upm_image_function(image_of(&images, path), 0x400, &start));
	write_elf(path, "after");
	assert_function(image_of(&images, path), 0x400, "after", 0x400);
	assert_function(image, 0x400, "before", 0x400);
	assert_int_equal(unlink(path), 0);
	upm_images_close(&images);
}

/* ---- lists of functions */

static char list_path[64];

static void write_list(const char *text)
{
	FILE *file = fopen(list_path, "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int name_list(void **state)
{
	(void)state;
	snprintf(list_path, sizeof(list_path), "/tmp/perf-%d.map", getpid());
	unlink(list_path);
	return 0;
}

static int remove_list(void **state)
{
	(void)state;
	unlink(list_path);
	return 0;
}

static void assert_jit(const struct upm_jit *jit, uint64_t address, const char *name)
{
	const struct upm_jit_function *function = upm_jit_find(jit, address);

	if (name)
		assert_string_equal(function ? function->name : "(none)", name);
	else
		assert_null(function);
}

static void lists_that_grow_and_lie(void **state)
{
	struct upm_jit jit = {0};

	(void)state;
	upm_jit_update(&jit, getpid());
	assert_jit(&jit, 0x1000, NULL);
	write_list("2000 10 second\n"
		   "1000 100 first with blanks\n"
		   "nonsense\n"
		   "\n"
		   "3000 0 empty\n"
		   "4000 10\n"
		   "0x5000 0x10 prefixed\n"
		   "fffffffffffffff0 ffffffffffffffff at the end\n"
		   "6000 10 cut");
	upm_jit_update(&jit, getpid());
	assert_jit(&jit, 0xfff, NULL);
	assert_jit(&jit, 0x1000, "first with blanks");
	assert_jit(&jit, 0x10ff, "first with blanks");
	assert_jit(&jit, 0x1100, NULL);
	assert_jit(&jit, 0x200f, "second");
	assert_jit(&jit, 0x3000, NULL);
	assert_jit(&jit, 0x4000, NULL);
	assert_jit(&jit, 0x500f, "prefixed");
	assert_jit(&jit, 0x6000, NULL);
	assert_jit(&jit, UINT64_MAX, "at the end");
	/* Code is thrown away, and its place used again. */
	write_list("1040 20 later\n");
	upm_jit_update(&jit, getpid());
	assert_jit(&jit, 0x1040, "later");
	assert_jit(&jit, 0x1000, NULL);
	upm_jit_close(&jit);
}

static void a_process_that_is_gone(void **state)
{
	struct upm_jit jit = {0};
	pid_t child = fork();

	(void)state;
	if (child == 0)
		_exit(0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	upm_jit_update(&jit, child);
	assert_jit(&jit, 0x1000, NULL);
	upm_jit_close(&jit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_by_offset),
		cmocka_unit_test(no_file_no_function),
		cmocka_unit_test_setup_teardown(neither_descriptors_nor_images_pile_up,
						make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(a_file_in_the_place_of_another, make_directory,
						remove_directory),
		cmocka_unit_test_setup_teardown(a_file_that_is_written_anew, make_directory,
						remove_directory),
		cmocka_unit_test_setup_teardown(lists_that_grow_and_lie, name_list, remove_list),
		cmocka_unit_test(a_process_that_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

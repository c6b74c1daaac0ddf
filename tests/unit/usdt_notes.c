/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* USDT notes: those of crafted files of either class and byte order, of real ones, and damaged
 * ones. */
#include "support.h"

#include <string.h>

#include "elf_image.h"
#include "usdt/argument.h"
#include "usdt/notes.h"

#define SITE (IMAGE_BASE + 0x40u)
#define SEMAPHORE (IMAGE_BASE + 0x80u)

struct notes {
	uint8_t bytes[4096];
	size_t size;
};

struct probe {
	uint64_t site, base, semaphore;
	const char *strings; /* provider, name and arguments */
	size_t strings_size;
};

#define STRINGS(text) .strings = (text), .strings_size = sizeof(text)

static size_t pad(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

static void add_raw(const struct image *image, struct notes *notes, uint32_t type,
		    const char *owner, const void *text, size_t text_size)
{
	uint8_t *at = notes->bytes + notes->size;
	size_t owner_size = strlen(owner) + 1;

	image_put(image, at, owner_size, 4);
	image_put(image, at + 4, text_size, 4);
	image_put(image, at + 8, type, 4);
	memcpy(at + 12, owner, owner_size);
	memcpy(at + 12 + pad(owner_size), text, text_size);
	notes->size += 12 + pad(owner_size) + pad(text_size);
	assert_true(notes->size < sizeof(notes->bytes));
}

static void add_probe(const struct image *image, struct notes *notes, struct probe probe)
{
	uint8_t text[512];
	size_t word = image->bits / 8;

	image_put(image, text, probe.site, word);
	image_put(image, text + word, probe.base, word);
	image_put(image, text + 2 * word, probe.semaphore, word);
	memcpy(text + 3 * word, probe.strings, probe.strings_size);
	add_raw(image, notes, 3, "stapsdt", text, 3 * word + probe.strings_size);
}

static size_t add_section(struct image *image, const char *name, const struct notes *notes)
{
	return image_section(image, name, SHT_NOTE, 0, notes->bytes, notes->size);
}

static struct upm_binary *open_image(const struct image *image)
{
	struct upm_binary *binary;

	assert_upm_ok(
		upm_binary_open_fd(bytes_to_fd(image->bytes, image->size), "sample", &binary));
	return binary;
}

static struct upm_binary *finish_and_open(struct image *image)
{
	struct upm_binary *binary;

	image_finish(image);
	binary = open_image(image);
	free(image);
	return binary;
}

static const struct upm_usdt_note *notes_of(struct upm_binary *binary, size_t count)
{
	const struct upm_usdt_notes *notes, *again;

	assert_upm_ok(upm_binary_usdt_notes(binary, &notes));
	assert_upm_ok(upm_binary_usdt_notes(binary, &again));
	assert_ptr_equal(notes, again);
	assert_int_equal(notes->list.count, count);
	return notes->list.items;
}

static void check_note(const struct upm_usdt_note *note, uint64_t address, uint64_t semaphore,
		       const char *text)
{
	char got[256];

	assert_null(note->damage);
	snprintf(got, sizeof(got), "%s:%s %s", note->provider, note->name, note->arguments);
	assert_string_equal(got, text);
	assert_int_equal(note->address, address);
	assert_int_equal(note->semaphore, semaphore);
}

static void check_damaged(const struct upm_usdt_note *note, const char *part)
{
	assert_non_null(note->damage);
	if (!strstr(note->damage, part))
		fail_msg("'%s' is not about '%s'", note->damage, part);
	assert_string_equal(note->provider, "");
	assert_string_equal(note->name, "");
	assert_string_equal(note->arguments, "");
}

static void both_classes_and_orders(void **state)
{
	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		struct image *image = image_new(kind & 1 ? 64 : 32, kind & 2);
		struct notes notes = {0};
		struct upm_binary *binary;
		const struct upm_usdt_note *got;

		add_probe(
			image, &notes,
			(struct probe){SITE, 0, SEMAPHORE, STRINGS("app\0start\0-4@%edi 8@%rsi")});
		add_probe(image, &notes, (struct probe){SITE + 1, 0, 0, STRINGS("app\0stop\0")});
		add_section(image, ".note.stapsdt", &notes);
		binary = finish_and_open(image);
		got = notes_of(binary, 2);
		check_note(&got[0], SITE, SEMAPHORE, "app:start -4@%edi 8@%rsi");
		check_note(&got[1], SITE + 1, 0, "app:stop ");
		upm_binary_unref(binary);
	}
}

static void several_sections(void **state)
{
	struct image *image = image_new(64, false);
	struct notes first = {0}, second = {0}, other = {0};
	struct upm_binary *binary;
	const struct upm_usdt_note *got;

	(void)state;
	add_probe(image, &first, (struct probe){SITE, 0, 0, STRINGS("a\0one\0")});
	add_raw(image, &first, 3, "other", "text", 4);
	add_probe(image, &first, (struct probe){SITE, 0, 0, STRINGS("a\0two\0")});
	add_raw(image, &other, 1, "GNU", "text", 4);
	add_probe(image, &other, (struct probe){SITE, 0, 0, STRINGS("a\0merged\0")});
	add_probe(image, &second, (struct probe){SITE, 0, 0, STRINGS("b\0one\0")});
	add_section(image, ".note.stapsdt", &first);
	add_section(image, ".note", &other);
	add_section(image, ".note.stapsdt", &second);
	binary = finish_and_open(image);
	got = notes_of(binary, 4);
	check_note(&got[0], SITE, 0, "a:one ");
	check_note(&got[1], SITE, 0, "a:two ");
	check_note(&got[2], SITE, 0, "a:merged ");
	check_note(&got[3], SITE, 0, "b:one ");
	upm_binary_unref(binary);
}

static void base_moves_site_and_semaphore(void **state)
{
	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		struct image *image = image_new(kind ? 64 : 32, false);
		size_t section =
			image_section(image, ".stapsdt.base", SHT_PROGBITS, SHF_ALLOC, "", 1);
		uint64_t base = IMAGE_BASE + image->sections[section].offset;
		struct notes notes = {0};
		struct upm_binary *binary;
		const struct upm_usdt_note *got;

		add_probe(image, &notes,
			  (struct probe){SITE, base, SEMAPHORE, STRINGS("a\0unmoved\0")});
		add_probe(image, &notes,
			  (struct probe){SITE - 0x1000, base - 0x1000, SEMAPHORE - 0x1000,
					 STRINGS("a\0up\0")});
		add_probe(image, &notes,
			  (struct probe){SITE + 0x1000, base + 0x1000, 0, STRINGS("a\0down\0")});
		add_section(image, ".note.stapsdt", &notes);
		binary = finish_and_open(image);
		got = notes_of(binary, 3);
		check_note(&got[0], SITE, SEMAPHORE, "a:unmoved ");
		check_note(&got[1], SITE, SEMAPHORE, "a:up ");
		check_note(&got[2], SITE, 0, "a:down ");
		upm_binary_unref(binary);
	}
}

static void segments_of_a_file_without_sections(void **state)
{
	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		unsigned bits = kind & 1 ? 64 : 32;
		struct image *image = image_new(bits, kind & 2);
		struct notes notes = {0};
		struct upm_binary *binary;
		const struct upm_usdt_note *got;

		add_probe(image, &notes, (struct probe){SITE, 0, 0, STRINGS("a\0one\0")});
		image->dynamic = image_append(image, notes.bytes, notes.size);
		image->dynamic_size = notes.size;
		image->without_sections = true;
		image_finish(image);
		image_put(image, image->bytes + (bits == 64 ? 64 + 56 : 52 + 32), PT_NOTE, 4);
		binary = open_image(image);
		free(image);
		got = notes_of(binary, 1);
		check_note(&got[0], SITE, 0, "a:one ");
		upm_binary_unref(binary);
	}
}

static void file_without_notes(void **state)
{
	struct upm_binary *binary = finish_and_open(image_new(64, false));

	(void)state;
	notes_of(binary, 0);
	upm_binary_unref(binary);
}

static void damaged_notes_spare_the_others(void **state)
{
	struct image *image = image_new(64, false);
	struct notes notes = {0};
	struct upm_binary *binary;
	const struct upm_usdt_note *got;

	(void)state;
	add_raw(image, &notes, 3, "stapsdt", "short", 5);
	add_raw(image, &notes, 3, "stapsdt", "", 0);
	add_raw(image, &notes, 2, "stapsdt", "of old", 7);
	add_probe(image, &notes, (struct probe){SITE, 0, 0, "provider", 8});
	add_probe(image, &notes, (struct probe){SITE, 0, 0, "provider\0name", 13});
	add_probe(image, &notes, (struct probe){SITE, 0, 0, "provider\0name\0arg", 17});
	add_probe(image, &notes, (struct probe){SITE, 0, 0, STRINGS("\0name\0")});
	add_probe(image, &notes, (struct probe){SITE, 0, 0, STRINGS("provider\0\0")});
	add_probe(image, &notes, (struct probe){SITE, 0, 0, STRINGS("a\0good\0")});
	add_section(image, ".note.stapsdt", &notes);
	binary = finish_and_open(image);
	got = notes_of(binary, 9);
	check_damaged(&got[0], "addresses");
	check_damaged(&got[1], "addresses");
	check_damaged(&got[2], "version");
	check_damaged(&got[3], "provider does not end");
	check_damaged(&got[4], "name does not end");
	check_damaged(&got[5], "arguments do not end");
	check_damaged(&got[6], "provider is empty");
	check_damaged(&got[7], "name is empty");
	assert_int_equal(got[7].address, SITE);
	check_note(&got[8], SITE, 0, "a:good ");
	upm_binary_unref(binary);
}

/* The second of two notes has a size changed: the first is served, the rest is one damage. */
static void check_absurd_size(size_t field, uint32_t value)
{
	struct image *image = image_new(64, false);
	struct notes notes = {0};
	struct upm_binary *binary;
	const struct upm_usdt_note *got;
	size_t second;

	add_probe(image, &notes, (struct probe){SITE, 0, 0, STRINGS("a\0good\0")});
	second = notes.size;
	add_probe(image, &notes, (struct probe){SITE, 0, 0, STRINGS("a\0bad\0")});
	add_probe(image, &notes, (struct probe){SITE, 0, 0, STRINGS("a\0hidden\0")});
	image_put(image, notes.bytes + second + field, value, 4);
	add_section(image, ".note.stapsdt", &notes);
	binary = finish_and_open(image);
	got = notes_of(binary, 2);
	check_note(&got[0], SITE, 0, "a:good ");
	check_damaged(&got[1], "sizes");
	upm_binary_unref(binary);
}

static void absurd_sizes_end_the_section(void **state)
{
	static const uint32_t sizes[] = {0xffffffff, 0xfffffffc, 0x7fffffff, 0x1000};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		check_absurd_size(0, sizes[i]);
		check_absurd_size(4, sizes[i]);
	}
}

/* A section that is not named for them has its damages for itself. */
static void damages_of_other_sections_are_not_ours(void **state)
{
	struct image *image = image_new(64, false);
	struct notes notes = {0};
	struct upm_binary *binary;

	(void)state;
	add_raw(image, &notes, 1, "GNU", "text", 4);
	image_put(image, notes.bytes + 4, 0xffff, 4);
	add_section(image, ".note.ABI-tag", &notes);
	binary = finish_and_open(image);
	notes_of(binary, 0);
	upm_binary_unref(binary);
}

static void section_that_ends_early(void **state)
{
	(void)state;
	for (size_t rest = 0; rest < 12; rest++) {
		struct image *image = image_new(64, false);
		struct notes notes = {0};
		struct upm_binary *binary;
		const struct upm_usdt_note *got;

		add_probe(image, &notes, (struct probe){SITE, 0, 0, STRINGS("a\0good\0")});
		notes.size += rest;
		add_section(image, ".note.stapsdt", &notes);
		binary = finish_and_open(image);
		got = notes_of(binary, rest < 4 ? 1 : 2);
		check_note(&got[0], SITE, 0, "a:good ");
		if (rest >= 4)
			check_damaged(&got[1], "header");
		upm_binary_unref(binary);
	}
}

/* The last note may lack its padding: nothing follows that would need it. */
static void last_note_without_padding(void **state)
{
	struct image *image = image_new(64, false);
	struct notes notes = {0};
	struct upm_binary *binary;

	(void)state;
	add_probe(image, &notes, (struct probe){SITE, 0, 0, STRINGS("a\0b\0")});
	notes.size -= pad(sizeof("a\0b\0")) - sizeof("a\0b\0");
	add_section(image, ".note.stapsdt", &notes);
	binary = finish_and_open(image);
	check_note(notes_of(binary, 1), SITE, 0, "a:b ");
	upm_binary_unref(binary);
}

static void sections_that_can_not_be_read(void **state)
{
	struct image *image = image_new(64, false);
	struct notes notes = {0};
	size_t outside, huge, compressed;
	struct upm_binary *binary;
	const struct upm_usdt_note *got;

	(void)state;
	add_probe(image, &notes, (struct probe){SITE, 0, 0, STRINGS("a\0good\0")});
	outside = add_section(image, ".note.stapsdt", &notes);
	huge = add_section(image, ".note.stapsdt", &notes);
	compressed = add_section(image, ".note.stapsdt", &notes);
	add_section(image, ".note.stapsdt", &notes);
	image->sections[outside].offset = UINT64_MAX - 8;
	image->sections[huge].size = UINT64_MAX;
	image->sections[compressed].flags = SHF_COMPRESSED;
	binary = finish_and_open(image);
	got = notes_of(binary, 4);
	check_damaged(&got[0], "within the file");
	check_damaged(&got[1], "within the file");
	check_damaged(&got[2], "compressed");
	check_note(&got[3], SITE, 0, "a:good ");
	upm_binary_unref(binary);
}

/* A sparse file may claim any size: no more is read than any real file has. */
static void gigabytes_of_notes(void **state)
{
	struct image *image = image_new(64, false);
	struct notes notes = {0};
	size_t huge;
	struct upm_binary *binary;
	const struct upm_usdt_note *got;
	int fd;

	(void)state;
	add_probe(image, &notes, (struct probe){SITE, 0, 0, STRINGS("a\0good\0")});
	add_section(image, ".note.stapsdt", &notes);
	huge = add_section(image, ".note.stapsdt", &notes);
	image->sections[huge].size = UINT64_C(1) << 32;
	image_finish(image);
	fd = bytes_to_fd(image->bytes, image->size);
	assert_int_equal(ftruncate(fd, (off_t)1 << 33), 0);
	free(image);
	assert_upm_ok(upm_binary_open_fd(fd, "sparse", &binary));
	got = notes_of(binary, 2);
	check_note(&got[0], SITE, 0, "a:good ");
	check_damaged(&got[1], "larger");
	upm_binary_unref(binary);
}

static bool any_symbol(void *context, const char *name, size_t length, uint64_t *address)
{
	(void)context;
	(void)name;
	(void)length;
	*address = 0x1000;
	return true;
}

/* libstdc++ is there wherever its compiler is. */
static void every_argument_of_a_real_library(void **state)
{
	const char *path = "/usr/lib/x86_64-linux-gnu/libstdc++.so.6";
	const struct upm_usdt_notes *notes;
	struct upm_binary *binary;

	(void)state;
	if (access(path, R_OK))
		skip_because("there is no libstdc++.so.6 where Debian has it");
	assert_upm_ok(upm_binary_open(path, &binary));
	assert_upm_ok(upm_binary_usdt_notes(binary, &notes));
	assert_true(notes->list.count > 0);
	for (size_t i = 0; i < notes->list.count; i++) {
		const struct upm_usdt_note *note = &notes->list.items[i];
		struct upm_usdt_argument arguments[UPM_USDT_ARGUMENTS_MAX];
		size_t count = upm_usdt_arguments(binary->machine, note->arguments, any_symbol,
						  NULL, arguments);
		uint64_t offset;

		assert_null(note->damage);
		assert_string_equal(note->provider, "libstdcxx");
		assert_true(upm_binary_offset_of(binary, note->address, &offset));
		assert_non_null(upm_binary_executable_at(binary, offset));
		assert_true(count > 0);
		while (count--)
			assert_int_not_equal(arguments[count].place, UPM_USDT_NOWHERE);
	}
	upm_binary_unref(binary);
}

static struct image *rich_image(unsigned bits, bool big)
{
	struct image *image = image_new(bits, big);
	struct notes notes = {0};

	for (int i = 0; i < 4; i++) {
		add_probe(
			image, &notes,
			(struct probe){SITE, 0, SEMAPHORE, STRINGS("app\0start\0-4@%edi 8@%rsi")});
		add_probe(image, &notes, (struct probe){SITE, 0, 0, STRINGS("app\0stop\0")});
	}
	image_section(image, ".stapsdt.base", SHT_PROGBITS, SHF_ALLOC, "", 1);
	add_section(image, ".note.stapsdt", &notes);
	add_section(image, ".note.stapsdt", &notes);
	image_finish(image);
	return image;
}

/* Strings are walked: a pointer out of the section would be seen by the address sanitizer. */
static size_t walk(const uint8_t *bytes, size_t size)
{
	const struct upm_usdt_notes *notes;
	struct upm_binary *binary;
	size_t count, letters = 0;

	if (upm_binary_open_fd(bytes_to_fd(bytes, size), "sample", &binary))
		return 0;
	assert_upm_ok(upm_binary_usdt_notes(binary, &notes));
	count = notes->list.count;
	for (size_t i = 0; i < count; i++) {
		const struct upm_usdt_note *note = &notes->list.items[i];

		letters += strlen(note->provider) + strlen(note->name) + strlen(note->arguments);
		assert_true(note->damage || (*note->provider && *note->name));
	}
	assert_true(count == 0 || letters < 4096);
	upm_binary_unref(binary);
	return count;
}

static void survives_mutations(void **state)
{
	(void)state;
	srand(6);
	for (int kind = 0; kind < 4; kind++) {
		struct image *image = rich_image(kind & 1 ? 64 : 32, kind & 2), *copy;
		size_t found = 0;

		copy = malloc(sizeof(*copy));
		assert_non_null(copy);
		for (int round = 0; round < 3000; round++) {
			memcpy(copy->bytes, image->bytes, image->size);
			for (int hits = 1 + rand() % 5; hits > 0; hits--)
				copy->bytes[0x400 + (size_t)rand() % (image->size - 0x400)] =
					(uint8_t)rand();
			found += walk(copy->bytes, image->size);
		}
		assert_true(found > 3000);
		free(copy);
		free(image);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_classes_and_orders),
		cmocka_unit_test(several_sections),
		cmocka_unit_test(base_moves_site_and_semaphore),
		cmocka_unit_test(segments_of_a_file_without_sections),
		cmocka_unit_test(file_without_notes),
		cmocka_unit_test(damaged_notes_spare_the_others),
		cmocka_unit_test(absurd_sizes_end_the_section),
		cmocka_unit_test(damages_of_other_sections_are_not_ours),
		cmocka_unit_test(section_that_ends_early),
		cmocka_unit_test(last_note_without_padding),
		cmocka_unit_test(sections_that_can_not_be_read),
		cmocka_unit_test(gigabytes_of_notes),
		cmocka_unit_test(every_argument_of_a_real_library),
		cmocka_unit_test(survives_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Thousands of names of one place, of functions and of USDT probes: each is listed once, and twice
 * as many take twice as long. */
#include "support.h"

#include <elf.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "elf_image.h"
#include "resolve/probe_table.h"

#define FEW 800u
#define MANY 16000u
#define NAME_SIZE 8u /* "a012345" */
#define ATTEMPTS 20u
#define PATH_TEMPLATE "/tmp/upm-names-XXXXXX"
#define PATH_SIZE sizeof(PATH_TEMPLATE)

static void put_table(struct image *image, bool dynamic, const Elf64_Sym *symbols,
		      const char *strings, size_t count)
{
	size_t table = image_section(image, dynamic ? ".dynsym" : ".symtab",
				     dynamic ? SHT_DYNSYM : SHT_SYMTAB, 0, symbols,
				     (count + 1) * sizeof(*symbols));

	image->sections[table].entry_size = sizeof(*symbols);
	image->sections[table].link = (uint32_t)table + 1;
	image_section(image, dynamic ? ".dynstr" : ".strtab", SHT_STRTAB, 0, strings,
		      1 + count * NAME_SIZE);
}

/* So many names of each letter, in one table or in two. */
static void write_names(const char *path, const char *letters, size_t each, bool dynamic)
{
	static const uint8_t code[] = {0x53, 0x5b, 0xc3};
	size_t count = strlen(letters) * each;
	Elf64_Sym *symbols = calloc(count + 1, sizeof(*symbols));
	char *strings = calloc(count + 1, NAME_SIZE);
	struct image *image = image_new(64, false);
	size_t text = image_section(image, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, code,
				    sizeof(code));

	assert_true(symbols && strings);
	for (size_t i = 0; i < count; i++) {
		snprintf(strings + 1 + i * NAME_SIZE, NAME_SIZE, "%c%06u", letters[i / each],
			 (unsigned)(i % each) % 1000000);
		symbols[i + 1] = (Elf64_Sym){
			.st_name = (uint32_t)(1 + i * NAME_SIZE),
			.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
			.st_shndx = (uint16_t)text,
			.st_value = IMAGE_BASE + image->sections[text].offset,
			.st_size = sizeof(code),
		};
	}
	if (dynamic)
		put_table(image, true, symbols, strings, count);
	put_table(image, false, symbols, strings, count);
	image_finish(image);
	bytes_to_file(image->bytes, image->size, path);
	free(image);
	free(strings);
	free(symbols);
}

/* So many USDT probes of each letter, all at one nop. */
static void write_probes(const char *path, const char *letters, size_t each)
{
	static const uint8_t code[] = {0x90, 0xc3};
	size_t count = strlen(letters) * each;
	struct __attribute__((packed)) usdt_note {
		uint32_t owner_size, size, type;
		char owner[8];
		uint64_t site, base, semaphore;
		char strings[2 + NAME_SIZE + 2]; /* provider, name, no arguments */
	} *notes = calloc(count, sizeof(*notes));
	struct image *image = image_new(64, false);
	size_t text = image_section(image, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, code,
				    sizeof(code));

	assert_non_null(notes);
	for (size_t i = 0; i < count; i++) {
		notes[i] = (struct usdt_note){
			.owner_size = sizeof("stapsdt"),
			.size = offsetof(struct usdt_note, strings) -
				offsetof(struct usdt_note, site) + sizeof(notes->strings),
			.type = 3,
			.owner = "stapsdt",
			.site = IMAGE_BASE + image->sections[text].offset,
			.strings = "p",
		};
		snprintf(notes[i].strings + 2, NAME_SIZE, "%c%06u", letters[i / each],
			 (unsigned)(i % each) % 1000000);
	}
	image_section(image, ".note.stapsdt", SHT_NOTE, 0, notes, count * sizeof(*notes));
	image_finish(image);
	bytes_to_file(image->bytes, image->size, path);
	free(image);
	free(notes);
}

static struct upm_probe_set *resolve_as(const char *form, const char *path, const char *letters)
{
	char texts[2][64];
	const char *const specs[] = {texts[0], texts[1]};
	struct upm_probe_set *set;

	for (size_t i = 0; letters[i]; i++)
		snprintf(texts[i], sizeof(texts[i]), form, path, letters[i]);
	assert_upm_ok(upm_resolve(specs, strlen(letters), NULL, &set));
	return set;
}

static struct upm_probe_set *resolve(const char *path, const char *letters)
{
	struct upm_probe_set *set = resolve_as("%s:%c*", path, letters);

	assert_int_equal(upm_probe_set_size(set), 1);
	return set;
}

static struct upm_probe_set *resolve_probes(const char *path, const char *letters)
{
	return resolve_as("usdt:%s:p:%c*", path, letters);
}

static void note_name(const char *name, const char *letters, size_t each, bool *seen)
{
	const char *letter = strchr(letters, *name);
	size_t number = strtoul(name + 1, NULL, 10);

	assert_true(letter && number < each && strlen(name) == NAME_SIZE - 1);
	number += (size_t)(letter - letters) * each;
	assert_false(seen[number]);
	seen[number] = true;
}

static void expect_each_once(const struct upm_probe_set *set, const char *letters, size_t each)
{
	size_t count = strlen(letters) * each;
	struct upm_probe probe = {.size = sizeof(probe)};
	bool *seen = calloc(count, sizeof(*seen));

	assert_non_null(seen);
	assert_upm_ok(upm_probe_set_get(set, 0, &probe));
	assert_int_equal(probe.alias_count, count - 1);
	note_name(probe.symbol, letters, each, seen);
	for (size_t i = 0; i < count - 1; i++)
		note_name(upm_probe_set_alias(set, 0, i), letters, each, seen);
	free(seen);
}

static void make_file(char *path)
{
	int fd;

	strcpy(path, PATH_TEMPLATE);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
}

static void each_name_once(void **state)
{
	static const size_t counts[] = {2, 200, 300, 2000};
	char path[PATH_SIZE];

	(void)state;
	make_file(path);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		for (int dynamic = 0; dynamic < 2; dynamic++)
			for (const char *letters = "ab"; *letters; letters++) {
				struct upm_probe_set *set;

				write_names(path, letters, counts[i], dynamic);
				set = resolve(path, letters);
				expect_each_once(set, letters, counts[i]);
				upm_probe_set_free(set);
			}
	unlink(path);
}

typedef struct upm_probe_set *(*resolver)(const char *path, const char *letters);

/* One file of few names or probes and one of many; both are resolved with a spec for each letter.
 */
struct growth {
	char few[PATH_SIZE];
	char many[PATH_SIZE];
	const char *letters;
	resolver resolve;
};

static void begin_growth(struct growth *growth, const char *letters, resolver resolve_it)
{
	growth->letters = letters;
	growth->resolve = resolve_it;
	make_file(growth->few);
	make_file(growth->many);
}

static void end_growth(const struct growth *growth)
{
	unlink(growth->few);
	unlink(growth->many);
}

/* Processor time of this process. */
static clock_t time_of(const struct growth *growth, const char *path)
{
	clock_t before = clock();

	upm_probe_set_free(growth->resolve(path, growth->letters));
	return clock() - before;
}

/*
 * Twenty times as many: were each compared with each, it would take 400 times as long, however
 * often it is tried. That it seems so once is no defect: an emulated machine takes for its own what
 * others take from it.
 */
static void expect_growth(const struct growth *growth)
{
	clock_t few = 0, many = 0;

	for (unsigned i = 0; i < ATTEMPTS; i++) {
		few = time_of(growth, growth->few);
		many = time_of(growth, growth->many);
		if (many <= few * 6 * (MANY / FEW))
			return;
	}
	end_growth(growth);
	fail_msg("%zu specs: %u took %ld, %u took %ld, and so %u times", strlen(growth->letters),
		 FEW, (long)few, MANY, (long)many, ATTEMPTS);
}

static void time_grows_as_the_names(void **state)
{
	struct growth growth;

	(void)state;
	for (const char *letters = "ab"; *letters; letters++) {
		begin_growth(&growth, letters, resolve);
		write_names(growth.few, letters, FEW / strlen(letters), false);
		write_names(growth.many, letters, MANY / strlen(letters), false);
		expect_growth(&growth);
		end_growth(&growth);
	}
}

static void time_grows_as_the_probes(void **state)
{
	struct growth growth;
	struct upm_probe_set *set;

	(void)state;
	begin_growth(&growth, "ab", resolve_probes);
	write_probes(growth.few, "ab", FEW / 2);
	write_probes(growth.many, "ab", MANY / 2);
	expect_growth(&growth);
	set = resolve_probes(growth.many, "ab");
	assert_int_equal(upm_probe_set_count_verdict(set, UPM_VERDICT_OK), MANY);
	upm_probe_set_free(set);
	end_growth(&growth);
}

/* What two specs find is put together once. */
static void memory_of_a_merge(void **state)
{
	char path[PATH_SIZE];
	struct upm_probe_set *set;

	(void)state;
	make_file(path);
	write_names(path, "ab", 2000, false);
	set = resolve(path, "ab");
	assert_true(set->table->aliases.count < 3 * 2 * 2000);
	upm_probe_set_free(set);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_name_once),
		cmocka_unit_test(time_grows_as_the_names),
		cmocka_unit_test(time_grows_as_the_probes),
		cmocka_unit_test(memory_of_a_merge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

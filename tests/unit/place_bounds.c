/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Files that ask placement for more work or memory than they are worth: their probes stay at the
 * entries, say so, and nothing fails. And the caller may stop it. */
#include "support.h"

#include <elf.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "elf_image.h"
#include "place/place.h"
#include "resolve/probe_table.h"

#define FUNCTIONS 1500u
#define LENGTH 16u /* from one function to the next */
#define CODE_SIZE (512u << 10)
#define HUGE (UINT64_C(3) << 30) /* no file of which all bytes are looked through */
#define LARGE (UINT64_C(900) << 20)

static const char too_much[] = "hit at its entry: to prove a cheaper place in this file would take "
			       "too long";
static const char no_memory[] = "hit at its entry: there is too little memory to look for a "
				"cheaper place in this file";

/* Each begins with a mov and a push, and ends with a return. */
static void put_functions(uint8_t *code)
{
	static const uint8_t beginning[] = {0x48, 0x89, 0xf8, 0x53};

	memset(code, 0x90, CODE_SIZE);
	for (size_t i = 0; i < FUNCTIONS; i++) {
		memcpy(code + i * LENGTH, beginning, sizeof(beginning));
		code[(i + 1) * LENGTH - 1] = 0xc3;
	}
	code[CODE_SIZE - 1] = 0xc3;
}

/* Functions that all end where the code does, or where the next one begins. */
static int write_functions(char *path, bool overlap)
{
	struct image_symbol *symbols = calloc(FUNCTIONS, sizeof(*symbols));
	struct image *image = image_new(64, false);
	uint8_t *code = malloc(CODE_SIZE);
	uint64_t text;
	int fd = mkstemp(path);

	assert_true(symbols && code && fd >= 0);
	put_functions(code);
	image_section(image, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, code, CODE_SIZE);
	text = IMAGE_BASE + image->sections[1].offset;
	for (size_t i = 0; i < FUNCTIONS; i++)
		symbols[i] = (struct image_symbol){
			.name = "f",
			.value = text + i * LENGTH,
			.size = overlap ? CODE_SIZE - i * LENGTH : LENGTH,
			.type = STT_FUNC,
			.binding = STB_LOCAL,
			.section = 1,
		};
	image_symbols(image, false, symbols, FUNCTIONS);
	image_finish(image);
	bytes_to_file(image->bytes, image->size, path);
	free(symbols);
	free(image);
	free(code);
	return fd;
}

static struct upm_probe_set *resolve_all(const char *path)
{
	struct upm_probe_set *set;
	char spec[64];
	const char *specs[] = {spec};

	snprintf(spec, sizeof(spec), "%s:f*", path);
	assert_upm_ok(upm_resolve(specs, 1, NULL, &set));
	assert_int_equal(upm_probe_set_size(set), FUNCTIONS);
	return set;
}

/* @return how many are moved; *explained are those that say why they are not */
static size_t count_moved(const struct upm_probe_set *set, const char *reason, size_t *explained)
{
	struct upm_probe probe = {.size = sizeof(probe)};
	size_t moved = 0;

	*explained = 0;
	for (size_t i = 0; i < upm_probe_set_size(set); i++) {
		assert_upm_ok(upm_probe_set_get(set, i, &probe));
		assert_int_equal(probe.verdict, UPM_VERDICT_OK);
		if (probe.site_offset != probe.offset) {
			assert_string_equal(probe.reason, "");
			moved++;
		} else if (strcmp(probe.reason, reason) == 0) {
			assert_int_equal(probe.site_cost, UPM_COST_STEPPED);
			(*explained)++;
		}
	}
	return moved;
}

static size_t place(const char *path, const char *reason, size_t *explained)
{
	struct upm_probe_set *set = resolve_all(path);
	size_t moved;

	assert_upm_ok(upm_probe_set_place(set, UPM_OBSERVER_COUNT));
	moved = count_moved(set, reason, explained);
	upm_probe_set_free(set);
	return moved;
}

static void functions_that_overlap(void **state)
{
	char path[] = "/tmp/upm-bounds-XXXXXX";
	size_t moved, explained;

	(void)state;
	close(write_functions(path, true));
	moved = place(path, too_much, &explained);
	unlink(path);
	assert_true(moved > 0);
	assert_true(explained > FUNCTIONS / 2);
	assert_int_equal(moved + explained, FUNCTIONS);
}

static Elf64_Phdr read_segment(int fd)
{
	Elf64_Phdr segment;

	assert_int_equal(pread(fd, &segment, sizeof(segment), sizeof(Elf64_Ehdr)), sizeof(segment));
	return segment;
}

/* The same bytes at the same addresses, several times. */
static void segments_that_overlap(void **state)
{
	char path[] = "/tmp/upm-bounds-XXXXXX";
	int fd = write_functions(path, false);
	Elf64_Phdr segment = read_segment(fd);
	size_t moved, explained;

	(void)state;
	for (uint16_t count = 1; count <= 4; count++) {
		assert_int_equal(
			pwrite(fd, &segment, sizeof(segment),
			       (off_t)(sizeof(Elf64_Ehdr) + (count - 1u) * sizeof(segment))),
			sizeof(segment));
		assert_int_equal(pwrite(fd, &count, sizeof(count), offsetof(Elf64_Ehdr, e_phnum)),
				 sizeof(count));
		moved = place(path, too_much, &explained);
		assert_int_equal(moved, count <= 2 ? FUNCTIONS : 0);
		assert_int_equal(explained, count <= 2 ? 0 : FUNCTIONS);
	}
	close(fd);
	unlink(path);
}

/* A file of holes: little on the disk, and one large segment. */
static void make_large(int fd, uint64_t size)
{
	Elf64_Phdr segment = read_segment(fd);

	segment.p_filesz = segment.p_memsz = size;
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(pwrite(fd, &segment, sizeof(segment), sizeof(Elf64_Ehdr)),
			 sizeof(segment));
}

static void a_huge_segment(void **state)
{
	char path[] = "/tmp/upm-bounds-XXXXXX";
	int fd = write_functions(path, false);
	size_t explained;

	(void)state;
	make_large(fd, HUGE);
	assert_int_equal(place(path, too_much, &explained), 0);
	assert_int_equal(explained, FUNCTIONS);
	close(fd);
	unlink(path);
}

/* Sanitizers take address space of their own. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static uint64_t address_space(void)
{
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%lu", &pages), 1);
	fclose(file);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void too_little_memory(void **state)
{
	char path[] = "/tmp/upm-bounds-XXXXXX";
	int fd = write_functions(path, false);
	struct rlimit before, limit;
	struct upm_probe_set *set;
	size_t explained;

	(void)state;
	make_large(fd, LARGE);
	set = resolve_all(path);
	assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
	limit = before;
	limit.rlim_cur = address_space() + LARGE / 8;
	assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
	assert_upm_ok(upm_probe_set_place(set, UPM_OBSERVER_COUNT));
	assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
	assert_int_equal(count_moved(set, no_memory, &explained), 0);
	assert_int_equal(explained, FUNCTIONS);
	upm_probe_set_free(set);
	close(fd);
	unlink(path);
}
#endif

/* ---- selections keep what was found out, and what was not */

static void selections(void **state)
{
	char path[] = "/tmp/upm-bounds-XXXXXX";
	struct upm_probe_set *set, *selected;
	const size_t indexes[] = {1, 0};
	int fd = write_functions(path, false);
	size_t explained;

	(void)state;
	make_large(fd, HUGE);
	set = resolve_all(path);
	assert_upm_ok(upm_probe_set_place(set, UPM_OBSERVER_COUNT));
	assert_upm_ok(upm_probe_set_select(set, indexes, 2, &selected));
	assert_upm_ok(upm_probe_set_join(selected, set));
	assert_int_equal(count_moved(selected, too_much, &explained), 0);
	assert_int_equal(explained, FUNCTIONS + 2);
	upm_probe_set_free(selected);
	upm_probe_set_free(set);
	close(fd);
	unlink(path);
}

/* ---- the caller */

struct asked {
	uint64_t times, until;
};

static int32_t stop_later(const char *stage, uint64_t done, uint64_t total, void *context)
{
	struct asked *asked = context;

	assert_string_equal(stage, "attach");
	assert_int_equal(done, 0);
	assert_int_equal(total, FUNCTIONS);
	return ++asked->times > asked->until;
}

/* First of all, and among the functions. */
static void callers_that_stop_it(void **state)
{
	char path[] = "/tmp/upm-bounds-XXXXXX";
	struct asked all = {.until = UINT64_MAX};
	struct upm_probe_set *set;
	struct upm_sites *sites;

	(void)state;
	close(write_functions(path, false));
	set = resolve_all(path);
	assert_upm_ok(upm_place(set->table, upm_needs_of_count, NULL, stop_later, &all, &sites));
	upm_sites_unref(sites);
	assert_true(all.times > 2);
	for (uint64_t until = 0; until < 2; until++) {
		struct asked asked = {.until = until};

		assert_upm(
			upm_place(set->table, upm_needs_of_count, NULL, stop_later, &asked, &sites),
			UPM_ERR_CANCELLED);
		assert_int_equal(asked.times, until + 1);
	}
	upm_probe_set_free(set);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_that_overlap),
		cmocka_unit_test(segments_that_overlap),
		cmocka_unit_test(a_huge_segment),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
		cmocka_unit_test(too_little_memory),
#endif
		cmocka_unit_test(selections),
		cmocka_unit_test(callers_that_stop_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

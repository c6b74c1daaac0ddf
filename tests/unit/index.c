/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The index: answers that are kept, and those that must not be believed. */
#include "support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "index/folder.h"
#include "index/record.h"
#include "resolve/probe_name.h"

#define MANY "target/libmany-9000.so"

static char folder[] = "/tmp/upm-index-XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	return !mkdtemp(folder) || setenv("UPROBE_MULTI_INDEX", folder, 1);
}

static int open_folder(void)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* Calls back for each answer. @return how many there are */
static size_t for_each(void (*visit)(int fd, const char *name))
{
	int fd = open_folder();
	DIR *directory = fdopendir(fd);
	const struct dirent *entry;
	size_t count = 0;

	while ((entry = readdir(directory))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		count++;
		if (visit)
			visit(fd, entry->d_name);
	}
	closedir(directory);
	return count;
}

static void remove_one(int fd, const char *name)
{
	unlinkat(fd, name, 0);
}

static int empty_folder(void **state)
{
	(void)state;
	for_each(remove_one);
	return chmod(folder, 0700);
}

static int remove_folder(void **state)
{
	empty_folder(state);
	return rmdir(folder);
}

/* ---- what is resolved with an index is what is resolved without */

static struct upm_probe_set *resolve(const char *spec, uint32_t flags)
{
	struct upm_resolve_options options = {.size = sizeof(options), .flags = flags};
	struct upm_probe_set *set;

	assert_upm_ok(upm_resolve(&spec, 1, &options, &set));
	return set;
}

static bool is_from_index(const struct upm_probe_set *set)
{
	return set->table->origins.items[0].judged;
}

static void assert_equal_names(const struct upm_probe_set *set, size_t index,
			       const struct upm_probe_set *other)
{
	struct upm_probe probe = {.size = sizeof(probe)}, same = {.size = sizeof(same)};

	assert_upm_ok(upm_probe_set_get(set, index, &probe));
	assert_upm_ok(upm_probe_set_get(other, index, &same));
	assert_string_equal(probe.symbol, same.symbol);
	assert_string_equal(probe.reason, same.reason);
	assert_string_equal(probe.path, same.path);
	assert_string_equal(probe.spec, same.spec);
	assert_int_equal(probe.symbol_size, same.symbol_size);
	assert_int_equal(probe.alias_count, same.alias_count);
	for (uint32_t i = 0; i < probe.alias_count; i++)
		assert_string_equal(upm_probe_set_alias(set, index, i),
				    upm_probe_set_alias(other, index, i));
}

static void assert_equal_sets(const struct upm_probe_set *set, const struct upm_probe_set *other)
{
	assert_int_equal(upm_probe_set_size(set), upm_probe_set_size(other));
	for (size_t i = 0; i < upm_probe_set_size(set); i++) {
		const struct upm_probe_entry *a = &set->table->probes.items[i];
		const struct upm_probe_entry *b = &other->table->probes.items[i];

		assert_int_equal(a->offset, b->offset);
		assert_int_equal(a->verdict, b->verdict);
		assert_int_equal(a->cost, b->cost);
		assert_int_equal(a->flags, b->flags);
		assert_int_equal(a->kind, b->kind);
		assert_equal_names(set, i, other);
	}
}

/* The library that compiles the BPF programs: tens of thousands of functions, with aliases. */
static void a_second_answer_is_the_first(void **state)
{
	const char *const specs[] = {"libLLVM-14.so.1:*", "libLLVM-14.so.1:/^LLVM|^_ZN4llvm/",
				     "uretprobe:libLLVM-14.so.1:*"};

	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct upm_probe_set *without = resolve(specs[i], UPM_RESOLVE_NO_INDEX);
		struct upm_probe_set *first = resolve(specs[i], 0), *second = resolve(specs[i], 0);

		assert_true(upm_probe_set_size(without) > UPM_INDEX_LEAST_PROBES);
		assert_false(is_from_index(without));
		assert_false(is_from_index(first));
		assert_true(is_from_index(second));
		assert_equal_sets(without, first);
		assert_equal_sets(without, second);
		upm_probe_set_free(without);
		upm_probe_set_free(first);
		upm_probe_set_free(second);
	}
	assert_int_equal(for_each(NULL), 3);
}

static void other_questions_have_other_answers(void **state)
{
	struct upm_probe_set *first = resolve("libLLVM-14.so.1:*", 0);
	struct upm_probe_set *accepting =
		resolve("libLLVM-14.so.1:*", UPM_RESOLVE_ACCEPT_UNWINDING);

	(void)state;
	assert_false(is_from_index(first));
	assert_false(is_from_index(accepting));
	upm_probe_set_free(accepting);
	accepting = resolve("libLLVM-14.so.1:*", UPM_RESOLVE_DEBUG_ALWAYS);
	assert_false(is_from_index(accepting));
	upm_probe_set_free(accepting);
	upm_probe_set_free(first);
}

/* ---- the pieces, on a file of the build, which may have changed a moment ago */

struct answer {
	struct upm_probe_set *set;
	struct upm_index_key key;
	char name[UPM_INDEX_NAME_SIZE];
};

static void make_answer_about(const char *path, struct answer *answer)
{
	struct upm_spec parsed;
	char spec[PATH_MAX + 8];

	snprintf(spec, sizeof(spec), "%s:*", path);
	answer->set = resolve(spec, UPM_RESOLVE_NO_INDEX);
	assert_upm_ok(upm_spec_parse(spec, &parsed));
	assert_true(
		upm_index_key(answer->set->table->files.items[0].binary, &parsed, 0, &answer->key));
	upm_spec_clear(&parsed);
	upm_index_name(&answer->key, answer->name);
	upm_index_store(&answer->key, answer->set->table, 0, upm_probe_set_size(answer->set));
}

static void make_answer(struct answer *answer)
{
	make_answer_about(test_build_path(MANY), answer);
}

static void free_answer(struct answer *answer)
{
	upm_probe_set_free(answer->set);
}

/* @return whether the answer is taken; one that is not leaves nothing behind */
static bool is_taken(const struct answer *answer)
{
	struct upm_probe_table *table = upm_probe_table_copy(answer->set->table);
	size_t probes = table->probes.count, details = table->details.count;
	bool taken = upm_index_load(&answer->key, table, 0);

	assert_int_equal(table->probes.count, taken ? 2 * probes : probes);
	if (!taken)
		assert_int_equal(table->details.count, details);
	upm_probe_table_unref(table);
	return taken;
}

static void a_fresh_file_is_not_at_rest(void **state)
{
	struct upm_index_key key = {.changed_s = time(NULL) - 30};

	(void)state;
	assert_false(upm_index_at_rest(&key));
	key.changed_s = time(NULL) - 3600;
	assert_true(upm_index_at_rest(&key));
	key.modified_s = time(NULL) + 3600;
	assert_false(upm_index_at_rest(&key));
}

static void a_changed_file_has_no_answer(void **state)
{
	struct answer answer;

	(void)state;
	make_answer(&answer);
	assert_true(is_taken(&answer));
	answer.key.changed_ns++;
	assert_false(is_taken(&answer));
	answer.key.changed_ns--;
	answer.key.inode++;
	assert_false(is_taken(&answer));
	answer.key.inode--;
	answer.key.build[0]++;
	assert_false(is_taken(&answer));
	free_answer(&answer);
}

/* ---- files that nothing but their bytes tells apart: two images, one mounted after the other */

static int copy_to(const char *path)
{
	int from = open(test_build_path(MANY), O_RDONLY | O_CLOEXEC);
	int to = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	struct stat status;
	off_t at = 0;

	assert_true(from >= 0 && to >= 0);
	assert_int_equal(fstat(from, &status), 0);
	while (at < status.st_size)
		assert_true(sendfile(to, from, &at, (size_t)status.st_size) > 0);
	close(from);
	return to;
}

/* What lies in a range moves up by some bytes, as behind a function that has become shorter. */
static void shift(int fd, off_t first, size_t size)
{
	uint8_t *bytes = malloc(size);

	assert_non_null(bytes);
	assert_int_equal(pread(fd, bytes, size, first), size);
	assert_int_equal(pwrite(fd, bytes + 5, size - 5, first), size - 5);
	free(bytes);
}

static void other_bytes_have_no_answer(void **state)
{
	char path[] = "/tmp/upm-index-file-XXXXXX";
	struct answer answer;
	struct stat status;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	for (off_t part = 0; part < 4; part++) {
		close(fd);
		fd = copy_to(path);
		assert_int_equal(fstat(fd, &status), 0);
		make_answer_about(path, &answer);
		assert_true(is_taken(&answer));
		shift(fd, status.st_size / 4 * part, (size_t)status.st_size / 4);
		assert_false(is_taken(&answer));
		free_answer(&answer);
	}
	close(fd);
	unlink(path);
}

static bool has_key(const char *path, bool build_id)
{
	struct upm_index_key key;
	struct upm_binary *binary;
	struct upm_spec parsed;
	bool found;

	assert_upm_ok(upm_spec_parse("file:*", &parsed));
	assert_upm_ok(upm_binary_open(path, &binary));
	assert_true(binary->build_id_size > 0);
	if (!build_id)
		binary->build_id_size = 0;
	found = upm_index_key(binary, &parsed, 0, &key);
	upm_binary_unref(binary);
	upm_spec_clear(&parsed);
	return found;
}

static void images_need_build_ids(void **state)
{
	char directory[] = "/tmp/upm-index-image-XXXXXX", path[64];

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/file", directory);
	if (mount("upm", directory, "tmpfs", 0, NULL)) {
		rmdir(directory);
		skip_because("this user may not mount file systems");
	}
	close(copy_to(path));
	assert_true(has_key(path, true));
	assert_true(has_key(path, false));
	assert_int_equal(mount("upm", directory, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), 0);
	assert_true(has_key(path, true));
	assert_false(has_key(path, false));
	assert_int_equal(umount(directory), 0);
	assert_int_equal(rmdir(directory), 0);
}

static int open_answer(const struct answer *answer)
{
	int directory = open_folder();
	int fd = openat(directory, answer->name, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	close(directory);
	return fd;
}

static void damage_is_noticed(void **state)
{
	struct answer answer;
	struct stat status;
	int fd;

	(void)state;
	make_answer(&answer);
	fd = open_answer(&answer);
	assert_int_equal(fstat(fd, &status), 0);
	for (off_t at = 0; at < status.st_size; at += at < 512 ? 1 : 997) {
		uint8_t byte;

		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte ^= 0x10;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		assert_false(is_taken(&answer));
		byte ^= 0x10;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	assert_true(is_taken(&answer));
	for (off_t size = status.st_size - 1; size > 0; size /= 2) {
		assert_int_equal(ftruncate(fd, size), 0);
		assert_false(is_taken(&answer));
	}
	close(fd);
	free_answer(&answer);
}

/* ---- an answer that is whole, and lies */

static void rewrite_checksum(int fd, struct upm_index_header *header)
{
	const size_t parts[] = {header->probes * sizeof(struct upm_probe_entry),
				header->details * sizeof(struct upm_index_detail),
				header->aliases * sizeof(uint32_t), header->text_size};
	off_t at = sizeof(*header);

	header->checksum = 0;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		uint8_t *part = malloc(parts[i] + 1);

		assert_int_equal(pread(fd, part, parts[i], at), parts[i]);
		header->checksum = upm_index_checksum(header->checksum, part, parts[i]);
		at += (off_t)parts[i];
		free(part);
	}
	assert_int_equal(pwrite(fd, header, sizeof(*header), 0), sizeof(*header));
}

static void assert_lie_is_noticed(const struct answer *answer, struct upm_probe_entry lie)
{
	struct upm_probe_entry honest;
	struct upm_index_header header;
	int fd = open_answer(answer);
	off_t at = sizeof(header) + 100 * sizeof(honest);

	assert_int_equal(pread(fd, &header, sizeof(header), 0), sizeof(header));
	assert_int_equal(pread(fd, &honest, sizeof(honest), at), sizeof(honest));
	assert_int_equal(pwrite(fd, &lie, sizeof(lie), at), sizeof(lie));
	rewrite_checksum(fd, &header);
	assert_false(is_taken(answer));
	assert_int_equal(pwrite(fd, &honest, sizeof(honest), at), sizeof(honest));
	rewrite_checksum(fd, &header);
	assert_true(is_taken(answer));
	close(fd);
}

static void lies_are_noticed(void **state)
{
	struct answer answer;
	struct upm_probe_entry probe;

	(void)state;
	make_answer(&answer);
	probe = answer.set->table->probes.items[100];
	probe.origin = 0;
#define LIE(field, value)                                                                          \
	do {                                                                                       \
		struct upm_probe_entry lie = probe;                                                \
		lie.field = (value);                                                               \
		assert_lie_is_noticed(&answer, lie);                                               \
	} while (0)
	LIE(offset, 1);
	LIE(offset, UINT64_MAX);
	LIE(offset, probe.offset + (1 << 20));
	LIE(name, UPM_NAME_NONE);
	LIE(name, 0x0fffffff);
	LIE(name, 7u << 28);
	LIE(detail, 1000000);
	LIE(kind, UPM_KIND_URETPROBE);
	LIE(cost, 200);
	LIE(verdict, 200);
#undef LIE
	free_answer(&answer);
}

/* A point whose names are to be ranked, and that has none. */
static void names_are_there(void **state)
{
	struct upm_probe_detail *detail;
	struct upm_probe_table *table;
	struct answer answer;

	(void)state;
	make_answer(&answer);
	table = answer.set->table;
	detail = upm_probe_table_detail(table, &table->probes.items[100]);
	assert_non_null(detail);
	detail->unranked = true;
	upm_index_store(&answer.key, table, 0, table->probes.count);
	assert_false(is_taken(&answer));
	detail->unranked = false;
	upm_index_store(&answer.key, table, 0, table->probes.count);
	assert_true(is_taken(&answer));
	upm_index_store(&answer.key, table, 0, 0);
	assert_false(is_taken(&answer));
	free_answer(&answer);
}

/* ---- folders and files that others could write to */

static void only_our_own_is_believed(void **state)
{
	char elsewhere[sizeof(folder) + 8];
	struct answer answer;
	int directory, fd;

	(void)state;
	make_answer(&answer);
	assert_int_equal(chmod(folder, 0777), 0);
	assert_false(is_taken(&answer));
	assert_int_equal(chmod(folder, 0700), 0);
	assert_true(is_taken(&answer));
	fd = open_answer(&answer);
	assert_int_equal(fchmod(fd, 0620), 0);
	assert_false(is_taken(&answer));
	assert_int_equal(fchmod(fd, 0600), 0);
	close(fd);
	directory = open_folder();
	assert_int_equal(renameat(directory, answer.name, directory, "moved"), 0);
	assert_int_equal(symlinkat("moved", directory, answer.name), 0);
	assert_false(is_taken(&answer));
	assert_int_equal(renameat(directory, "moved", directory, answer.name), 0);
	close(directory);
	snprintf(elsewhere, sizeof(elsewhere), "%s-link", folder);
	assert_int_equal(symlink(folder, elsewhere), 0);
	setenv("UPROBE_MULTI_INDEX", elsewhere, 1);
	assert_false(is_taken(&answer));
	setenv("UPROBE_MULTI_INDEX", "off", 1);
	assert_false(is_taken(&answer));
	setenv("UPROBE_MULTI_INDEX", folder, 1);
	unlink(elsewhere);
	assert_true(is_taken(&answer));
	free_answer(&answer);
}

static void what_is_old_makes_room(void **state)
{
	const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	int directory = open_folder();
	struct answer answer;

	(void)state;
	for (int i = 0; i < 400; i++) {
		char name[16];
		int fd;

		snprintf(name, sizeof(name), i % 4 ? "%d" : ".%d", i);
		fd = openat(directory, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		assert_int_equal(futimens(fd, old), 0);
		close(fd);
	}
	close(directory);
	make_answer(&answer);
	assert_int_equal(for_each(NULL), 256);
	assert_true(is_taken(&answer));
	free_answer(&answer);
}

int main(void)
{
#define INDEX_TEST(name) cmocka_unit_test_teardown(name, empty_folder)
	const struct CMUnitTest tests[] = {
		INDEX_TEST(a_second_answer_is_the_first),
		INDEX_TEST(other_questions_have_other_answers),
		INDEX_TEST(a_fresh_file_is_not_at_rest),
		INDEX_TEST(a_changed_file_has_no_answer),
		INDEX_TEST(other_bytes_have_no_answer),
		INDEX_TEST(images_need_build_ids),
		INDEX_TEST(damage_is_noticed),
		INDEX_TEST(names_are_there),
		INDEX_TEST(lies_are_noticed),
		INDEX_TEST(only_our_own_is_believed),
		INDEX_TEST(what_is_old_makes_room),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What a kernel with kernel/patches/paths says to arrays of paths, and about them. */
#include "ten_target.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "attach/sys.h"

struct raw {
	uint64_t paths[3], offsets[3];
	char names[3][PATH_MAX];
};

static void make_raw(struct raw *raw)
{
	for (size_t i = 0; i < 3; i++) {
		raw->paths[i] = (uint64_t)(uintptr_t)ten_path(i, raw->names[i]);
		raw->offsets[i] = 64;
	}
}

static int try_raw(const struct raw *raw)
{
	struct upm_multi_link link = {
		.program_fd = load_nop(UPM_BPF_TRACE_UPROBE_MULTI),
		.attach_type = UPM_BPF_TRACE_UPROBE_MULTI,
		.paths = raw->paths,
		.offsets = raw->offsets,
		.count = 3,
	};
	int result = upm_sys_link_multi(&link);

	close(link.program_fd);
	return result;
}

static void wrong_arrays_of_paths(void **state)
{
	struct raw raw = {0};

	(void)state;
	skip_without_paths();
	make_raw(&raw);
	raw.paths[1] = 0;
	assert_int_equal(try_raw(&raw), -EFAULT);
	raw.paths[1] = 8;
	assert_int_equal(try_raw(&raw), -EFAULT);
	make_raw(&raw);
	strcpy(raw.names[1], "/no/file");
	assert_int_equal(try_raw(&raw), -ENOENT);
	strcpy(raw.names[1], "/");
	assert_int_equal(try_raw(&raw), -EBADF);
	strcpy(raw.names[1], "/proc/self/maps");
	assert_int_equal(try_raw(&raw), -EIO);
	make_raw(&raw);
	raw.offsets[2] = 1ULL << 40;
	assert_int_equal(try_raw(&raw), -EINVAL);
}

static void link_info_lists_the_files(void **state)
{
	struct upm_bpf_link_info info = {0};
	struct raw raw = {0};
	char text[3 * PATH_MAX], *at = text;
	uint32_t size, first;
	int fd;

	(void)state;
	skip_without_paths();
	make_raw(&raw);
	raw.paths[1] = raw.paths[0];
	fd = try_raw(&raw);
	assert_true(fd >= 0);
	assert_int_equal(upm_sys_object_info(fd, &info, sizeof(info)), 0);
	assert_int_equal(info.multi.flags, UPM_BPF_F_UPROBE_MULTI_PATHS);
	assert_int_equal(info.multi.count, 3);
	first = (uint32_t)strlen(raw.names[0]) + 2;
	size = first + (uint32_t)strlen(raw.names[2]) + 1;
	assert_int_equal(info.multi.path_size, size);

	memset(&info, 0, sizeof(info));
	memset(text, 'x', sizeof(text));
	info.multi.path = (uint64_t)(uintptr_t)text;
	info.multi.path_size = sizeof(text);
	assert_int_equal(upm_sys_object_info(fd, &info, sizeof(info)), 0);
	assert_int_equal(info.multi.path_size, size);
	assert_string_equal(at, raw.names[0]);
	at += strlen(at) + 1;
	assert_string_equal(at, "");
	assert_string_equal(at + 1, raw.names[2]);
	assert_int_equal(text[size], 'x');

	memset(&info, 0, sizeof(info));
	memset(text, 'x', sizeof(text));
	info.multi.path = (uint64_t)(uintptr_t)text;
	info.multi.path_size = size - 1;
	assert_int_equal(upm_sys_object_info(fd, &info, sizeof(info)), 0);
	assert_int_equal(info.multi.path_size, size);
	assert_string_equal(text, raw.names[0]);
	assert_int_equal(text[first], 'x');

	/* Room for the first path, and for none of the other strings of its file. */
	memset(text, 'x', sizeof(text));
	info.multi.path_size = first - 1;
	assert_int_equal(upm_sys_object_info(fd, &info, sizeof(info)), 0);
	assert_int_equal(info.multi.path_size, size);
	assert_string_equal(text, raw.names[0]);
	assert_int_equal(text[first - 1], 'x');
	info.multi.path_size = first - 2;
	assert_int_equal(upm_sys_object_info(fd, &info, sizeof(info)), -ENAMETOOLONG);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_arrays_of_paths),
		cmocka_unit_test(link_info_lists_the_files),
	};

	return cmocka_run_group_tests(tests, ten_make, ten_remove);
}

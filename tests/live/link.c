/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the kernel says to wrong multi links: the facts that the engine is built on. */
#include "live_target.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/sys.h"

static const uint64_t zero;

static int try_link(struct upm_multi_link link)
{
	int program = load_nop(UPM_BPF_TRACE_UPROBE_MULTI);
	int result;

	link.program_fd = program;
	if (!link.attach_type)
		link.attach_type = UPM_BPF_TRACE_UPROBE_MULTI;
	if (!link.count)
		link.count = 1;
	result = upm_sys_link_multi(&link);
	if (result >= 0)
		close(result);
	close(program);
	return result < 0 ? result : 0;
}

static void wrong_paths(void **state)
{
	(void)state;
	skip_without_multi();
	assert_int_equal(try_link((struct upm_multi_link){.path = "/", .offsets = &zero}), -EBADF);
	assert_int_equal(try_link((struct upm_multi_link){.path = "/dev/null", .offsets = &zero}),
			 -EBADF);
	assert_int_equal(try_link((struct upm_multi_link){.path = "/no/file", .offsets = &zero}),
			 -ENOENT);
	assert_int_equal(
		try_link((struct upm_multi_link){.path = "/proc/self/maps", .offsets = &zero}),
		-EIO);
}

static void wrong_arguments(void **state)
{
	const char *path = test_build_path("target/known");
	const uint64_t past = 1ULL << 40, negative = UINT64_MAX, odd = 17;
	const uint64_t twice[2] = {0x1000, 0x1000}, counters[2] = {16, 32};

	(void)state;
	skip_without_multi();
	assert_int_equal(try_link((struct upm_multi_link){.path = path, .offsets = (void *)8}),
			 -EFAULT);
	assert_int_equal(try_link((struct upm_multi_link){.path = path, .offsets = &past}),
			 -EINVAL);
	assert_int_equal(try_link((struct upm_multi_link){.path = path, .offsets = &negative}),
			 -EINVAL);
	assert_int_equal(try_link((struct upm_multi_link){
				 .path = path, .offsets = &zero, .ref_ctr_offsets = &odd}),
			 -EINVAL);
	assert_int_equal(
		try_link((struct upm_multi_link){
			.path = path, .offsets = twice, .ref_ctr_offsets = counters, .count = 2}),
		-EINVAL);
	assert_int_equal(try_link((struct upm_multi_link){.path = path,
							  .offsets = &zero,
							  .count = UPM_BPF_UPROBE_MULTI_MAX + 1}),
			 -E2BIG);
	assert_int_equal(
		try_link((struct upm_multi_link){.path = path,
						 .offsets = &zero,
						 .attach_type = UPM_BPF_TRACE_UPROBE_SESSION}),
		-EINVAL);
}

static void a_process_that_has_ended(void **state)
{
	pid_t child;

	(void)state;
	skip_without_multi();
	child = fork();
	if (child == 0)
		_exit(0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(try_link((struct upm_multi_link){.path = test_build_path("target/known"),
							  .offsets = &zero,
							  .pid = child}),
			 -ESRCH);
}

static void features_of_this_kernel(void **state)
{
	struct upm_features features = {.size = sizeof(features)};

	(void)state;
	assert_upm_ok(upm_check(&features));
	assert_int_equal(features.pid_filter, has_multi() ? UPM_YES : UPM_NO);
	assert_int_equal(features.link_info, has_multi() ? UPM_YES : UPM_NO);
	assert_int_equal(features.perf_cookie, UPM_YES);
	assert_int_equal(features.cap_bpf, UPM_YES);
	assert_int_equal(features.backend,
			 has_multi() ? UPM_BACKEND_UPROBE_MULTI : UPM_BACKEND_PERF_EVENT);
	features.size = 0;
	assert_upm(upm_check(&features), UPM_ERR_INVALID);
	assert_upm(upm_check(NULL), UPM_ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_paths),
		cmocka_unit_test(wrong_arguments),
		cmocka_unit_test(a_process_that_has_ended),
		cmocka_unit_test(features_of_this_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

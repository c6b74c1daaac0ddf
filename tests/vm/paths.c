/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The engine on kernels whose links take probes of many files (kernel/patches/paths). */
#include "ten_target.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "attach/bpf_uapi.h"
#include "resolve/probe_table.h"

#define FEW 20 /* files */

/* Kernel links for the ten functions of each of these files. */
static size_t links_for(size_t files)
{
	return has_paths() ? 1 : has_multi() ? files : files * TEN_FUNCTIONS;
}

static struct upm_kernel_link only_link(const struct upm_link *link)
{
	struct upm_kernel_link kernel = {.size = sizeof(kernel)};

	assert_int_equal(upm_link_kernel_links(link), 1);
	assert_upm_ok(upm_link_kernel_get(link, 0, &kernel));
	return kernel;
}

static void a_thousand_files_are_one_link(void **state)
{
	struct upm_kernel_link kernel;
	struct upm_observer *observer;
	struct upm_probe_set *set;
	size_t before;

	(void)state;
	skip_without_paths();
	set = ten_resolve(TEN_MOST, "uprobe");
	before = descriptors_open();
	assert_upm_ok(upm_count(set, NULL, &observer));
	kernel = only_link(upm_observer_link(observer));
	assert_int_equal(kernel.files, TEN_MOST);
	assert_int_equal(kernel.probes, TEN_MOST * TEN_FUNCTIONS);
	print_message(
		"%d probes in %d files: attached in %.1f ms, %zu descriptors with the map's\n",
		TEN_MOST * TEN_FUNCTIONS, TEN_MOST,
		(double)upm_link_attach_ns(upm_observer_link(observer)) / 1e6,
		descriptors_open() - before);
	ten_load(TEN_MOST);
	ten_call(TEN_MOST);
	upm_observer_stop(observer, NULL);
	ten_assert_hits(observer, TEN_MOST);
	upm_observer_free(observer);
	assert_int_equal(descriptors_open(), before);
	ten_unload(TEN_MOST);
	upm_probe_set_free(set);
}

/* Armed in a process that has the files mapped, and limited to it. */
static void mapped_files_and_a_process(void **state)
{
	struct upm_attach_options options = {.size = sizeof(options), .pid_count = 1};
	struct upm_probe_set *set = ten_resolve(FEW, "uprobe");
	const int32_t self = getpid();
	struct upm_observer *observer;

	(void)state;
	options.pids = &self;
	ten_load(FEW);
	assert_upm_ok(upm_count(set, &options, &observer));
	assert_int_equal(upm_link_kernel_links(upm_observer_link(observer)), links_for(FEW));
	ten_call(FEW);
	ten_assert_hits(observer, FEW);
	upm_observer_free(observer);
	ten_unload(FEW);
	upm_probe_set_free(set);
}

static void entries_and_returns_are_two_links(void **state)
{
	struct upm_probe_set *set, *returns;
	struct upm_kernel_link kernel = {.size = sizeof(kernel)};
	struct upm_observer *observer;

	(void)state;
	skip_without_paths();
	set = ten_resolve(FEW, "uprobe");
	returns = ten_resolve(FEW, "uretprobe");
	assert_upm_ok(upm_probe_set_join(set, returns));
	ten_load(FEW);
	assert_upm_ok(upm_count(set, NULL, &observer));
	assert_int_equal(upm_link_kernel_links(upm_observer_link(observer)), 2);
	for (uint32_t i = 0; i < 2; i++) {
		assert_upm_ok(upm_link_kernel_get(upm_observer_link(observer), i, &kernel));
		assert_int_equal(kernel.kind, i ? UPM_KIND_URETPROBE : UPM_KIND_UPROBE);
		assert_int_equal(kernel.files, FEW);
	}
	ten_call(1);
	assert_int_equal(total_hits(observer, 2 * FEW * TEN_FUNCTIONS), 2 * 19);
	upm_observer_free(observer);
	ten_unload(FEW);
	upm_probe_set_free(returns);
	upm_probe_set_free(set);
}

/* A link that is limited in size goes on with the next one, in the middle of a file. */
static void small_links_part_files(void **state)
{
	struct upm_attach_options options = {.size = sizeof(options), .probes_per_link = 25};
	struct upm_kernel_link kernel = {.size = sizeof(kernel)};
	struct upm_probe_set *set;
	struct upm_observer *observer;

	(void)state;
	skip_without_paths();
	set = ten_resolve(FEW, "uprobe");
	ten_load(FEW);
	assert_upm_ok(upm_count(set, &options, &observer));
	assert_int_equal(upm_link_kernel_links(upm_observer_link(observer)), 8);
	assert_upm_ok(upm_link_kernel_get(upm_observer_link(observer), 0, &kernel));
	assert_int_equal(kernel.files, 3);
	ten_call(FEW);
	ten_assert_hits(observer, FEW);
	upm_observer_free(observer);
	ten_unload(FEW);
	upm_probe_set_free(set);
}

/* A file that the kernel does not find, although it was judged: gone, and its descriptor too. */
static void lose_file(const struct upm_probe_set *set, size_t file)
{
	const struct upm_binary *binary = set->table->files.items[file].binary;
	int other = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char path[PATH_MAX];

	assert_int_equal(unlink(ten_path(file, path)), 0);
	assert_int_equal(dup3(other, binary->fd, O_CLOEXEC), binary->fd);
	close(other);
}

static void a_wrong_path_in_the_middle(void **state)
{
	struct upm_attach_options options = {.size = sizeof(options), .flags = UPM_ATTACH_STRICT};
	struct upm_probe skipped = {.size = sizeof(skipped)};
	int program = load_nop(UPM_BPF_TRACE_UPROBE_MULTI);
	const size_t wrong = FEW / 2 + 1;
	char path[PATH_MAX];
	struct upm_probe_set *set = ten_resolve(FEW, "uprobe");
	size_t before = descriptors_open();
	struct upm_link *link;

	(void)state;
	lose_file(set, wrong);
	assert_upm(upm_attach(program, set, &options, &link), UPM_ERR_STRICT);
	assert_non_null(strstr(upm_error_last()->message, ten_path(wrong, path)));
	assert_int_equal(upm_error_last()->sys_errno, ENOENT);
	assert_int_equal(descriptors_open(), before);

	assert_upm_ok(upm_attach(program, set, NULL, &link));
	assert_int_equal(upm_link_attached(link), (FEW - 1) * TEN_FUNCTIONS);
	assert_int_equal(upm_link_skipped(link), TEN_FUNCTIONS);
	for (size_t i = 0; i < TEN_FUNCTIONS; i++) {
		assert_upm_ok(upm_link_skipped_get(link, i, &skipped));
		assert_string_equal(skipped.path, ten_path(wrong, path));
		assert_int_equal(skipped.verdict, UPM_VERDICT_REFUSED);
		assert_int_equal(skipped.sys_errno, ENOENT);
	}
	assert_int_equal(upm_link_kernel_links(link), links_for(FEW - 1));
	upm_link_free(link);
	assert_int_equal(descriptors_open(), before);
	ten_restore(wrong);
	upm_probe_set_free(set);
	close(program);
}

static void a_wrong_instruction_in_the_middle(void **state)
{
	struct upm_probe skipped = {.size = sizeof(skipped)};
	const char *spec = "uprobe:libc.so.6:pthread_spin_*";
	struct upm_probe_set *set = ten_resolve(2, "uprobe"), *libc, *last;
	struct upm_observer *observer;
	const struct upm_link *link;
	size_t size;

	(void)state;
	assert_upm_ok(upm_resolve(&spec, 1, NULL, &libc));
	last = ten_resolve(FEW, "uprobe");
	assert_upm_ok(upm_probe_set_join(set, libc));
	assert_upm_ok(upm_probe_set_join(set, last));
	size = upm_probe_set_size(set);
	for (size_t i = 0; i < size; i++)
		set->table->probes.items[i].verdict = UPM_VERDICT_OK;
	assert_upm_ok(upm_count(set, NULL, &observer));
	link = upm_observer_link(observer);
	assert_int_equal(upm_link_skipped(link), 1);
	assert_upm_ok(upm_link_skipped_get(link, 0, &skipped));
	assert_string_equal(skipped.symbol, "pthread_spin_lock");
	assert_int_equal(skipped.sys_errno, UPM_ENOTSUPP);
	assert_int_equal(upm_link_attached(link), size - 1);
	upm_observer_free(observer);
	upm_probe_set_free(last);
	upm_probe_set_free(libc);
	upm_probe_set_free(set);
}

static void a_pinned_link_is_read_again(void **state)
{
	char directory[] = "/tmp/upm-pins-XXXXXX", pins[64];
	struct upm_probe probe = {.size = sizeof(probe)}, again = {.size = sizeof(again)};
	struct upm_link *link, *opened;
	struct upm_probe_set *set;
	int program;

	(void)state;
	skip_without_multi(); /* perf events list nothing */
	program = load_nop(UPM_BPF_TRACE_UPROBE_MULTI);
	set = ten_resolve(FEW, "uprobe");
	assert_upm_ok(upm_attach(program, set, NULL, &link));
	assert_non_null(mkdtemp(directory));
	assert_int_equal(mount("bpf", directory, "bpf", 0, NULL), 0);
	snprintf(pins, sizeof(pins), "%s/paths", directory);
	assert_upm_ok(upm_link_pin(link, pins));
	assert_upm_ok(upm_link_open(pins, &opened));
	assert_int_equal(upm_link_attached(opened), FEW * TEN_FUNCTIONS);
	for (size_t i = 0; i < FEW * TEN_FUNCTIONS; i++) {
		assert_upm_ok(upm_link_attached_get(link, i, &probe));
		assert_upm_ok(upm_link_attached_get(opened, i, &again));
		assert_string_equal(again.path, probe.path);
		assert_string_equal(again.symbol, probe.symbol);
		assert_int_equal(again.offset, probe.offset);
	}
	if (has_paths())
		assert_int_equal(only_link(opened).files, FEW);
	assert_upm_ok(upm_link_unpin(pins));
	assert_int_equal(umount(directory), 0);
	assert_int_equal(rmdir(directory), 0);
	upm_link_free(opened);
	upm_link_free(link);
	upm_probe_set_free(set);
	close(program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mapped_files_and_a_process),
		cmocka_unit_test(entries_and_returns_are_two_links),
		cmocka_unit_test(small_links_part_files),
		cmocka_unit_test(a_wrong_path_in_the_middle),
		cmocka_unit_test(a_wrong_instruction_in_the_middle),
		cmocka_unit_test(a_pinned_link_is_read_again),
		cmocka_unit_test(a_thousand_files_are_one_link),
	};

	return cmocka_run_group_tests(tests, ten_make, ten_remove);
}

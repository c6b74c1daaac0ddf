/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Links that outlive the handle, in a BPF file system of the test's own. */
#include "live_target.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "attach/bpf_uapi.h"

static char directory[] = "/tmp/upm-pins-XXXXXX";
static char pin[64];

static int mount_bpffs(void **state)
{
	(void)state;
	if (!mkdtemp(directory) || mount("bpf", directory, "bpf", 0, NULL))
		return -1;
	snprintf(pin, sizeof(pin), "%s/known", directory);
	return 0;
}

static int unmount_bpffs(void **state)
{
	(void)state;
	return umount(directory) || rmdir(directory);
}

static void pinned_links_live_on(void **state)
{
	struct upm_probe_set *set = resolve_known("uprobe", "known_00[0-9]*");
	struct upm_probe probe = {.size = sizeof(probe)};
	int program = load_nop(UPM_BPF_TRACE_UPROBE_MULTI);
	struct upm_attach_options options;
	struct upm_link *link, *again;
	struct target target;

	(void)state;
	target_start(&target);
	options = options_for(&target.pid);
	options.flags = UPM_ATTACH_COOKIE_IS_INDEX;
	options.probes_per_link = 60;
	assert_upm_ok(upm_attach(program, set, &options, &link));
	assert_upm_ok(upm_link_pin(link, pin));
	assert_upm(upm_link_pin(link, pin), UPM_ERR_SYSTEM);
	assert_int_equal(upm_error_last()->sys_errno, EEXIST);
	upm_link_free(link);
	assert_false(text_is_clean(target.pid));
	assert_upm_ok(upm_link_open(pin, &again));
	assert_int_equal(upm_link_kernel_links(again), has_multi() ? 2 : 100);
	/* Kernels without multi links do not say what a perf link is about. */
	assert_int_equal(upm_link_attached(again), has_multi() ? 100 : 0);
	if (has_multi()) {
		assert_upm_ok(upm_link_attached_get(again, 70, &probe));
		assert_string_equal(probe.symbol, "known_0070");
		assert_int_equal(probe.cookie, 70);
	}
	assert_upm_ok(upm_link_unpin(pin));
	assert_false(text_is_clean(target.pid));
	upm_link_free(again);
	assert_true(text_becomes_clean(target.pid));
	assert_upm(upm_link_open(pin, &again), UPM_ERR_NOT_FOUND);
	assert_upm(upm_link_unpin(pin), UPM_ERR_NOT_FOUND);
	target_stop(&target);
	upm_probe_set_free(set);
	close(program);
}

static void only_below_bpffs(void **state)
{
	struct upm_probe_set *set = resolve_known("uprobe", "known_0000");
	int program = load_nop(UPM_BPF_TRACE_UPROBE_MULTI);
	struct upm_link *link;

	(void)state;
	assert_upm_ok(upm_attach(program, set, NULL, &link));
	assert_upm(upm_link_pin(link, "/tmp/upm-no-bpffs"), UPM_ERR_NOT_FOUND);
	assert_int_equal(access("/tmp/upm-no-bpffs", F_OK), -1);
	assert_upm_ok(upm_link_detach(link, NULL));
	assert_upm(upm_link_pin(link, pin), UPM_ERR_STATE);
	upm_link_free(link);
	upm_probe_set_free(set);
	close(program);
}

/* What is no pin stays, whatever its name, and wherever a symbolic link leads. */
static void nothing_else_is_removed(void **state)
{
	static char other[] = "/tmp/upm-other-XXXXXX";
	char file[64], linked[80];
	struct upm_link *link;

	(void)state;
	assert_non_null(mkdtemp(other));
	snprintf(file, sizeof(file), "%s/0", other);
	assert_int_equal(close(creat(file, 0644)), 0);
	assert_upm(upm_link_unpin(other), UPM_ERR_NOT_FOUND);
	assert_non_null(strstr(upm_error_last()->message, "BPF file system"));
	assert_int_equal(symlink(other, pin), 0);
	snprintf(linked, sizeof(linked), "%s/", pin);
	assert_upm(upm_link_unpin(pin), UPM_ERR_NOT_FOUND);
	assert_upm(upm_link_unpin(linked), UPM_ERR_NOT_FOUND);
	assert_int_equal(upm_error_last()->sys_errno, ENOTDIR);
	assert_upm(upm_link_open(linked, &link), UPM_ERR_NOT_FOUND);
	assert_int_equal(access(file, F_OK), 0);
	assert_int_equal(unlink(pin), 0);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(other), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pinned_links_live_on),
		cmocka_unit_test(only_below_bpffs),
		cmocka_unit_test(nothing_else_is_removed),
	};

	return cmocka_run_group_tests(tests, mount_bpffs, unmount_bpffs);
}

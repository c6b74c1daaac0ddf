// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * A process with a root directory of its own points out of it, to files that are there for us and
 * not for it. Nothing outside is opened on its word.
 */
#include "live_target.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char root[] = "/tmp/upm-root-XXXXXX";
static pid_t prisoner;

static void link_to(const char *name, const char *aim)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	assert_int_equal(symlink(aim, path), 0);
}

static int imprison(void **state)
{
	char line[2 * PATH_MAX];

	(void)state;
	if (!mkdtemp(root) || chmod(root, 0755))
		return -1;
	snprintf(line, sizeof(line), "cp %s %s/inside.so", test_build_path("target/libknown.so"),
		 root);
	if (system(line))
		return -1;
	prisoner = fork();
	if (prisoner == 0) {
		if (chroot(root) || chdir("/"))
			_exit(1);
		pause();
		_exit(0);
	}
	for (int tries = 0; tries < 1500; tries++) {
		struct stat theirs, ours;

		snprintf(line, sizeof(line), "/proc/%d/root", prisoner);
		if (stat(line, &theirs) == 0 && stat("/", &ours) == 0 &&
		    theirs.st_ino != ours.st_ino)
			return 0;
		usleep(20000);
	}
	return -1;
}

static int release(void **state)
{
	char line[128];

	(void)state;
	kill(prisoner, SIGKILL);
	waitpid(prisoner, NULL, 0);
	snprintf(line, sizeof(line), "rm -r %s", root);
	return system(line);
}

/* What a path means in the view of the process. @return the verdict of its only probe */
static int32_t verdict_of(const char *path)
{
	const struct upm_resolve_options options = {
		.size = sizeof(options), .pids = &prisoner, .pid_count = 1};
	struct upm_probe probe = {.size = sizeof(probe)};
	char spec[PATH_MAX + 32];
	const char *specs[] = {spec};
	struct upm_probe_set *set;

	snprintf(spec, sizeof(spec), "%s:shared_0000", path);
	assert_upm_ok(upm_resolve(specs, 1, &options, &set));
	assert_int_equal(upm_probe_set_size(set), 1);
	assert_upm_ok(upm_probe_set_get(set, 0, &probe));
	assert_true(probe.verdict == UPM_VERDICT_OK || *probe.reason);
	upm_probe_set_free(set);
	return probe.verdict;
}

static void links_stay_inside(void **state)
{
	(void)state;
	link_to("absolute.so", test_build_path("target/libknown.so"));
	link_to("climbing.so", "../../../../../../../../etc/passwd");
	link_to("magic.so", "/proc/self/exe");
	link_to("good.so", "/inside.so");
	assert_int_equal(verdict_of("/inside.so"), UPM_VERDICT_OK);
	assert_int_equal(verdict_of("/good.so"), UPM_VERDICT_OK);
	assert_int_equal(verdict_of("/absolute.so"), UPM_VERDICT_UNREADABLE);
	assert_int_equal(verdict_of("/climbing.so"), UPM_VERDICT_UNREADABLE);
	assert_int_equal(verdict_of("/magic.so"), UPM_VERDICT_UNREADABLE);
	assert_int_equal(verdict_of("/../../../../../../etc/passwd"), UPM_VERDICT_UNREADABLE);
}

/* A pipe that nobody writes to, a device: neither is waited for nor read. */
static void odd_files_do_not_block(void **state)
{
	char path[PATH_MAX];

	(void)state;
	snprintf(path, sizeof(path), "%s/pipe.so", root);
	assert_int_equal(mkfifo(path, 0644), 0);
	assert_int_equal(verdict_of("/pipe.so"), UPM_VERDICT_UNREADABLE);
	snprintf(path, sizeof(path), "%s/directory.so", root);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(verdict_of("/directory.so"), UPM_VERDICT_UNREADABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_stay_inside),
		cmocka_unit_test(odd_files_do_not_block),
	};

	return cmocka_run_group_tests(tests, imprison, release);
}

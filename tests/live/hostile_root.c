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

/* A child that waits for somebody to open the pipe for reading. */
static pid_t start_writer(const char *path)
{
	pid_t writer = fork();

	assert_true(writer >= 0);
	if (writer == 0)
		_exit(open(path, O_WRONLY) < 0 ? 1 : 0);
	return writer;
}

/* To open what is no regular file can be an act: a pipe's writer wakes, a watchdog starts. */
static void odd_files_are_not_opened(void **state)
{
	char path[PATH_MAX], spec[PATH_MAX + 32];
	const char *const specs[] = {spec};
	struct upm_probe_set *set;
	pid_t writer;

	(void)state;
	snprintf(path, sizeof(path), "%s/waits.so", root);
	assert_int_equal(mkfifo(path, 0644), 0);
	writer = start_writer(path);
	usleep(100000);
	assert_int_equal(verdict_of("/waits.so"), UPM_VERDICT_UNREADABLE);
	snprintf(spec, sizeof(spec), "%s/w*.so:shared_0000", root);
	if (upm_resolve(specs, 1, NULL, &set) == UPM_OK)
		upm_probe_set_free(set);
	usleep(100000);
	assert_int_equal(waitpid(writer, NULL, WNOHANG), 0);
	kill(writer, SIGKILL);
	assert_int_equal(waitpid(writer, NULL, 0), writer);
}

/* Its holder can keep others from opening the file for as long as lease-break-time says. */
static void a_lease_holds_nobody(void **state)
{
	char line[2 * PATH_MAX], path[PATH_MAX];
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/leased.so", root);
	snprintf(line, sizeof(line), "cp %s %s", test_build_path("target/libknown.so"), path);
	assert_int_equal(system(line), 0);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	signal(SIGIO, SIG_IGN);
	assert_int_equal(fcntl(fd, F_SETLEASE, F_WRLCK), 0);
	assert_int_equal(verdict_of("/leased.so"), UPM_VERDICT_UNREADABLE);
	assert_int_equal(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
	close(fd);
	assert_int_equal(verdict_of("/leased.so"), UPM_VERDICT_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_stay_inside),
		cmocka_unit_test(odd_files_do_not_block),
		cmocka_unit_test(odd_files_are_not_opened),
		cmocka_unit_test(a_lease_holds_nobody),
	};

	return cmocka_run_group_tests(tests, imprison, release);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A BPF file system is everybody's: pins that another user has made for root to find. */
#include "share_target.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NIGHT "/sys/fs/bpf/night"
#define NOBODY 65534

/* ---- what must stay: files, and pins of root's */

static char victim[] = "/tmp/upm-victim-XXXXXX";
static const char *const precious[] = {"passwd", "0", "meta"};

static void make_victim(void)
{
	char path[PATH_MAX];

	strcpy(victim + strlen(victim) - 6, "XXXXXX");
	assert_non_null(mkdtemp(victim));
	assert_int_equal(chmod(victim, 0755), 0);
	for (size_t i = 0; i < sizeof(precious) / sizeof(precious[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", victim, precious[i]);
		assert_int_equal(close(creat(path, 0644)), 0);
	}
}

static void assert_victim_is_whole(void)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(precious) / sizeof(precious[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", victim, precious[i]);
		if (access(path, F_OK))
			fail_msg("%s is gone", path);
	}
}

static void remove_victim(void)
{
	char path[PATH_MAX];

	assert_victim_is_whole();
	for (size_t i = 0; i < sizeof(precious) / sizeof(precious[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", victim, precious[i]);
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(rmdir(victim), 0);
}

/* ---- a symbolic link in the place of each part */

static const char *part, *leads_to;

static void make_night_as_nobody(void)
{
	char path[PATH_MAX];

	assert_int_equal(setgid(NOBODY), 0);
	assert_int_equal(setuid(NOBODY), 0);
	assert_int_equal(mkdir(NIGHT, 0755), 0);
	snprintf(path, sizeof(path), NIGHT "/%s", part);
	assert_int_equal(symlink(leads_to, path), 0);
}

static void remove_night(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), NIGHT "/%s", part);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(NIGHT), 0);
}

static void assert_part_is_not_followed(void)
{
	struct upm_observer *observer;
	struct upm_pinned_list *list;

	run_in_child(make_night_as_nobody);
	assert_upm_ok(upm_pinned_list("/sys/fs/bpf", &list));
	upm_pinned_list_free(list);
	assert_upm(upm_observer_open(NIGHT, &observer), UPM_ERR_FORMAT);
	assert_upm(upm_observer_unpin(NIGHT), UPM_ERR_FORMAT);
	assert_non_null(strstr(upm_error_last()->message, part));
	assert_victim_is_whole();
	remove_night();
}

static void links_to_directories_are_not_followed(void **state)
{
	static const char *const parts[] = {"links", "filter", "maps"};
	struct upm_observer *observer;
	struct target target;

	(void)state;
	target_start(&target);
	make_victim();
	observer = count_pinned(&target, "/sys/fs/bpf/mine");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		part = parts[i];
		leads_to = victim;
		assert_part_is_not_followed();
		leads_to = "/sys/fs/bpf/mine/links";
		assert_part_is_not_followed();
		assert_int_equal(access("/sys/fs/bpf/mine/links/0", F_OK), 0);
	}
	upm_observer_free(observer);
	assert_upm_ok(upm_observer_unpin("/sys/fs/bpf/mine"));
	remove_victim();
	target_stop(&target);
}

/* Of a link to a pin the link goes, and what it leads to is not opened. */
static void links_to_pins_are_not_followed(void **state)
{
	struct upm_observer *observer, *other;
	struct target target;

	(void)state;
	target_start(&target);
	observer = count_pinned(&target, "/sys/fs/bpf/mine");
	part = "meta";
	leads_to = "/sys/fs/bpf/mine/meta";
	run_in_child(make_night_as_nobody);
	assert_upm(upm_observer_open(NIGHT, &other), UPM_ERR_FORMAT);
	assert_non_null(strstr(upm_error_last()->message, "no pin"));
	assert_upm_ok(upm_observer_unpin(NIGHT));
	assert_upm_ok(upm_observer_open("/sys/fs/bpf/mine", &other));
	upm_observer_free(other);
	upm_observer_free(observer);
	assert_upm_ok(upm_observer_unpin("/sys/fs/bpf/mine"));
	target_stop(&target);
}

static void a_link_in_place_of_an_observer(void **state)
{
	struct upm_observer *observer, *other;
	struct target target;

	(void)state;
	target_start(&target);
	observer = count_pinned(&target, "/sys/fs/bpf/mine");
	assert_int_equal(symlink("/sys/fs/bpf/mine", NIGHT), 0);
	assert_upm(upm_observer_open(NIGHT, &other), UPM_ERR_NOT_FOUND);
	assert_upm(upm_observer_unpin(NIGHT), UPM_ERR_NOT_FOUND);
	assert_int_equal(upm_error_last()->sys_errno, ENOTDIR);
	assert_int_equal(unlink(NIGHT), 0);
	upm_observer_free(observer);
	assert_upm_ok(upm_observer_unpin("/sys/fs/bpf/mine"));
	target_stop(&target);
}

/* ---- exchanged meanwhile */

static volatile bool exchanging;

static void *exchange(void *unused)
{
	while (exchanging)
		syscall(SYS_renameat2, AT_FDCWD, NIGHT "/links", AT_FDCWD, NIGHT "-links",
			RENAME_EXCHANGE);
	return unused;
}

/* A directory and a link that change places all the time. */
static void links_that_come_and_go(void **state)
{
	pthread_t thread;

	(void)state;
	make_victim();
	for (int round = 0; round < 50; round++) {
		assert_int_equal(mkdir(NIGHT, 0755), 0);
		assert_int_equal(mkdir(NIGHT "/links", 0755), 0);
		assert_int_equal(symlink(victim, NIGHT "-links"), 0);
		exchanging = true;
		assert_int_equal(pthread_create(&thread, NULL, exchange, NULL), 0);
		upm_observer_unpin(NIGHT);
		exchanging = false;
		pthread_join(thread, NULL);
		assert_victim_is_whole();
		upm_observer_unpin(NIGHT);
		unlink(NIGHT "/links");
		rmdir(NIGHT);
		unlink(NIGHT "-links");
		rmdir(NIGHT "-links");
	}
	remove_victim();
}

/* ---- the usual directory */

static void make_usual_as_nobody(void)
{
	assert_int_equal(setgid(NOBODY), 0);
	assert_int_equal(setuid(NOBODY), 0);
	assert_int_equal(mkdir(UPM_PIN_DIRECTORY, 0755), 0);
	assert_int_equal(mkdir(UPM_PIN_DIRECTORY "/night", 0755), 0);
}

static void link_usual_as_nobody(void)
{
	assert_int_equal(setgid(NOBODY), 0);
	assert_int_equal(setuid(NOBODY), 0);
	assert_int_equal(symlink("/sys/fs/bpf/mine", UPM_PIN_DIRECTORY), 0);
}

static void assert_not_trusted(int32_t status)
{
	const struct upm_error *error = upm_error_last();

	assert_int_equal(status, UPM_ERR_PERMISSION);
	assert_string_equal(error->object, UPM_PIN_DIRECTORY);
	assert_non_null(strstr(error->message, "user 65534"));
	assert_non_null(strstr(error->hint, "remove it"));
}

static void assert_usual_is_not_trusted(void)
{
	const struct plan plan = {getpid(), 0, 0, "known_0000", NULL, UPM_OBSERVER_COUNT, 0};
	struct upm_observer *observer = share_start(&plan), *other;
	struct upm_pinned_list *list;

	assert_not_trusted(upm_observer_pin(observer, "mine"));
	assert_not_trusted(upm_observer_open("night", &other));
	assert_not_trusted(upm_observer_unpin("night"));
	assert_not_trusted(upm_pinned_list(NULL, &list));
	upm_observer_free(observer);
}

static void the_usual_directory_is_of_another_user(void **state)
{
	(void)state;
	run_in_child(make_usual_as_nobody);
	assert_usual_is_not_trusted();
	assert_int_equal(rmdir(UPM_PIN_DIRECTORY "/night"), 0);
	assert_int_equal(rmdir(UPM_PIN_DIRECTORY), 0);
	assert_int_equal(mkdir("/sys/fs/bpf/mine", 0700), 0);
	run_in_child(link_usual_as_nobody);
	assert_usual_is_not_trusted();
	assert_int_equal(unlink(UPM_PIN_DIRECTORY), 0);
	assert_int_equal(rmdir("/sys/fs/bpf/mine"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SHARE_TEST(links_to_directories_are_not_followed),
		SHARE_TEST(links_to_pins_are_not_followed),
		SHARE_TEST(a_link_in_place_of_an_observer),
		SHARE_TEST(links_that_come_and_go),
		SHARE_TEST(the_usual_directory_is_of_another_user),
	};

	return cmocka_run_group_tests(tests, share_mount_bpffs, NULL);
}

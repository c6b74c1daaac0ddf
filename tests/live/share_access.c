/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Names of pinned observers, who may have them, and how they are listed. */
#include "share_target.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "share/events.h"

/* ---- names */

static void names_that_are_none(void **state)
{
	static const char *const names[] = {"",	     ".",    "a.b",   "a/", "/",
					    "~mine", "a\nb", "/x/..", NULL};
	const struct plan plan = {getpid(), 0, 0, "known_0000", NULL, UPM_OBSERVER_COUNT, 0};
	struct upm_observer *observer = share_start(&plan), *other;
	char name[300];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_upm(upm_observer_pin(observer, names[i]), UPM_ERR_INVALID);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_upm(upm_observer_pin(observer, name), UPM_ERR_SYSTEM);
	assert_int_equal(upm_error_last()->sys_errno, ENAMETOOLONG);
	assert_int_equal(access(UPM_PIN_DIRECTORY, F_OK), -1);
	assert_upm(upm_observer_pin(observer, "/sys/fs/bpf/no/such"), UPM_ERR_NOT_FOUND);
	assert_upm(upm_observer_pin(observer, "/tmp/such"), UPM_ERR_NOT_FOUND);
	assert_non_null(strstr(upm_error_last()->hint, "mount -t bpf"));
	assert_upm(upm_observer_pin(NULL, "name"), UPM_ERR_INVALID);
	assert_upm(upm_observer_open("name", NULL), UPM_ERR_INVALID);
	assert_upm(upm_observer_open(NULL, &other), UPM_ERR_INVALID);
	assert_upm_ok(upm_observer_stop(observer, NULL));
	assert_upm(upm_observer_pin(observer, "late"), UPM_ERR_STATE);
	upm_observer_free(observer);
}

static void a_taken_name(void **state)
{
	struct upm_observer *first, *second;
	const struct plan plan = {getpid(), 0, 0, "known_0000", NULL, UPM_OBSERVER_COUNT, 0};
	struct target target;

	(void)state;
	target_start(&target);
	first = count_pinned(&target, "taken");
	second = share_start(&plan);
	assert_upm(upm_observer_pin(second, "taken"), UPM_ERR_SYSTEM);
	assert_int_equal(upm_error_last()->sys_errno, EEXIST);
	assert_upm(upm_observer_pin(first, "again"), UPM_ERR_STATE);
	assert_upm_ok(upm_observer_pin(second, "free"));
	upm_observer_free(second);
	assert_upm_ok(upm_observer_unpin("free"));
	upm_observer_free(first);
	assert_upm_ok(upm_observer_unpin("taken"));
	target_stop(&target);
}

static void *pin_it(void *observer)
{
	int32_t status = upm_observer_pin(observer, "race");

	return (void *)(intptr_t)(status == UPM_ERR_SYSTEM ? upm_error_last()->sys_errno : status);
}

static void two_take_one_name(void **state)
{
	const struct plan plan = {getpid(), 0, 0, "known_0000", NULL, UPM_OBSERVER_COUNT, 0};

	(void)state;
	for (int round = 0; round < 10; round++) {
		struct upm_observer *observers[2];
		pthread_t threads[2];
		void *results[2];

		for (int i = 0; i < 2; i++) {
			observers[i] = share_start(&plan);
			assert_int_equal(pthread_create(&threads[i], NULL, pin_it, observers[i]),
					 0);
		}
		for (int i = 0; i < 2; i++)
			pthread_join(threads[i], &results[i]);
		assert_true((results[0] == NULL) != (results[1] == NULL));
		assert_int_equal((intptr_t)results[0] + (intptr_t)results[1], EEXIST);
		assert_upm_ok(upm_observer_unpin("race"));
		assert_int_equal(access(UPM_PIN_DIRECTORY, F_OK), -1);
		upm_observer_free(observers[0]);
		upm_observer_free(observers[1]);
	}
}

static void without_mount(void)
{
	const struct plan plan = {getpid(), 0, 0, "known_0000", NULL, UPM_OBSERVER_COUNT, 0};
	struct upm_observer *observer = share_start(&plan);
	struct upm_pinned_list *list;

	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(umount("/sys/fs/bpf"), 0);
	while (umount("/sys/fs/bpf") == 0)
		; /* the machine's own, below ours */
	assert_upm(upm_observer_pin(observer, "name"), UPM_ERR_NOT_FOUND);
	assert_non_null(strstr(upm_error_last()->hint, "mount -t bpf bpf /sys/fs/bpf"));
	assert_upm(upm_observer_open("name", &observer), UPM_ERR_NOT_FOUND);
	assert_non_null(strstr(upm_error_last()->hint, "mount -t bpf bpf /sys/fs/bpf"));
	assert_upm(upm_observer_unpin("name"), UPM_ERR_NOT_FOUND);
	assert_upm(upm_pinned_list(NULL, &list), UPM_ERR_NOT_FOUND);
	assert_non_null(strstr(upm_error_last()->hint, "mount -t bpf bpf /sys/fs/bpf"));
	upm_observer_free(observer);
}

static void no_bpf_file_system(void **state)
{
	(void)state;
	run_in_child(without_mount);
}

static void as_nobody(void)
{
	struct upm_observer *observer;
	struct upm_pinned_list *list;

	assert_int_equal(setgid(65534), 0);
	assert_int_equal(setuid(65534), 0);
	assert_upm(upm_observer_open("mine", &observer), UPM_ERR_PERMISSION);
	assert_upm(upm_observer_unpin("mine"), UPM_ERR_PERMISSION);
	assert_upm(upm_pinned_list(NULL, &list), UPM_ERR_PERMISSION);
}

static void another_user(void **state)
{
	struct upm_observer *observer;
	struct target target;

	(void)state;
	target_start(&target);
	observer = count_pinned(&target, "mine");
	run_in_child(as_nobody);
	upm_observer_free(observer);
	assert_upm_ok(upm_observer_unpin("mine"));
	target_stop(&target);
}

static void a_directory_of_another_user(void **state)
{
	const struct plan plan = {getpid(), 0, 0, "known_0000", NULL, UPM_OBSERVER_COUNT, 0};
	struct upm_observer *observer = share_start(&plan);

	(void)state;
	assert_int_equal(mkdir(UPM_PIN_DIRECTORY, 0700), 0);
	assert_int_equal(chown(UPM_PIN_DIRECTORY, 65534, 65534), 0);
	assert_upm(upm_observer_pin(observer, "mine"), UPM_ERR_PERMISSION);
	assert_int_equal(rmdir(UPM_PIN_DIRECTORY), 0);
	upm_observer_free(observer);
}

/* ---- one reader of events */

static void claim_elsewhere(void)
{
	struct upm_observer *observer;

	assert_upm_ok(upm_observer_open("events", &observer));
	assert_upm(upm_share_claim_events(observer), UPM_ERR_STATE);
	upm_observer_free(observer);
}

static void events_have_one_reader(void **state)
{
	struct upm_observer *owner, *reader, *other;
	char holder[64];
	struct target target;

	(void)state;
	target_start(&target);
	owner = count_pinned(&target, "events");
	assert_upm_ok(upm_observer_open("events", &reader));
	assert_upm_ok(upm_observer_open("events", &other));
	assert_upm_ok(upm_share_claim_events(reader));
	assert_upm_ok(upm_share_claim_events(reader));
	assert_upm(upm_share_claim_events(other), UPM_ERR_STATE);
	snprintf(holder, sizeof(holder), "process %d (%s)", getpid(),
		 program_invocation_short_name);
	assert_non_null(strstr(upm_error_last()->message, holder));
	assert_upm(upm_share_claim_events(owner), UPM_ERR_STATE);
	run_in_child(claim_elsewhere);
	upm_observer_free(reader);
	assert_upm_ok(upm_share_claim_events(owner));
	assert_upm(upm_share_claim_events(other), UPM_ERR_STATE);
	upm_observer_free(owner);
	assert_upm_ok(upm_share_claim_events(other));
	upm_observer_free(other);
	assert_upm_ok(upm_observer_unpin("events"));
	target_stop(&target);
}

/* Who reads before the pinning goes on reading after it. */
static void the_owner_reads_on(void **state)
{
	const struct plan plan = {getpid(), 0, 0, "known_0000", NULL, UPM_OBSERVER_COUNT, 0};
	struct upm_observer *owner = share_start(&plan), *other;

	(void)state;
	assert_upm_ok(upm_share_claim_events(owner));
	assert_upm_ok(upm_observer_pin(owner, "events"));
	assert_upm_ok(upm_observer_open("events", &other));
	assert_upm(upm_share_claim_events(other), UPM_ERR_STATE);
	assert_upm_ok(upm_share_claim_events(owner));
	upm_observer_free(owner);
	upm_observer_free(other);
	assert_upm_ok(upm_observer_unpin("events"));
}

/* ---- list */

static void assert_listed(const struct upm_pinned_list *list, size_t index, const char *name,
			  const char *problem)
{
	struct upm_pinned pinned = {.size = sizeof(pinned)};

	assert_upm_ok(upm_pinned_list_get(list, index, &pinned));
	assert_string_equal(pinned.name, name);
	if (*problem ? !strstr(pinned.problem, problem) : *pinned.problem != '\0')
		fail_msg("%s: \"%s\" lacks \"%s\"", name, pinned.problem, problem);
	assert_int_equal(pinned.owner, 0);
	if (*problem)
		return;
	assert_string_equal(pinned.creator, program_invocation_short_name);
	assert_int_equal(pinned.creator_pid, getpid());
	assert_int_equal(pinned.kind, UPM_OBSERVER_COUNT);
	assert_int_equal(pinned.probes, 100);
	assert_int_equal(pinned.attached, 100);
	assert_int_equal(pinned.kernel_links, has_multi() ? 1 : 100);
	assert_in_range(pinned.created_s, (uint64_t)time(NULL) - 3600, (uint64_t)time(NULL));
}

static void assert_list(void)
{
	struct upm_pinned pinned = {.size = sizeof(pinned)};
	struct upm_pinned_list *list;

	assert_upm(upm_pinned_list(NULL, NULL), UPM_ERR_INVALID);
	assert_upm_ok(upm_pinned_list(NULL, &list));
	assert_int_equal(upm_error_last()->code, UPM_ERR_INVALID);
	assert_int_equal(upm_pinned_list_size(list), 4);
	assert_listed(list, 0, "a", "");
	assert_listed(list, 1, "b", "");
	assert_listed(list, 2, "no-meta", "no pinned observer");
	assert_listed(list, 3, "~1-0", "unfinished");
	assert_upm(upm_pinned_list_get(list, 4, &pinned), UPM_ERR_INVALID);
	upm_pinned_list_free(list);
	assert_upm_ok(upm_pinned_list("/sys/fs/bpf/uprobe_multi/", &list));
	assert_int_equal(upm_pinned_list_size(list), 4);
	assert_listed(list, 1, "/sys/fs/bpf/uprobe_multi/b", "");
	upm_pinned_list_free(list);
}

static void a_list(void **state)
{
	struct upm_pinned_list *list;
	struct upm_observer *observers[2];
	struct target target;

	(void)state;
	assert_upm_ok(upm_pinned_list(NULL, &list));
	assert_int_equal(upm_pinned_list_size(list), 0);
	upm_pinned_list_free(list);
	target_start(&target);
	observers[0] = count_pinned(&target, "b");
	observers[1] = count_pinned(&target, "a");
	assert_int_equal(mkdir(UPM_PIN_DIRECTORY "/~1-0", 0700), 0);
	assert_int_equal(mkdir(UPM_PIN_DIRECTORY "/no-meta", 0700), 0);
	assert_int_equal(mkdir(UPM_PIN_DIRECTORY "/no-meta/links", 0700), 0);
	assert_int_equal(mkdir(UPM_PIN_DIRECTORY "/else", 0700), 0);
	assert_list();
	assert_int_equal(rmdir(UPM_PIN_DIRECTORY "/else"), 0);
	assert_upm_ok(upm_observer_unpin("~1-0"));
	assert_upm_ok(upm_observer_unpin("no-meta"));
	assert_upm_ok(upm_observer_unpin("a"));
	assert_upm_ok(upm_observer_unpin("b"));
	upm_observer_free(observers[0]);
	upm_observer_free(observers[1]);
	assert_upm(upm_pinned_list("/tmp", &list), UPM_ERR_NOT_FOUND);
	assert_upm(upm_pinned_list("/sys/fs/bpf/none", &list), UPM_ERR_NOT_FOUND);
	assert_upm(upm_pinned_list(NULL, NULL), UPM_ERR_INVALID);
	upm_pinned_list_free(NULL);
	target_stop(&target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SHARE_TEST(names_that_are_none),
		SHARE_TEST(a_taken_name),
		SHARE_TEST(two_take_one_name),
		SHARE_TEST(no_bpf_file_system),
		SHARE_TEST(another_user),
		SHARE_TEST(a_directory_of_another_user),
		SHARE_TEST(events_have_one_reader),
		SHARE_TEST(the_owner_reads_on),
		SHARE_TEST(a_list),
	};

	return cmocka_run_group_tests(tests, share_mount_bpffs, NULL);
}

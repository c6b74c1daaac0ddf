// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The command, ended at random moments by SIGINT, SIGTERM and SIGKILL, also twice in a row. Each
 * time no breakpoint, link, pin or process of it is left, and the target goes on. KILLS=N says how
 * often.
 *
 * A SIGKILL while an observer is being pinned leaves its name, marked as unfinished: that is
 * removed as a user would, and everything else has to be gone then.
 */
#include "share_target.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attach/sys.h"
#include "text.h"

#define USUAL_KILLS 24
#define USUAL_KILLS_OF_PERF_EVENTS 8

static char command[PATH_MAX], known[PATH_MAX];
static uint32_t seed = 20250713;

static uint32_t random_below(uint32_t limit)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % limit;
}

/* ---- what is left */

static pid_t observed;

/* Links that are limited to the target. */
static size_t links_left(void)
{
	size_t found = 0;
	uint32_t id = 0;

	while (bpf_link_get_next_id(id, &id) == 0) {
		struct upm_bpf_link_info info = {0};
		int fd = bpf_link_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (upm_sys_object_info(fd, &info, sizeof(info)) == 0 &&
		    info.type == UPM_BPF_LINK_UPROBE_MULTI && info.multi.pid == (uint32_t)observed)
			found++;
		close(fd);
	}
	return found;
}

/* Processes that run the command. */
static size_t commands_left(void)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	size_t found = 0;

	assert_non_null(processes);
	while ((entry = readdir(processes))) {
		char path[300], program[PATH_MAX];
		ssize_t length;

		snprintf(path, sizeof(path), "/proc/%s/exe", entry->d_name);
		length = readlink(path, program, sizeof(program) - 1);
		program[length > 0 ? length : 0] = '\0';
		found += strcmp(program, command) == 0;
	}
	closedir(processes);
	return found;
}

static void assert_none(size_t (*left)(void), const char *what)
{
	for (int tries = 0; left() && tries < 1500; tries++)
		usleep(20000);
	if (left())
		fail_msg("%zu %s left", left(), what);
}

static void remove_pins(bool may_be_unfinished)
{
	struct upm_pinned pinned = {.size = sizeof(pinned)};
	struct upm_pinned_list *list;

	if (access(UPM_PIN_DIRECTORY, F_OK))
		return;
	assert_upm_ok(upm_pinned_list(NULL, &list));
	for (size_t i = 0; upm_pinned_list_get(list, i, &pinned) == UPM_OK; i++) {
		if (*pinned.problem && !may_be_unfinished)
			fail_msg("%s is left: %s", pinned.name, pinned.problem);
		assert_upm_ok(upm_observer_unpin(pinned.name));
	}
	upm_pinned_list_free(list);
	assert_int_equal(access(UPM_PIN_DIRECTORY, F_OK), -1);
}

/* ---- a run and its end */

static const char *const ways[][4] = {
	{"count", "--all", "--json", NULL},
	{"latency", "--json", NULL},
	{"trace", "--json", NULL},
	{"count", "--pin", "killed", NULL},
};

static pid_t start(uint32_t way, pid_t target)
{
	char pid[16], functions[PATH_MAX + 16];
	const char *line[16] = {command};
	size_t count = 1;
	pid_t child;

	snprintf(pid, sizeof(pid), "%d", target);
	/* The kernel ends perf events one after another, a tenth of a second each. */
	snprintf(functions, sizeof(functions), "%s:known_%s", known, has_multi() ? "*" : "000?");
	for (size_t i = 0; ways[way][i]; i++)
		line[count++] = ways[way][i];
	line[count++] = "-o";
	line[count++] = "/dev/null";
	line[count++] = "-p";
	line[count++] = pid;
	line[count++] = functions;
	line[count++] = has_multi() ? "libknown.so:shared_*" : "libknown.so:shared_000?";
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execv(command, (char *const *)line);
		_exit(127);
	}
	return child;
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* How long a pinned run takes from start to end: the others are in mid-attach for about as long. */
static uint32_t measure(pid_t target)
{
	uint64_t begin = now_us();
	int status;

	assert_true(waitpid(start(3, target), &status, 0) > 0);
	assert_int_equal(status, 0);
	remove_pins(false);
	return (uint32_t)(now_us() - begin);
}

static void kill_one(pid_t target, uint32_t span_us, uint32_t counts[])
{
	static const int signals[] = {SIGINT, SIGTERM, SIGKILL};
	uint32_t way = random_below(sizeof(ways) / sizeof(ways[0]));
	int first = signals[random_below(3)];
	bool again = random_below(2);
	pid_t child = start(way, target);

	usleep(random_below(span_us));
	kill(child, first);
	if (again) {
		usleep(random_below(span_us / 2));
		kill(child, SIGKILL);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	counts[first == SIGINT ? 0 : first == SIGTERM ? 1 : 2]++;
	remove_pins(again || first == SIGKILL);
	assert_none(commands_left, "processes are");
	assert_none(links_left, "links are");
	if (text_settles(target, TARGET_FILES))
		fail_msg("the target's code is changed");
}

static void killed_at_any_time(void **state)
{
	const char *wanted = getenv("KILLS");
	long kills = wanted	   ? strtol(wanted, NULL, 10)
		     : has_multi() ? USUAL_KILLS
				   : USUAL_KILLS_OF_PERF_EVENTS;
	uint32_t counts[3] = {0}, span;
	struct target target;

	(void)state;
	assert_true(kills > 0);
	snprintf(command, sizeof(command), "%s", test_build_path("uprobe-multi"));
	snprintf(known, sizeof(known), "%s", test_build_path("target/known"));
	target_start(&target);
	observed = target.pid;
	assert_int_equal(text_differences(target.pid, TARGET_FILES), 0);
	span = measure(target.pid) * 3 / 2;
	for (long i = 0; i < kills; i++) {
		kill_one(target.pid, span, counts);
		if (i % 10 == 0)
			target_expect(&target, "call times=1", "call total=1000");
	}
	print_message("%ld runs ended within %u us: %u by SIGINT first, %u by SIGTERM, %u by "
		      "SIGKILL; nothing left\n",
		      kills, span, counts[0], counts[1], counts[2]);
	target_stop(&target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_at_any_time),
	};

	return cmocka_run_group_tests(tests, share_mount_bpffs, NULL);
}

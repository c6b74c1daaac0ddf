// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * What can happen to a target while its probes are being attached. The attach is made of ten links;
 * after the fifth a callback does something to the target. Afterwards nothing is left of the
 * probes, and the target, if it lives, does what it did.
 */
#include "live_target.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "text.h"

/* A copy of the target, which may be replaced and cut. */
struct scene {
	char directory[64];
	struct target target;
	struct upm_probe_set *set;
	struct upm_observer *observer;
	void (*happen)(struct scene *scene);
	bool happened;
};

static void in_directory(const struct scene *scene, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", scene->directory, name);
}

static void copy(const struct scene *scene, const char *name)
{
	char line[2 * PATH_MAX + 32];

	snprintf(line, sizeof(line), "cp %s/%s %s/", test_build_path("target"), name,
		 scene->directory);
	assert_int_equal(system(line), 0);
}

/* As many as make the attach last, though perf events take a tenth of a second each to end. */
static const char *known_functions(void)
{
	return has_multi() ? "known_*" : "known_00*";
}

/* Probes on functions of a file of the copy. */
static void begin(struct scene *scene, const char *program, const char *file, const char *pattern)
{
	char path[PATH_MAX], spec[PATH_MAX + 64];
	const char *const specs[] = {spec};

	snprintf(scene->directory, sizeof(scene->directory), "/tmp/upm-scene-XXXXXX");
	assert_non_null(mkdtemp(scene->directory));
	copy(scene, "known");
	copy(scene, "delicate-c");
	copy(scene, "libknown.so");
	copy(scene, "libversions.so");
	in_directory(scene, program, path);
	target_start_program(&scene->target, path);
	in_directory(scene, file, path);
	snprintf(spec, sizeof(spec), "%s:%s", path, pattern);
	assert_upm_ok(upm_resolve(specs, 1, NULL, &scene->set));
}

static int32_t progress(const char *stage, uint64_t done, uint64_t total, void *context)
{
	struct scene *scene = context;

	if (strcmp(stage, "attach") == 0 && done >= total / 2 && !scene->happened) {
		scene->happened = true;
		scene->happen(scene);
	}
	return 0;
}

static int32_t attach(struct scene *scene, void (*happen)(struct scene *scene))
{
	struct upm_attach_options options = options_for(&scene->target.pid);

	options.probes_per_link = (uint32_t)(upm_probe_set_size(scene->set) / 10 + 1);
	options.progress = progress;
	options.progress_context = scene;
	scene->happen = happen;
	scene->observer = NULL;
	return upm_count(scene->set, &options, &scene->observer);
}

static void finish(struct scene *scene)
{
	char line[128];

	upm_probe_set_free(scene->set);
	assert_true(scene->happened);
	snprintf(line, sizeof(line), "rm -r %s", scene->directory);
	assert_int_equal(system(line), 0);
}

/* The probes have ended, and the target's code is its file's. */
static void let_go(struct scene *scene)
{
	upm_observer_free(scene->observer);
	assert_int_equal(text_settles(scene->target.pid, scene->directory), 0);
}

static void close_dead(struct scene *scene)
{
	fclose(scene->target.commands);
	fclose(scene->target.answers);
}

/* ---- it goes */

static void kill_it(struct scene *scene)
{
	kill(scene->target.pid, SIGKILL);
	assert_int_equal(waitpid(scene->target.pid, NULL, 0), scene->target.pid);
}

static void exits(void **state)
{
	size_t descriptors = descriptors_open();
	struct scene scene = {0};
	int32_t status;

	(void)state;
	begin(&scene, "known", "known", known_functions());
	status = attach(&scene, kill_it);
	if (status) {
		assert_int_equal(status, UPM_ERR_NOT_FOUND);
		assert_non_null(strstr(upm_error_last()->message, "has ended"));
		assert_true(*upm_error_last()->hint);
	}
	upm_observer_free(scene.observer);
	close_dead(&scene);
	finish(&scene);
	assert_int_equal(descriptors_open(), descriptors);
}

static void run_another(struct scene *scene)
{
	char command[PATH_MAX + 16];

	snprintf(command, sizeof(command), "exec %s/known", scene->directory);
	target_send(&scene->target, command);
	assert_memory_equal(target_answer(&scene->target), "ready ", 6);
}

static void execs(void **state)
{
	struct scene scene = {0};

	(void)state;
	begin(&scene, "delicate-c", "delicate-c", "*");
	assert_upm_ok(attach(&scene, run_another));
	target_expect(&scene.target, "call times=2", "call total=2000");
	let_go(&scene);
	target_expect(&scene.target, "call times=2", "call total=2000");
	target_stop(&scene.target);
	finish(&scene);
}

/* ---- it goes on */

/* The target does its work as ever, and each of these calls is counted when all is in place. */
static void check_counts(struct scene *scene)
{
	size_t size = upm_probe_set_size(scene->set);
	uint64_t before = total_hits(scene->observer, size);

	assert_int_equal(upm_link_attached(upm_observer_link(scene->observer)), size);
	target_expect(&scene->target, "call times=3", "call total=3000");
	assert_int_equal(total_hits(scene->observer, size) - before, 3 * size);
	let_go(scene);
	target_expect(&scene->target, "call times=3", "call total=3000");
	target_stop(&scene->target);
	finish(scene);
}

static void have_children(struct scene *scene)
{
	target_expect(&scene->target, "fork children=3 times=1", "fork total=3000");
}

static void forks(void **state)
{
	struct scene scene = {0};

	(void)state;
	begin(&scene, "known", "known", known_functions());
	assert_upm_ok(attach(&scene, have_children));
	check_counts(&scene);
}

static void stop_it(struct scene *scene)
{
	kill(scene->target.pid, SIGSTOP);
	assert_int_equal(waitpid(scene->target.pid, NULL, WUNTRACED), scene->target.pid);
}

static void is_stopped(void **state)
{
	struct scene scene = {0};

	(void)state;
	begin(&scene, "known", "known", known_functions());
	assert_upm_ok(attach(&scene, stop_it));
	kill(scene.target.pid, SIGCONT);
	check_counts(&scene);
}

/* A debugger comes, halts it, and has a breakpoint of its own where a probe will be. */
static long old_word;
static void *breakpoint;

static void debug_it(struct scene *scene)
{
	struct upm_probe probe = {.size = sizeof(probe)};
	char path[64], line[PATH_MAX + 128];
	unsigned long start, end, offset;
	FILE *maps;

	assert_upm_ok(upm_probe_set_get(scene->set, upm_probe_set_size(scene->set) - 1, &probe));
	snprintf(path, sizeof(path), "/proc/%d/maps", scene->target.pid);
	maps = fopen(path, "re");
	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx r-xp %lx", &start, &end, &offset) == 3 &&
		    strstr(line, "/known\n"))
			breakpoint = (void *)(start + probe.offset - offset);
	fclose(maps);
	assert_int_equal(ptrace(PTRACE_ATTACH, scene->target.pid, NULL, NULL), 0);
	assert_int_equal(waitpid(scene->target.pid, NULL, 0), scene->target.pid);
	errno = 0;
	old_word = ptrace(PTRACE_PEEKTEXT, scene->target.pid, breakpoint, NULL);
	assert_int_equal(errno, 0);
#if defined(__x86_64__)
	assert_int_equal(ptrace(PTRACE_POKETEXT, scene->target.pid, breakpoint,
				(void *)((old_word & ~0xffL) | 0xcc)),
			 0);
#endif
}

static void is_debugged(void **state)
{
	struct scene scene = {0};

	(void)state;
	begin(&scene, "known", "known", known_functions());
	assert_upm_ok(attach(&scene, debug_it));
	upm_observer_free(scene.observer);
	assert_int_equal(ptrace(PTRACE_POKETEXT, scene.target.pid, breakpoint, (void *)old_word),
			 0);
	assert_int_equal(ptrace(PTRACE_DETACH, scene.target.pid, NULL, NULL), 0);
	assert_int_equal(text_settles(scene.target.pid, scene.directory), 0);
	target_expect(&scene.target, "call times=3", "call total=3000");
	target_stop(&scene.target);
	finish(&scene);
}

/* ---- its files change */

static void replace_it(struct scene *scene)
{
	char path[PATH_MAX], other[PATH_MAX];

	in_directory(scene, "known", path);
	in_directory(scene, "delicate-c", other);
	assert_int_equal(rename(other, path), 0);
}

static void is_replaced(void **state)
{
	struct scene scene = {0};

	(void)state;
	begin(&scene, "known", "known", known_functions());
	assert_upm_ok(attach(&scene, replace_it));
	check_counts(&scene);
}

static void remove_it(struct scene *scene)
{
	char path[PATH_MAX];

	in_directory(scene, "known", path);
	assert_int_equal(unlink(path), 0);
	copy(scene, "known"); /* another file, for the clean-up */
}

static void is_removed(void **state)
{
	struct scene scene = {0};

	(void)state;
	begin(&scene, "known", "known", known_functions());
	assert_upm_ok(attach(&scene, remove_it));
	check_counts(&scene);
}

/*
 * A library is cut behind the probes that are attached: what of it is gone can not be probed, and
 * that is said. Not before them: a kernel that finds no page under a breakpoint which it is to take
 * out "leaks" the probe (6.18), and later takes the instruction that it remembers for that of
 * whatever file gets the memory of the inode. That would be some other test's.
 */
static void cut_it(struct scene *scene)
{
	struct upm_probe probe = {.size = sizeof(probe)};
	char path[PATH_MAX];

	in_directory(scene, "libknown.so", path);
	assert_upm_ok(
		upm_probe_set_get(scene->set, upm_probe_set_size(scene->set) * 3 / 4, &probe));
	assert_int_equal(truncate(path, (off_t)probe.offset - 8), 0);
}

static void is_truncated(void **state)
{
	struct scene scene = {0};
	const struct upm_link *link;
	int32_t status;

	(void)state;
	begin(&scene, "known", "libknown.so", "shared_*");
	target_expect(&scene.target, "versions times=1", "versions calls=1 sum=3");
	status = attach(&scene, cut_it);
	if (status) {
		assert_true(*upm_error_last()->message && *upm_error_last()->hint);
	} else {
		link = upm_observer_link(scene.observer);
		assert_int_equal(upm_link_attached(link) + upm_link_skipped(link),
				 upm_probe_set_size(scene.set));
		assert_true(upm_link_attached(link) >= 500 && upm_link_skipped(link) > 0);
	}
	for (size_t i = 0; !status && i < upm_link_skipped(link); i++) {
		struct upm_probe probe = {.size = sizeof(probe)};

		assert_upm_ok(upm_link_skipped_get(link, i, &probe));
		assert_true(probe.verdict != UPM_VERDICT_OK && *probe.reason);
	}
	copy(&scene, "libknown.so");
	let_go(&scene);
	target_expect(&scene.target, "versions times=1", "versions calls=1 sum=3");
	kill_it(&scene); /* its loader's own notes in the library's data are gone */
	close_dead(&scene);
	finish(&scene);
}

/* ---- a library comes and goes */

static void load_and_unload(struct scene *scene)
{
	char command[PATH_MAX + 16];

	snprintf(command, sizeof(command), "dlopen %s/libknown.so", scene->directory);
	target_expect(&scene->target, command, "dlopen 3");
}

static void closes_a_library(void **state)
{
	struct scene scene = {0};

	(void)state;
	begin(&scene, "delicate-c", "libknown.so", "shared_*");
	assert_upm_ok(attach(&scene, load_and_unload));
	load_and_unload(&scene);
	assert_true(total_hits(scene.observer, upm_probe_set_size(scene.set)) >= 3);
	let_go(&scene);
	load_and_unload(&scene);
	target_stop(&scene.target);
	finish(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exits),
		cmocka_unit_test(execs),
		cmocka_unit_test(forks),
		cmocka_unit_test(is_stopped),
		cmocka_unit_test(is_debugged),
		cmocka_unit_test(is_replaced),
		cmocka_unit_test(is_removed),
		cmocka_unit_test(is_truncated),
		cmocka_unit_test(closes_a_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

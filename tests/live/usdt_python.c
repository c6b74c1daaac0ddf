/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* CPython: functions and collections as strings and numbers, and semaphores as before in the end.
 */
#include "usdt_real.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char interpreter[] = "/usr/bin/python3";
enum { CYCLES = 7, GENERATION = 1 }; /* what tests/target/usdt_work.py collects */

struct python {
	struct target target;
	char path[PATH_MAX]; /* of the interpreter, links resolved */
};

static struct upm_probe_set *resolve(const struct python *python, const char *place)
{
	return usdt_resolve_in(python->path, place, 0);
}

static bool python_has_probes(struct python *python)
{
	struct upm_probe probe = {.size = sizeof(probe)};
	struct upm_probe_set *set;
	bool found;

	if (!realpath(interpreter, python->path))
		return false;
	set = resolve(python, "python:function__entry");
	assert_upm_ok(upm_probe_set_get(set, 0, &probe));
	found = probe.verdict == UPM_VERDICT_OK;
	upm_probe_set_free(set);
	return found;
}

static void start_python(struct python *python)
{
	char work[PATH_MAX];
	const char *const command[] = {python->path, "-I", "-S", work, NULL};

	snprintf(work, sizeof(work), "%s", test_build_path("target/usdt_work.py"));
	target_start_command(&python->target, command);
	assert_memory_equal(target_answer(&python->target), "ready ", 6);
}

#define skip_without_probes(python)                                                                \
	do {                                                                                       \
		if (!python_has_probes(python))                                                    \
			skip_because("no Python with USDT here");                                  \
	} while (0)

static void every_site_is_listed(void **state)
{
	struct upm_probe_set *set;
	struct python python;
	size_t arguments;

	(void)state;
	skip_without_probes(&python);
	set = resolve(&python, "*:*");
	arguments = assert_lists_notes(set, python.path);
	print_message("# %zu call sites, %zu arguments\n", upm_probe_set_size(set), arguments);
	upm_probe_set_free(set);
}

/* ---- arguments */

/* The next hit is of this function, as the program knows its own: "LINE FILE". */
static void expect_function(const struct upm_object *object, const char *function,
			    const char *place)
{
	struct usdt_text text;
	char found[PATH_MAX];

	assert_true(texts_next(object, &text));
	for (int i = 0; i < 3; i++)
		assert_int_equal(text.failures[i], 0);
	assert_int_equal(text.lengths[1], strlen(text.strings[1]) + 1);
	assert_string_equal(text.strings[1], function);
	snprintf(found, sizeof(found), "%d %s", (int)text.numbers[2], text.strings[0]);
	assert_string_equal(found, place);
}

static void functions_are_read(void **state)
{
	char outer[PATH_MAX], inner[PATH_MAX];
	struct upm_object *object;
	struct upm_probe_set *set;
	struct python python;
	struct usdt_text text;
	struct upm_link *link;

	(void)state;
	skip_without_probes(&python);
	start_python(&python);
	target_send(&python.target, "outer");
	strcpy(outer, target_answer(&python.target));
	target_send(&python.target, "inner");
	strcpy(inner, target_answer(&python.target));
	set = resolve(&python, "python:function__entry");
	link = texts_attach(set, python.target.pid, &object);
	target_expect(&python.target, "work", "work 2");
	target_expect(&python.target, "work", "work 2");
	upm_link_free(link);
	target_expect(&python.target, "work", "work 2");
	for (int i = 0; i < 2; i++) {
		assert_true(texts_next(object, &text));
		assert_string_equal(text.strings[1], "<lambda>");
		expect_function(object, "outer_of_work", outer);
		expect_function(object, "inner_of_work", inner);
		assert_true(texts_next(object, &text));
		assert_string_equal(text.strings[1], "say");
	}
	assert_false(texts_next(object, &text));
	upm_probe_set_free(set);
	upm_object_free(object);
	target_stop(&python.target);
}

static void expect_collection(const struct upm_object *object, const struct upm_probe_set *set,
			      const char *name, int64_t value)
{
	struct upm_probe probe = {.size = sizeof(probe)};
	struct usdt_text text;

	assert_true(texts_next(object, &text));
	assert_upm_ok(upm_probe_set_get(set, text.probe, &probe));
	assert_string_equal(probe.symbol, name);
	assert_int_equal(text.failures[0], 0);
	assert_int_equal(text.numbers[0], value);
}

static void collections_are_read(void **state)
{
	struct upm_object *object;
	struct upm_probe_set *set;
	struct python python;
	struct usdt_text text;
	struct upm_link *link;

	(void)state;
	skip_without_probes(&python);
	start_python(&python);
	set = resolve(&python, "python:gc__*");
	assert_int_equal(upm_probe_set_size(set), 2);
	link = texts_attach(set, python.target.pid, &object);
	for (int i = 0; i < 3; i++) {
		target_expect(&python.target, "collect", "collected 7");
		expect_collection(object, set, "gc__start", GENERATION);
		expect_collection(object, set, "gc__done", CYCLES);
	}
	upm_link_free(link);
	target_expect(&python.target, "collect", "collected 7");
	assert_false(texts_next(object, &text));
	upm_probe_set_free(set);
	upm_object_free(object);
	target_stop(&python.target);
}

/* ---- semaphores, as they are in the memory of the process */

static uint64_t address_of(const struct python *python, uint64_t offset)
{
	char path[64], line[PATH_MAX + 128];
	unsigned long start, end, from;
	uint64_t found = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", python->target.pid);
	maps = fopen(path, "re");
	assert_non_null(maps);
	while (!found && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx rw-p %lx", &start, &end, &from) == 3 &&
		    strstr(line, python->path) && offset >= from && offset < from + end - start)
			found = start + offset - from;
	fclose(maps);
	assert_true(found != 0);
	return found;
}

static int memory_of(const struct python *python)
{
	char path[64];
	int memory;

	snprintf(path, sizeof(path), "/proc/%d/mem", python->target.pid);
	memory = open(path, O_RDWR | O_CLOEXEC);
	assert_true(memory >= 0);
	return memory;
}

static off_t semaphore_of(const struct python *python, const struct upm_probe_set *set,
			  size_t index)
{
	struct upm_probe probe = {.size = sizeof(probe)};

	assert_upm_ok(upm_probe_set_get(set, index, &probe));
	assert_true(probe.ref_ctr_offset != 0);
	return (off_t)address_of(python, probe.ref_ctr_offset);
}

static bool semaphores_are(const struct python *python, const struct upm_probe_set *set, int wanted)
{
	int memory = memory_of(python);
	bool all = true;

	for (size_t i = 0; i < upm_probe_set_size(set); i++) {
		off_t address = semaphore_of(python, set, i);
		uint16_t value;

		assert_int_equal(pread(memory, &value, sizeof(value), address), sizeof(value));
		all = all && value == wanted;
	}
	close(memory);
	return all;
}

/* A killed process's links end in its shelter, and perf events behind the detach. */
static bool semaphores_become(const struct python *python, const struct upm_probe_set *set,
			      int wanted)
{
	for (int tries = 0; tries < 3000 && !semaphores_are(python, set, wanted); tries++)
		usleep(20000);
	return semaphores_are(python, set, wanted);
}

/* Whatever else has raised them before. */
static void poke_semaphores(const struct python *python, const struct upm_probe_set *set,
			    uint16_t value)
{
	int memory = memory_of(python);

	for (size_t i = 0; i < upm_probe_set_size(set); i++)
		assert_int_equal(
			pwrite(memory, &value, sizeof(value), semaphore_of(python, set, i)),
			sizeof(value));
	close(memory);
}

/* The kernel raises a semaphore once for a process, however many links wait at the site. */
static void semaphores_rise_and_fall(void **state)
{
	struct upm_observer *first, *second;
	struct upm_attach_options options;
	struct upm_probe_set *set;
	struct python python;

	(void)state;
	skip_without_probes(&python);
	start_python(&python);
	options = options_for(&python.target.pid);
	set = resolve(&python, "python:*");
	assert_true(semaphores_are(&python, set, 0));
	poke_semaphores(&python, set, 5);
	assert_upm_ok(upm_count(set, &options, &first));
	assert_true(semaphores_are(&python, set, 6));
	assert_upm_ok(upm_count(set, &options, &second));
	assert_true(semaphores_are(&python, set, 6));
	target_expect(&python.target, "work", "work 2");
	upm_observer_free(second);
	assert_true(semaphores_are(&python, set, 6));
	target_expect(&python.target, "work", "work 2");
	assert_upm_ok(upm_observer_stop(first, NULL));
	assert_true(semaphores_become(&python, set, 5));
	target_expect(&python.target, "work", "work 2");
	assert_int_equal(real_hits(first, set, "python", "function__entry"), 2 * 4);
	assert_int_equal(real_hits(first, set, "python", "function__return"), 2 * 4);
	upm_observer_free(first);
	upm_probe_set_free(set);
	target_stop(&python.target);
}

/* A child that counts until it is killed. */
static pid_t count_in_child(const struct python *python, const struct upm_probe_set *set)
{
	struct upm_attach_options options = options_for(&python->target.pid);
	struct upm_observer *observer;
	int ready[2];
	pid_t child;
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (upm_count(set, &options, &observer) || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return child;
}

static void semaphores_fall_after_kill(void **state)
{
	struct upm_probe_set *set;
	struct python python;
	pid_t child;

	(void)state;
	skip_without_probes(&python);
	start_python(&python);
	set = resolve(&python, "python:*");
	for (int i = 0; i < 3; i++) {
		child = count_in_child(&python, set);
		assert_true(semaphores_are(&python, set, 1));
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, NULL, 0), child);
		assert_true(semaphores_become(&python, set, 0));
		target_expect(&python.target, "work", "work 2");
	}
	upm_probe_set_free(set);
	target_stop(&python.target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_site_is_listed),
		cmocka_unit_test(functions_are_read),
		cmocka_unit_test(collections_are_read),
		cmocka_unit_test(semaphores_rise_and_fall),
		cmocka_unit_test(semaphores_fall_after_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

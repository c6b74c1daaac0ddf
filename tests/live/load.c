// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Attach and detach again and again, from several threads at once, at a program that runs: no
 * descriptor, memory or kernel object may be left. And many observers of one program at once, each
 * of which counts every call.
 *
 * LOAD_CYCLES=10000 and LOAD_OBSERVERS=100 in the environment say how often and how many.
 */
#include "live_target.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define THREADS 16
#define MOST_IDS (1 << 24)

static unsigned long wanted(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 10) : otherwise;
}

/* ---- kernel objects: those that descriptors of this process have been seen for */

static const struct {
	const char *key;
	int (*open)(uint32_t id);
} kinds[] = {
	{"\nlink_id:", bpf_link_get_fd_by_id},
	{"\nprog_id:", bpf_prog_get_fd_by_id},
	{"\nmap_id:", bpf_map_get_fd_by_id},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static atomic_uchar *seen[KINDS]; /* by id */

static void note_descriptor(const char *name)
{
	char path[300], text[2048];
	FILE *file;
	size_t length;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%s", name);
	file = fopen(path, "re");
	if (!file)
		return;
	length = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[length] = '\0';
	for (size_t i = 0; i < KINDS; i++) {
		const char *found = strstr(text, kinds[i].key);
		unsigned long id = found ? strtoul(found + strlen(kinds[i].key), NULL, 10) : 0;

		/* A link's says its program's, too. */
		if (id && id < MOST_IDS)
			atomic_store(&seen[i][id], 1);
	}
}

static void note_kernel_objects(void)
{
	DIR *directory = opendir("/proc/self/fdinfo");
	const struct dirent *entry;

	assert_non_null(directory);
	while ((entry = readdir(directory)))
		note_descriptor(entry->d_name);
	closedir(directory);
}

/* The kernel frees what was let go of a little later. @return whether it has */
static bool becomes_gone(size_t kind, uint32_t id)
{
	for (int tries = 0; tries < 3000; tries++) {
		int fd = kinds[kind].open(id);

		if (fd < 0)
			return true;
		close(fd);
		usleep(20000);
	}
	return false;
}

/* @return how many there have been */
static size_t assert_kernel_objects_are_gone(void)
{
	size_t count = 0;

	for (size_t kind = 0; kind < KINDS; kind++) {
		for (uint32_t id = 1; id < MOST_IDS; id++) {
			if (!atomic_load(&seen[kind][id]))
				continue;
			count++;
			if (!becomes_gone(kind, id))
				fail_msg("%s %u is left", kinds[kind].key + 1, id);
		}
	}
	return count;
}

/* ---- observers of every kind */

#define FUNCTIONS "known_000[0-3]"

struct scene {
	struct target target;
	struct upm_attach_options options;
	struct upm_probe_set *entries, *returns;
	atomic_ulong next;
	unsigned long limit;
};

static void begin(struct scene *scene)
{
	memset(scene, 0, sizeof(*scene));
	target_start(&scene->target);
	scene->options = options_for(&scene->target.pid);
	scene->entries = resolve_known("uprobe", FUNCTIONS);
	scene->returns = resolve_known("uretprobe", FUNCTIONS);
}

static void end(struct scene *scene)
{
	upm_probe_set_free(scene->entries);
	upm_probe_set_free(scene->returns);
	assert_clean(scene->target.pid);
	target_stop(&scene->target);
}

/* @return upm_status */
static int32_t observe(const struct scene *scene, unsigned long number, struct upm_observer **out)
{
	struct upm_trace_options trace = {.size = sizeof(trace), .ring_bytes = 4096};

	switch (number % 4) {
	case 0:
		return upm_count(scene->entries, &scene->options, out);
	case 1:
		return upm_count(scene->returns, &scene->options, out);
	case 2:
		return upm_latency(scene->entries, NULL, &scene->options, out);
	default:
		return upm_trace(scene->entries, &trace, &scene->options, out);
	}
}

/* ---- cycles */

static void *cycle(void *context)
{
	struct scene *scene = context;
	unsigned long number;

	while ((number = atomic_fetch_add(&scene->next, 1)) < scene->limit) {
		struct upm_observer *observer;

		if (observe(scene, number, &observer))
			return strdup(upm_error_last()->message);
		note_kernel_objects();
		upm_observer_free(observer);
	}
	return NULL;
}

struct usage {
	size_t descriptors, resident_kib, allocated;
};

static struct usage measure(void)
{
	struct usage usage = {.descriptors = descriptors_open()};
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*u %lu", &pages), 1);
	fclose(file);
	usage.resident_kib = pages * (size_t)sysconf(_SC_PAGESIZE) / 1024;
	usage.allocated = mallinfo2().uordblks;
	return usage;
}

static struct usage run_cycles(struct scene *scene, unsigned long times)
{
	pthread_t threads[THREADS];
	size_t descriptors = descriptors_open();

	scene->limit += times;
	atomic_store(&scene->next, scene->limit - times);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, cycle, scene), 0);
	for (size_t i = 0; i < THREADS; i++) {
		void *failure;

		pthread_join(threads[i], &failure);
		if (failure)
			fail_msg("%s", (char *)failure);
	}
	wait_for_descriptors(descriptors);
	return measure();
}

static void cycles_leave_nothing(void **state)
{
	unsigned long times = wanted("LOAD_CYCLES", scaled(64)), warm = times / 10 + THREADS;
	struct usage before, after;
	struct scene scene;
	size_t objects;

	(void)state;
	for (size_t i = 0; i < KINDS; i++)
		assert_non_null(seen[i] = calloc(MOST_IDS, 1));
	begin(&scene);
	target_send(&scene.target, "spin threads=1 functions=4");
	before = run_cycles(&scene, warm);
	after = run_cycles(&scene, times);
	target_send(&scene.target, "");
	target_answer(&scene.target);
	end(&scene);
	objects = assert_kernel_objects_are_gone();
	print_message(
		"%lu cycles: descriptors %zu, then %zu; resident KiB %zu, then %zu; allocated "
		"bytes %zu, then %zu; %zu kernel objects, none is left\n",
		times + warm, before.descriptors, after.descriptors, before.resident_kib,
		after.resident_kib, before.allocated, after.allocated, objects);
	assert_int_equal(after.descriptors, before.descriptors);
	assert_true(after.allocated < before.allocated + 4096);
	assert_true(objects > times);
	for (size_t i = 0; i < KINDS; i++)
		free(seen[i]);
}

/* ---- many at once */

static uint64_t hits_of(const struct upm_observer *observer, size_t probes)
{
	struct upm_latency_snapshot *snapshot;
	uint64_t total = 0;

	if (upm_observer_kind(observer) != UPM_OBSERVER_LATENCY)
		return total_hits(observer, probes);
	assert_upm_ok(upm_latency_read(observer, &snapshot));
	for (size_t i = 0; i < upm_latency_snapshot_size(snapshot); i++) {
		struct upm_latency_row row = {.size = sizeof(row)};

		assert_upm_ok(upm_latency_snapshot_get(snapshot, i, &row));
		total += row.calls;
	}
	upm_latency_snapshot_free(snapshot);
	return total;
}

static void many_at_once_count_all(void **state)
{
	unsigned long count = wanted("LOAD_OBSERVERS", scaled(20)), times = scaled(100);
	struct upm_observer **observers = calloc(count, sizeof(struct upm_observer *));
	char command[64];
	struct scene scene;
	size_t probes, before = descriptors_open();

	(void)state;
	assert_non_null(observers);
	begin(&scene);
	probes = upm_probe_set_size(scene.entries);
	for (unsigned long i = 0; i < count; i++)
		assert_upm_ok(observe(&scene, i, &observers[i]));
	snprintf(command, sizeof(command), "call times=%lu functions=%zu", times, probes);
	target_send(&scene.target, command);
	target_answer(&scene.target);
	for (unsigned long i = 0; i < count; i++)
		assert_int_equal(hits_of(observers[i], probes), times * probes);
	print_message("%lu observers at once, each with all %lu hits\n", count, times * probes);
	target_send(&scene.target, "spin threads=1 functions=4");
	for (unsigned long i = 0; i < count; i++)
		upm_observer_free(observers[i % 2 ? count - 1 - i / 2 : i / 2]);
	target_send(&scene.target, "");
	target_answer(&scene.target);
	free(observers);
	end(&scene);
	wait_for_descriptors(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_at_once_count_all),
		cmocka_unit_test(cycles_leave_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

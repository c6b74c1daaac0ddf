/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Latencies of a real program's libraries under load: right, plausible, and no harm done. */
#include "latency_target.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS 300

static const char interpreter[] = "/usr/bin/python3";

/* Each round calls the first ones once, and the others at least that often. */
static const char *const once[] = {"deflateInit2_", "deflateEnd", "inflateInit2_", "inflateEnd"};
static const char *const often[] = {"deflate", "inflate", "EVP_DigestUpdate", "malloc"};

struct session {
	struct target target;
	struct upm_probe_set *set;
	struct upm_observer *observer;
	char answer[512]; /* of the program when nobody looks */
};

static void start_work(struct session *session)
{
	char work[PATH_MAX];
	const char *const command[] = {interpreter, "-I", "-S", work, NULL};

	snprintf(work, sizeof(work), "%s", test_build_path("target/latency_work.py"));
	target_start_command(&session->target, command);
	assert_memory_equal(target_answer(&session->target), "ready ", 6);
}

static void resolve_libraries(struct session *session)
{
	static const char *const specs[] = {
		"libcrypto.so.3:EVP_*", "libz.so.1:*",	     "libc.so.6:malloc",
		"libc.so.6:calloc",	"libc.so.6:realloc", "libc.so.6:free",
	};
	/* libcrypto can switch stacks, for asynchronous jobs. Here are none. */
	const struct upm_resolve_options options = {.size = sizeof(options),
						    .flags = UPM_RESOLVE_ACCEPT_UNWINDING,
						    .pids = &session->target.pid,
						    .pid_count = 1};

	assert_upm_ok(
		upm_resolve(specs, sizeof(specs) / sizeof(specs[0]), &options, &session->set));
}

/* Where the process maps this byte of the file; 0 = not at all. */
static uint64_t mapped_at(pid_t pid, const struct upm_probe *probe)
{
	char path[64], line[PATH_MAX + 128], file[PATH_MAX];
	unsigned long start, end, from;
	uint64_t found = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	assert_non_null(maps);
	assert_non_null(realpath(probe->path, file));
	while (!found && fgets(line, sizeof(line), maps)) {
		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%lx-%lx r-xp %lx", &start, &end, &from) == 3 &&
		    strstr(line, file) && probe->offset >= from &&
		    probe->offset < from + end - start)
			found = start + probe->offset - from;
	}
	fclose(maps);
	return found;
}

static void assert_text_is_clean(const struct session *session, const struct upm_probe *probe)
{
	uint64_t address = mapped_at(session->target.pid, probe);
	uint8_t wanted[5], found[5];
	char path[64];
	int file = open(probe->path, O_RDONLY | O_CLOEXEC), memory;

	snprintf(path, sizeof(path), "/proc/%d/mem", session->target.pid);
	memory = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(address && file >= 0 && memory >= 0);
	assert_int_equal(pread(file, wanted, sizeof(wanted), (off_t)probe->offset), 5);
	assert_int_equal(pread(memory, found, sizeof(found), (off_t)address), 5);
	assert_memory_equal(found, wanted, sizeof(found));
	close(file);
	close(memory);
}

static bool listed(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void check_row(const struct upm_latency_snapshot *snapshot, size_t index, uint64_t elapsed)
{
	struct upm_latency_row row = row_at(snapshot, index);
	const uint64_t *buckets = upm_latency_snapshot_buckets(snapshot, index);
	uint64_t last = row.min_ns, sum = 0;

	assert_row(&row, row.entries, row.entries);
	for (int percent = 0; percent <= 100; percent += 10) {
		uint64_t ns = upm_latency_snapshot_percentile(snapshot, index, percent / 100.0);

		assert_true(ns >= last && ns <= row.max_ns);
		last = ns;
	}
	for (size_t i = 0; i < UPM_LATENCY_BUCKETS; i++)
		sum += buckets[i];
	assert_int_equal(sum, row.calls);
	assert_true(row.sum_ns < elapsed); /* of one thread, without recursion */
}

static void check_rows(const struct session *session, const struct upm_latency_snapshot *snapshot,
		       uint64_t elapsed)
{
	size_t found_once = 0, found_often = 0;

	for (size_t i = 0; i < upm_latency_snapshot_size(snapshot); i++) {
		struct upm_latency_row row = row_at(snapshot, i);
		struct upm_probe probe = {.size = sizeof(probe)};

		assert_upm_ok(upm_probe_set_get(session->set, row.probe, &probe));
		print_message("%-24s %6lu calls, p50 %8lu p99 %8lu max %8lu ns\n", probe.symbol,
			      row.calls, upm_latency_snapshot_percentile(snapshot, i, 0.5),
			      upm_latency_snapshot_percentile(snapshot, i, 0.99), row.max_ns);
		check_row(snapshot, i, elapsed);
		if (listed(once, 4, probe.symbol)) {
			assert_int_equal(row.calls, ROUNDS);
			found_once++;
		}
		if (listed(often, 4, probe.symbol)) {
			assert_true(row.calls >= ROUNDS);
			found_often++;
		}
	}
	assert_int_equal(found_once, 4);
	assert_int_equal(found_often, 4);
}

static bool has_unreturned(const struct upm_latency_snapshot *snapshot)
{
	for (size_t i = 0; i < upm_latency_snapshot_size(snapshot); i++)
		if (row_at(snapshot, i).unreturned)
			return true;
	return false;
}

/* The program has answered, and may still be on its way to where it waits for the next command. */
static struct upm_latency_snapshot *read_at_rest(const struct upm_observer *observer)
{
	struct upm_latency_snapshot *snapshot;

	assert_upm_ok(upm_latency_read(observer, &snapshot));
	for (int tries = 0; tries < 100 && has_unreturned(snapshot); tries++) {
		upm_latency_snapshot_free(snapshot);
		usleep(20000);
		assert_upm_ok(upm_latency_read(observer, &snapshot));
	}
	return snapshot;
}

static void measure(struct session *session, const struct way *way, const char *command)
{
	struct upm_attach_options options = options_for(&session->target.pid);
	struct upm_latency_snapshot *before, *after, *rest;

	options.backend = way->backend;
	assert_upm_ok(
		upm_latency_measure(way->form, session->set, NULL, &options, &session->observer));
	print_message("%zu of %zu functions\n",
		      upm_link_attached(upm_observer_link(session->observer)),
		      upm_probe_set_size(session->set));
	before = read_at_rest(session->observer);
	target_expect(&session->target, command, session->answer);
	after = read_at_rest(session->observer);
	assert_upm_ok(upm_latency_snapshot_diff(after, before, &rest));
	check_rows(session, rest,
		   upm_latency_snapshot_time_ns(after) - upm_latency_snapshot_time_ns(before));
	upm_latency_snapshot_free(rest);
	upm_latency_snapshot_free(after);
	upm_latency_snapshot_free(before);
}

static void check_unharmed(struct session *session, const char *command)
{
	const struct upm_link *link = upm_observer_link(session->observer);

	assert_upm_ok(upm_observer_stop(session->observer, NULL));
	target_expect(&session->target, command, session->answer);
	for (size_t i = 0; i < upm_link_attached(link); i++) {
		struct upm_probe probe = {.size = sizeof(probe)};

		assert_upm_ok(upm_link_attached_get(link, i, &probe));
		assert_text_is_clean(session, &probe);
	}
	upm_observer_free(session->observer);
	upm_probe_set_free(session->set);
	target_stop(&session->target);
}

static void libraries_of(const struct way *way)
{
	struct session session = {0};
	char command[32];

	if (access(interpreter, X_OK))
		skip_because("no Python here");
	snprintf(command, sizeof(command), "%d", ROUNDS);
	start_work(&session);
	target_send(&session.target, command);
	snprintf(session.answer, sizeof(session.answer), "%s", target_answer(&session.target));
	resolve_libraries(&session);
	measure(&session, way, command);
	check_unharmed(&session, command);
}

static void by_session(void **state)
{
	(void)state;
	if (!has_sessions())
		skip_because("this kernel has no session links");
	libraries_of(latency_way(0));
}

static void by_pair(void **state)
{
	(void)state;
	skip_without_multi();
	libraries_of(latency_way(has_sessions() ? 1 : 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_session),
		cmocka_unit_test(by_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

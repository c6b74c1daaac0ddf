/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "usdt_target.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "target/usdt_forms.h"

const char *const usdt_builds[] = {"gcc-O0",   "clang-O0", "gcc-O1",   "clang-O1",  "gcc-O2",
				   "clang-O2", "gcc-O3",   "clang-O3", "gcc-fixed", NULL};

const char *usdt_path(const char *build)
{
	static char path[PATH_MAX];
	char name[64];

	snprintf(name, sizeof(name), "target/usdt-%s", build);
	snprintf(path, sizeof(path), "%s", test_build_path(name));
	return path;
}

void usdt_start(struct target *target, const char *build)
{
	target_start_program(target, usdt_path(build));
}

struct upm_probe_set *usdt_resolve(const char *build, const char *place, int32_t pid)
{
	return usdt_resolve_in(usdt_path(build), place, pid);
}

struct upm_probe_set *usdt_resolve_in(const char *path, const char *place, int32_t pid)
{
	struct upm_resolve_options options = {
		.size = sizeof(options), .pids = &pid, .pid_count = pid ? 1 : 0};
	struct upm_probe_set *set;
	char spec[PATH_MAX + 64];
	const char *specs[] = {spec};

	snprintf(spec, sizeof(spec), "usdt:%s:%s", path, place);
	assert_upm_ok(upm_resolve(specs, 1, &options, &set));
	return set;
}

void usdt_fire(struct target *target, int round)
{
	char answer[32];

	snprintf(answer, sizeof(answer), "fired %d", round);
	target_expect(target, "fire", answer);
}

void usdt_await_semaphore(struct target *target, int value)
{
	char wanted[32];

	snprintf(wanted, sizeof(wanted), "semaphore %d", value);
	target_send(target, "semaphore");
	while (strcmp(target_answer(target), wanted) != 0) {
		usleep(20000);
		target_send(target, "semaphore");
	}
}

struct usdt_result usdt_result_of(int results_fd, uint32_t probe)
{
	struct usdt_result result;

	assert_int_equal(bpf_map_lookup_elem(results_fd, &probe, &result), 0);
	return result;
}

/* What a check is about. */
struct check {
	const struct upm_probe_set *set;
	int results_fd, rounds, last_round;
	usdt_reads_fn reads;
	size_t unread;
};

static void check_argument(struct check *check, size_t probe, uint32_t number,
			   const struct usdt_result *result, uint64_t wanted)
{
	struct upm_argument argument = {.size = sizeof(argument)};

	assert_upm_ok(upm_probe_set_argument(check->set, probe, number, &argument));
	if (!check->reads(argument.text)) {
		assert_int_equal(result->failures[number], -EINVAL);
		assert_int_equal(result->values[number], 0);
		check->unread++;
		return;
	}
	if (result->failures[number] || result->values[number] != wanted)
		print_message("argument %u is %s\n", number, argument.text);
	assert_int_equal(result->failures[number], 0);
	assert_int_equal(result->values[number], wanted);
}

/* A probe may have several call sites, of which one was passed. */
static void check_probe(struct check *check, const char *provider, const char *name,
			const uint64_t *values, uint32_t count)
{
	uint64_t hits = 0;

	for (size_t i = 0; i < upm_probe_set_size(check->set); i++) {
		struct upm_probe probe = {.size = sizeof(probe)};
		struct usdt_result result;

		assert_upm_ok(upm_probe_set_get(check->set, i, &probe));
		if (strcmp(probe.provider, provider) != 0 || strcmp(probe.symbol, name) != 0)
			continue;
		result = usdt_result_of(check->results_fd, (uint32_t)i);
		hits += result.hits;
		if (!result.hits)
			continue;
		assert_int_equal(result.count, count);
		for (uint32_t argument = 0; argument < count; argument++)
			check_argument(check, i, argument, &result, values[argument]);
	}
	if (hits != (uint64_t)check->rounds)
		print_message("%s:%s has %d hits\n", provider, name, (int)hits);
	assert_int_equal(hits, check->rounds);
}

static void check_value(struct check *check, const char *constraint, const char *storage,
			const char *type, uint64_t value)
{
	const uint64_t values[] = {value, (uint64_t)check->last_round};
	char provider[64], name[64];

	if (strcmp(constraint, "memory") == 0 && strcmp(storage, "constant") == 0)
		return;
	snprintf(provider, sizeof(provider), "forms_%s", constraint);
	snprintf(name, sizeof(name), "%s_%s", storage, type);
	check_probe(check, provider, name, values, 2);
}

static void check_storage(struct check *check, const char *constraint, const char *storage)
{
#define CHECK_TYPE(name, type, value)                                                              \
	check_value(check, constraint, storage, #name, (uint64_t)(type)(value));
	USDT_TYPES(CHECK_TYPE)
}

static void check_constraint(struct check *check, const char *constraint)
{
#define CHECK_STORAGE(name) check_storage(check, constraint, #name);
	USDT_STORAGES(CHECK_STORAGE)
}

size_t usdt_check(const struct upm_probe_set *set, int results_fd, int rounds, int last_round,
		  usdt_reads_fn reads)
{
	struct check check = {set, results_fd, rounds, last_round, reads, 0};
	uint64_t many[USDT_ROUND_COUNT];

#define CHECK_CONSTRAINT(name) check_constraint(&check, #name);
	USDT_CONSTRAINTS(CHECK_CONSTRAINT)
	for (uint32_t i = 0; i < USDT_ROUND_COUNT; i++)
		many[i] = (uint64_t)i * (uint64_t)last_round;
	check_probe(&check, "forms", "many", many, USDT_ROUND_COUNT);
	check_probe(&check, "forms", "none", NULL, 0);
	return check.unread;
}

// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * A program gives the same answers before, while and after every function of it is observed, in
 * every way there is; its code is then what its file has. tests/target/delicate.c does with stacks
 * and instructions what probes could spoil.
 */
#include "live_target.h"

#include <limits.h>
#include <string.h>

#include "text.h"

/* All functions of the program, and what is done with them. */
enum way { ENTRIES, RETURNS, LATENCY, CALLS, PERF, WAYS };

static const char *const way_names[WAYS] = {"count of entries", "count of returns", "latency",
					    "trace of calls", "count by perf events"};

struct subject {
	const char *program;
	const char *commands[8];
	bool returns; /* it can be given return probes */
};

static const struct subject subjects[] = {
	{"target/delicate-c", {"redzone", "signals", "jumps", "jit", "fork"}, true},
	{"target/delicate-cxx", {"exceptions", "jumps", "redzone"}, false},
	{"target/delicate-turns", {"coroutines", "signals"}, false},
	{"target/delicate-go", {"redzone", "jit"}, false},
};

static bool needs_returns(enum way way)
{
	return way == RETURNS || way == LATENCY || way == CALLS;
}

static struct upm_probe_set *resolve_all(const char *program, bool at_return, uint32_t flags)
{
	const struct upm_resolve_options options = {.size = sizeof(options), .flags = flags};
	char spec[PATH_MAX + 32];
	const char *specs[] = {spec};
	struct upm_probe_set *set;

	snprintf(spec, sizeof(spec), "%s:%s:*", at_return ? "uretprobe" : "uprobe",
		 test_build_path(program));
	assert_upm_ok(upm_resolve(specs, 1, &options, &set));
	return set;
}

static int32_t observe(enum way way, const struct upm_probe_set *set, const int32_t *pid,
		       struct upm_observer **observer)
{
	const struct upm_trace_options trace = {.size = sizeof(trace),
						.flags = UPM_TRACE_RETURNS | UPM_TRACE_STACKS,
						.arguments = "(char *a, long b)"};
	struct upm_attach_options options = options_for(pid);

	if (way == LATENCY)
		return upm_latency(set, NULL, &options, observer);
	if (way == CALLS)
		return upm_trace(set, &trace, &options, observer);
	if (way == PERF)
		options.backend = UPM_BACKEND_PERF_EVENT;
	return upm_count(set, &options, observer);
}

static void answer_of(struct target *target, const char *command, char *answer)
{
	target_send(target, command);
	snprintf(answer, sizeof(target->answer), "%s", target_answer(target));
}

/* The same answer under observation, and after it. */
static void compare(const struct subject *subject, enum way way, const char *command)
{
	struct upm_probe_set *set = resolve_all(subject->program, way == RETURNS, 0);
	size_t probes = upm_probe_set_size(set);
	char before[512], during[512], after[512];
	struct upm_observer *observer;
	struct target target;

	target_start_program(&target, test_build_path(subject->program));
	answer_of(&target, command, before);
	assert_int_equal(text_differences(target.pid, subject->program), 0);
	assert_upm_ok(observe(way, set, &target.pid, &observer));
	assert_true(text_differences(target.pid, subject->program) > 0);
	answer_of(&target, command, during);
	assert_true(total_hits(observer, probes) > 0);
	upm_observer_free(observer);
	assert_int_equal(text_settles(target.pid, subject->program), 0);
	answer_of(&target, command, after);
	if (strcmp(before, during) != 0 || strcmp(before, after) != 0)
		fail_msg("%s, %s: %s before, %s during, %s after", subject->program, way_names[way],
			 before, during, after);
	target_stop(&target);
	upm_probe_set_free(set);
}

static void programs_compute_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		const struct subject *subject = &subjects[i];

		for (int way = 0; way < WAYS; way++)
			for (size_t j = 0; subject->commands[j]; j++)
				if ((subject->returns || !needs_returns(way)) &&
				    (way != PERF || j == 0)) /* their end is slow */
					compare(subject, way, subject->commands[j]);
	}
}

/* Where a return probe would do harm it is refused, with the reason. */
static void harm_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		bool go = strstr(subjects[i].program, "-go");
		struct upm_probe_set *set = resolve_all(subjects[i].program, true, 0);
		size_t probes = upm_probe_set_size(set), refused;
		struct upm_observer *observer;

		refused = upm_probe_set_count_verdict(set, go ? UPM_VERDICT_GO_RETURN
							      : UPM_VERDICT_RETURN_UNSAFE);
		if (subjects[i].returns) {
			assert_true(refused < probes);
		} else {
			assert_int_equal(refused, probes);
			assert_upm(upm_count(set, NULL, &observer), UPM_ERR_NOTHING);
		}
		upm_probe_set_free(set);
	}
}

/* The user's word that no function is left for another stack. */
static void stacks_may_be_accepted(void **state)
{
	struct upm_probe_set *set =
		resolve_all("target/delicate-turns", true, UPM_RESOLVE_ACCEPT_UNWINDING);

	(void)state;
	assert_true(upm_probe_set_count_verdict(set, UPM_VERDICT_OK) > 10);
	upm_probe_set_free(set);
}

/*
 * The kernel reaches its return trampoline by a system call, and optimised sites theirs: a program
 * that may make no other than four goes on all the same.
 */
static void sandboxed(void **state)
{
	static const char program[] = "target/delicate-c";

	(void)state;
	for (int way = 0; way < PERF; way++) {
		struct upm_probe_set *set = resolve_all(program, way == RETURNS, 0);
		char before[512], during[512];
		struct upm_observer *observer;
		struct target target;

		target_start_program(&target, test_build_path(program));
		answer_of(&target, "redzone", before);
		target_expect(&target, "sandbox", "sandbox 0");
		assert_upm_ok(observe(way, set, &target.pid, &observer));
		answer_of(&target, "redzone", during);
		assert_string_equal(before, during);
		assert_true(total_hits(observer, upm_probe_set_size(set)) > 200);
		answer_of(&target, "redzone", during);
		assert_string_equal(before, during);
		upm_observer_free(observer);
		target_stop(&target);
		upm_probe_set_free(set);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_compute_the_same),
		cmocka_unit_test(harm_is_refused),
		cmocka_unit_test(stacks_may_be_accepted),
		cmocka_unit_test(sandboxed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

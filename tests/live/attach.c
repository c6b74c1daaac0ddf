/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The engine: groups, refusals and their bisection, strictness, cancelling, what is left behind. */
#include "live_target.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/bpf_uapi.h"
#include "resolve/probe_table.h"

#define LIBC "libc.so.6"

static struct upm_probe_set *resolve_one(const char *spec, const int32_t *pid)
{
	const struct upm_resolve_options options = {
		.size = sizeof(options),
		.pids = pid,
		.pid_count = pid ? 1 : 0,
	};
	struct upm_probe_set *set;

	assert_upm_ok(upm_resolve(&spec, 1, &options, &set));
	return set;
}

/* Pretend that the judge lets everything through. */
static void clear_verdicts(struct upm_probe_set *set)
{
	for (size_t i = 0; i < set->table->probes.count; i++)
		set->table->probes.items[i].verdict = UPM_VERDICT_OK;
}

static void judged_probes_are_skipped(void **state)
{
	struct upm_probe skipped = {.size = sizeof(skipped)};
	int program = load_nop(UPM_BPF_TRACE_UPROBE_MULTI);
	struct upm_attach_options options;
	struct upm_probe_set *set;
	struct target target;
	struct upm_link *link;

	(void)state;
	target_start(&target);
	options = options_for(&target.pid);
	set = resolve_one("uprobe:" LIBC ":pthread_*", &target.pid);
	assert_upm_ok(upm_attach(program, set, &options, &link));
	assert_int_equal(upm_link_attached(link) + upm_link_skipped(link), upm_probe_set_size(set));
	assert_int_equal(upm_link_attached(link), upm_probe_set_count_verdict(set, UPM_VERDICT_OK));
	assert_true(upm_link_skipped(link) >= 1);
	assert_upm_ok(upm_link_skipped_get(link, 0, &skipped));
	assert_string_equal(skipped.symbol, "pthread_spin_lock");
	assert_int_equal(skipped.verdict, UPM_VERDICT_UNPROBEABLE);
	upm_link_free(link);
	options.flags = UPM_ATTACH_STRICT;
	assert_upm(upm_attach(program, set, &options, &link), UPM_ERR_STRICT);
	assert_string_equal(upm_error_last()->object, "pthread_spin_lock");
	upm_probe_set_free(set);
	target_stop(&target);
	close(program);
}

static void refused_probes_are_found(void **state)
{
	struct upm_probe skipped = {.size = sizeof(skipped)};
	int program = load_nop(UPM_BPF_TRACE_UPROBE_MULTI);
	size_t before = descriptors_open();
	struct upm_attach_options options;
	struct upm_probe_set *set;
	struct target target;
	struct upm_link *link;

	(void)state;
	target_start(&target);
	options = options_for(&target.pid);
	set = resolve_one("uprobe:" LIBC ":pthread_*", &target.pid);
	clear_verdicts(set);
	assert_upm_ok(upm_attach(program, set, &options, &link));
	assert_int_equal(upm_link_skipped(link), 1);
	assert_int_equal(upm_link_attached(link), upm_probe_set_size(set) - 1);
	assert_int_equal(upm_link_kernel_links(link), has_multi() ? 1 : upm_link_attached(link));
	assert_upm_ok(upm_link_skipped_get(link, 0, &skipped));
	assert_string_equal(skipped.symbol, "pthread_spin_lock");
	assert_int_equal(skipped.verdict, UPM_VERDICT_REFUSED);
	assert_int_equal(skipped.sys_errno, UPM_ENOTSUPP);
	assert_non_null(strstr(skipped.reason, "ENOTSUPP"));
	upm_link_free(link);
	options.flags = UPM_ATTACH_STRICT;
	assert_upm(upm_attach(program, set, &options, &link), UPM_ERR_STRICT);
	upm_probe_set_free(set);
	target_stop(&target);
	assert_int_equal(descriptors_open(), before);
	close(program);
}

/* Trial links carry another program: no hit is counted before the final link stands. */
static void bisection_causes_no_hits(void **state)
{
	struct upm_attach_options options;
	struct upm_observer *observer;
	struct upm_probe_set *set, *bad;
	struct target target;

	(void)state;
	target_start(&target);
	options = options_for(&target.pid);
	set = resolve_many("uprobe");
	bad = resolve_one("uprobe:" LIBC ":pthread_spin_lock", &target.pid);
	assert_upm_ok(upm_probe_set_join(set, bad));
	clear_verdicts(set);
	assert_upm_ok(upm_count(set, &options, &observer));
	assert_int_equal(upm_link_attached(upm_observer_link(observer)), many_count());
	assert_int_equal(upm_link_skipped(upm_observer_link(observer)), 1);
	target_call_many(&target, 3);
	assert_int_equal(total_hits(observer, many_count() + 1), 3 * many_count());
	upm_observer_free(observer);
	upm_probe_set_free(bad);
	upm_probe_set_free(set);
	target_stop(&target);
}

static void nothing_to_attach(void **state)
{
	int program = load_nop(UPM_BPF_TRACE_UPROBE_MULTI);
	struct upm_probe_set *set = resolve_one("uprobe:" LIBC ":no_such_function", NULL);
	struct upm_link *link;

	(void)state;
	assert_upm(upm_attach(program, set, NULL, &link), UPM_ERR_NOTHING);
	assert_non_null(strstr(upm_error_last()->message, "1 no"));
	upm_probe_set_free(set);
	assert_upm_ok(upm_probe_set_new(&set));
	assert_upm(upm_attach(program, set, NULL, &link), UPM_ERR_NOTHING);
	upm_probe_set_free(set);
	close(program);
}

static void links_are_split(void **state)
{
	struct upm_probe_set *set = resolve_many("uprobe");
	struct upm_attach_options options;
	struct upm_kernel_link kernel_link = {.size = sizeof(kernel_link)};
	struct upm_observer *observer;
	const struct upm_link *link;
	struct target target;

	(void)state;
	skip_without_multi();
	target_start(&target);
	options = options_for(&target.pid);
	options.probes_per_link = (uint32_t)(many_count() * 3 / 10);
	assert_upm_ok(upm_count(set, &options, &observer));
	link = upm_observer_link(observer);
	assert_int_equal(upm_link_kernel_links(link), 4);
	assert_upm_ok(upm_link_kernel_get(link, 3, &kernel_link));
	assert_int_equal(kernel_link.probes, many_count() / 10);
	target_call_many(&target, 2);
	assert_hits(observer, many_count(), 2);
	upm_observer_free(observer);
	target_stop(&target);
	upm_probe_set_free(set);
}

/*
 * More than one link can take, in a file that nobody maps: the same functions again and again. Not
 * one function, since old kernels (6.1) keep the probes of one place in a list that each end of a
 * probe walks.
 */
static void more_probes_than_a_link_takes(void **state)
{
	const size_t count = UPM_BPF_UPROBE_MULTI_MAX + 1000;
	struct upm_observer *observer;
	struct upm_probe_table *table;
	struct upm_probe_set *set;
	char spec[PATH_MAX];
	size_t functions;

	(void)state;
	skip_without_multi();
	snprintf(spec, sizeof(spec), "%s:many_*", test_build_path("target/libmany-9000.so"));
	assert_upm_ok(upm_resolve((const char *const[]){spec}, 1, NULL, &set));
	table = set->table;
	functions = table->probes.count;
	assert_int_equal(functions, 9000);
	for (size_t i = functions; i < count; i++) {
		struct upm_probe_entry probe = table->probes.items[i - functions];

		assert_true(upm_vector_push(&table->probes, probe));
	}
	assert_upm_ok(upm_count(set, NULL, &observer));
	assert_int_equal(upm_link_attached(upm_observer_link(observer)), count);
	assert_int_equal(upm_link_kernel_links(upm_observer_link(observer)), 2);
	upm_observer_free(observer);
	upm_probe_set_free(set);
}

static void set_ref_ctr(struct upm_probe_table *table, size_t index, uint64_t offset)
{
	struct upm_probe_detail *detail =
		upm_probe_table_detail(table, &table->probes.items[index]);

	assert_non_null(detail);
	detail->ref_ctr_offset = offset;
}

static void conflicting_reference_counters(void **state)
{
	const size_t twice[] = {0, 1, 0, 1};
	struct upm_probe_set *both = resolve_known("uprobe", "known_000[01]"), *set;
	struct upm_probe skipped = {.size = sizeof(skipped)};
	int program = load_nop(UPM_BPF_TRACE_UPROBE_MULTI);
	struct upm_link *link;

	(void)state;
	assert_upm_ok(upm_probe_set_select(both, twice, 4, &set));
	upm_probe_set_free(both);
	clear_verdicts(set);
	set_ref_ctr(set->table, 0, 16);
	set_ref_ctr(set->table, 2, 32);
	assert_upm_ok(upm_attach(program, set, NULL, &link));
	assert_int_equal(upm_link_attached(link), 3);
	assert_upm_ok(upm_link_skipped_get(link, 0, &skipped));
	assert_int_equal(skipped.verdict, UPM_VERDICT_CONFLICT);
	upm_link_free(link);
	upm_probe_set_free(set);
	close(program);
}

static void several_processes(void **state)
{
	struct upm_probe_set *set = resolve_many("uprobe");
	struct upm_kernel_link kernel_link = {.size = sizeof(kernel_link)};
	struct upm_attach_options options;
	struct upm_observer *observer;
	struct target targets[3];
	int32_t pids[3];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		target_start(&targets[i]);
	pids[0] = targets[0].pid;
	pids[1] = targets[1].pid;
	pids[2] = targets[0].pid;
	options = options_for(pids);
	options.pid_count = 3;
	assert_upm_ok(upm_count(set, &options, &observer));
	/* Perf events are for every process, and the program filters. */
	assert_int_equal(upm_link_kernel_links(upm_observer_link(observer)),
			 has_multi() ? 2 : many_count());
	assert_upm_ok(upm_link_kernel_get(upm_observer_link(observer), 1, &kernel_link));
	assert_int_equal(kernel_link.pid, has_multi() ? targets[1].pid : 0);
	for (size_t i = 0; i < 3; i++)
		target_call_many(&targets[i], 2);
	assert_hits(observer, many_count(), 4);
	upm_observer_free(observer);
	for (size_t i = 0; i < 3; i++)
		target_stop(&targets[i]);
	upm_probe_set_free(set);
}

static int32_t cancel_at_the_end(const char *stage, uint64_t done, uint64_t total, void *context)
{
	(void)context;
	assert_string_equal(stage, "attach");
	assert_true(done <= total);
	return done == total;
}

static void cancelling_leaves_nothing(void **state)
{
	struct upm_probe_set *set = resolve_many("uprobe");
	int program = load_nop(UPM_BPF_TRACE_UPROBE_MULTI);
	size_t before = descriptors_open();
	struct upm_attach_options options;
	struct upm_link *link = NULL;
	struct target target;

	(void)state;
	target_start(&target);
	options = options_for(&target.pid);
	options.progress = cancel_at_the_end;
	assert_upm(upm_attach(program, set, &options, &link), UPM_ERR_CANCELLED);
	assert_null(link);
	assert_clean(target.pid);
	target_stop(&target);
	assert_int_equal(descriptors_open(), before);
	upm_probe_set_free(set);
	close(program);
}

static void attach_and_detach_for_ever(pid_t pid)
{
	struct upm_probe_set *set = resolve_many("uprobe");
	struct upm_attach_options options = options_for(&pid);
	struct upm_observer *observer;

	for (;;) {
		if (upm_count(set, &options, &observer))
			_exit(1);
		usleep((useconds_t)(rand() % 20000));
		upm_observer_free(observer);
	}
}

/* A copy of the target: what the kernel may leak stays with the copy's inode. */
static void use_private_target(char directory[])
{
	char command[8192];

	assert_non_null(mkdtemp(directory));
	snprintf(command, sizeof(command),
		 "mkdir %s/target && cp %s/* %s/target 2>/dev/null; test -x %s/target/known",
		 directory, test_build_path("target"), directory, directory);
	assert_int_equal(system(command), 0);
	setenv("UPM_BUILD", directory, 1);
}

/* In mid-attach, mid-run and mid-detach: see attach/shelter.h for what the kernel does otherwise.
 */
static void a_killed_observer_leaves_nothing(void **state)
{
	char directory[] = "/tmp/upm-killed-XXXXXX", remove_it[64];
	const char *environment = getenv("UPM_BUILD");
	char *build = environment ? strdup(environment) : NULL;
	struct target target;

	(void)state;
	use_private_target(directory);
	target_start(&target);
	for (int round = 0; round < (int)scaled(30); round++) {
		pid_t child = fork();

		assert_true(child >= 0);
		if (child == 0)
			attach_and_detach_for_ever(target.pid);
		usleep((useconds_t)(rand() % 200000));
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		assert_true(text_becomes_clean(target.pid));
	}
	target_call_many(&target, 1);
	target_stop(&target);
	if (build)
		setenv("UPM_BUILD", build, 1);
	else
		unsetenv("UPM_BUILD");
	free(build);
	snprintf(remove_it, sizeof(remove_it), "rm -r %s", directory);
	assert_int_equal(system(remove_it), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judged_probes_are_skipped),
		cmocka_unit_test(refused_probes_are_found),
		cmocka_unit_test(bisection_causes_no_hits),
		cmocka_unit_test(nothing_to_attach),
		cmocka_unit_test(links_are_split),
		cmocka_unit_test(more_probes_than_a_link_takes),
		cmocka_unit_test(conflicting_reference_counters),
		cmocka_unit_test(several_processes),
		cmocka_unit_test(cancelling_leaves_nothing),
		cmocka_unit_test(a_killed_observer_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

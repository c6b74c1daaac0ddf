/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Observers that are pinned by one process and read by another. */
#include "share_target.h"

#include <errno.h>
#include <unistd.h>

#include "attach/features.h"

static void outlives_its_owner(uint32_t backend)
{
	struct plan plan = {0, 0, backend, "known_00[0-9]*", "night-shift", UPM_OBSERVER_COUNT, 0};
	struct upm_observer *observer, *other;
	struct behind behind;
	struct target target;
	struct owner owner;

	if (!has_multi() || backend == UPM_BACKEND_PERF_EVENT)
		plan.pattern = "known_000[0-9]";
	target_start(&target);
	plan.pid = target.pid;
	owner_start(&owner, observe_and_pin, &plan);
	target_expect(&target, "call times=3", "call total=3000");
	owner_kill(&owner);
	assert_false(text_is_clean(target.pid));
	target_expect(&target, "call times=4", "call total=4000");
	assert_upm_ok(upm_observer_open("night-shift", &observer));
	look_behind(observer, &behind);
	assert_int_equal(upm_observer_kind(observer), UPM_OBSERVER_COUNT);
	assert_int_equal(upm_link_backend(upm_observer_link(observer)),
			 backend ? backend : upm_kernel_features()->backend);
	assert_hits(observer, upm_probe_set_size(upm_observer_probes(observer)), 7);
	target_expect(&target, "call times=5", "call total=5000");
	assert_hits(observer, upm_probe_set_size(upm_observer_probes(observer)), 12);
	assert_upm_ok(upm_observer_stop(observer, NULL));
	upm_observer_free(observer);
	assert_false(text_is_clean(target.pid));
	assert_upm_ok(upm_observer_open("/sys/fs/bpf/uprobe_multi/night-shift", &observer));
	assert_upm_ok(upm_observer_open("night-shift", &other));
	assert_upm_ok(upm_observer_unpin("night-shift"));
	assert_int_equal(access(UPM_PIN_DIRECTORY, F_OK), -1);
	target_expect(&target, "call times=1", "call total=1000");
	assert_hits(observer, upm_probe_set_size(upm_observer_probes(observer)), 13);
	assert_hits(other, upm_probe_set_size(upm_observer_probes(other)), 13);
	upm_observer_free(other);
	assert_false(text_is_clean(target.pid));
	upm_observer_free(observer);
	assert_gone(&behind);
	assert_clean(target.pid);
	assert_upm(upm_observer_open("night-shift", &observer), UPM_ERR_NOT_FOUND);
	assert_upm(upm_observer_unpin("night-shift"), UPM_ERR_NOT_FOUND);
	target_stop(&target);
}

static void a_count_outlives_its_owner(void **state)
{
	(void)state;
	outlives_its_owner(UPM_BACKEND_AUTO);
}

static void perf_events_outlive_their_owner(void **state)
{
	(void)state;
	outlives_its_owner(UPM_BACKEND_PERF_EVENT);
}

static void read_latency(const struct upm_observer *observer, uint64_t calls)
{
	struct upm_latency_snapshot *snapshot;

	assert_upm_ok(upm_latency_read(observer, &snapshot));
	assert_int_equal(upm_latency_snapshot_size(snapshot), 100);
	for (size_t i = 0; i < 100; i++) {
		struct upm_latency_row row = {.size = sizeof(row)};

		assert_upm_ok(upm_latency_snapshot_get(snapshot, i, &row));
		assert_int_equal(row.probe, i);
		assert_int_equal(row.entries, calls);
		assert_int_equal(row.calls, calls);
		assert_true(row.min_ns > 0 && row.min_ns <= row.max_ns);
	}
	upm_latency_snapshot_free(snapshot);
}

static void a_latency_outlives_its_owner(void **state)
{
	struct plan plan = {0, 0, 0, "known_00[0-9]*", "slow", UPM_OBSERVER_LATENCY, 0};
	struct upm_observer *observer;
	struct behind behind;
	struct target target;
	struct owner owner;

	(void)state;
	target_start(&target);
	plan.pid = target.pid;
	owner_start(&owner, observe_and_pin, &plan);
	target_expect(&target, "call times=3 functions=100", "call total=300");
	owner_kill(&owner);
	assert_upm_ok(upm_observer_open("slow", &observer));
	look_behind(observer, &behind);
	assert_int_equal(upm_observer_kind(observer), UPM_OBSERVER_LATENCY);
	read_latency(observer, 3);
	target_expect(&target, "call times=4 functions=100", "call total=400");
	read_latency(observer, 7);
	assert_hits(observer, 100, 7);
	assert_upm_ok(upm_observer_unpin("slow"));
	upm_observer_free(observer);
	assert_gone(&behind);
	assert_clean(target.pid);
	target_stop(&target);
}

static void drain(struct upm_observer *observer, struct upm_batch *batch, uint64_t expected)
{
	uint64_t events = 0;

	do {
		assert_upm_ok(upm_trace_read(observer, batch, 0));
		for (size_t i = 0; i < upm_batch_size(batch); i++) {
			assert_int_equal(upm_batch_events(batch)[i].argument_count, 1);
			assert_true(upm_batch_events(batch)[i].probe < 100);
		}
		events += upm_batch_size(batch);
	} while (upm_batch_size(batch));
	assert_int_equal(events, expected);
}

static void a_trace_outlives_its_owner(void **state)
{
	struct plan plan = {0, 0, 0, "known_00[0-9]*", "events", UPM_OBSERVER_TRACE, 0};
	struct upm_event_argument argument = {.size = sizeof(argument)};
	struct upm_observer *observer, *other;
	struct upm_trace_count counts[100];
	struct upm_batch *batch;
	struct behind behind;
	struct target target;
	struct owner owner;

	(void)state;
	target_start(&target);
	plan.pid = target.pid;
	owner_start(&owner, observe_and_pin, &plan);
	target_expect(&target, "call times=3 functions=100", "call total=300");
	owner_kill(&owner);
	assert_upm_ok(upm_batch_new(0, 0, &batch));
	assert_upm_ok(upm_observer_open("events", &observer));
	look_behind(observer, &behind);
	assert_int_equal(upm_observer_kind(observer), UPM_OBSERVER_TRACE);
	assert_upm_ok(upm_trace_argument(observer, 17, 0, &argument));
	assert_string_equal(argument.name, "first");
	assert_string_equal(argument.type, "int");
	drain(observer, batch, 300);
	assert_upm_ok(upm_observer_open("events", &other));
	assert_upm(upm_trace_read(other, batch, 0), UPM_ERR_STATE);
	target_expect(&target, "call times=4 functions=100", "call total=400");
	drain(observer, batch, 400);
	upm_observer_free(observer);
	target_expect(&target, "call times=1 functions=100", "call total=100");
	drain(other, batch, 100);
	assert_upm_ok(upm_trace_counts(other, counts, 100));
	assert_int_equal(counts[99].hits, 8);
	assert_int_equal(counts[99].events, 8);
	assert_upm_ok(upm_observer_unpin("events"));
	upm_observer_free(other);
	upm_batch_free(batch);
	assert_gone(&behind);
	assert_clean(target.pid);
	target_stop(&target);
}

/* The last holder is whoever unpins. */
static void unpinning_ends_it(void **state)
{
	struct upm_observer *observer;
	struct behind behind;
	struct target target;

	(void)state;
	target_start(&target);
	observer = count_pinned(&target, "short");
	look_behind(observer, &behind);
	upm_observer_free(observer);
	assert_false(text_is_clean(target.pid));
	assert_upm_ok(upm_observer_unpin("short"));
	assert_clean(target.pid);
	assert_gone(&behind);
	target_stop(&target);
}

static void children_are_followed_on(void **state)
{
	struct plan plan = {0,	      UPM_ATTACH_CHILDREN, 0, "known_00[0-9]*",
			    "family", UPM_OBSERVER_COUNT,  0};
	struct upm_observer *observer;
	struct behind behind;
	struct target target;
	struct owner owner;

	(void)state;
	target_start(&target);
	plan.pid = target.pid;
	owner_start(&owner, observe_and_pin, &plan);
	target_expect(&target, "fork children=2 times=10 functions=100", "fork total=2000");
	owner_kill(&owner);
	target_expect(&target, "fork children=3 times=10 functions=100", "fork total=3000");
	assert_upm_ok(upm_observer_open("family", &observer));
	look_behind(observer, &behind);
	assert_hits(observer, 100, 50);
	assert_int_equal(upm_observer_lost_processes(observer), 0);
	assert_upm_ok(upm_observer_unpin("family"));
	target_expect(&target, "fork children=1 times=10 functions=100", "fork total=1000");
	assert_hits(observer, 100, 60);
	upm_observer_free(observer);
	assert_gone(&behind);
	assert_clean(target.pid);
	target_stop(&target);
}

/* ---- what is kept */

static void assert_same_probe(const struct upm_probe *a, const struct upm_probe *b)
{
	assert_string_equal(a->path, b->path);
	assert_string_equal(a->symbol, b->symbol);
	assert_string_equal(a->version, b->version);
	assert_string_equal(a->spec, b->spec);
	assert_string_equal(a->reason, b->reason);
	assert_string_equal(a->provider, b->provider);
	assert_int_equal(a->offset, b->offset);
	assert_int_equal(a->address, b->address);
	assert_int_equal(a->symbol_offset, b->symbol_offset);
	assert_int_equal(a->symbol_size, b->symbol_size);
	assert_int_equal(a->ref_ctr_offset, b->ref_ctr_offset);
	assert_int_equal(a->cookie, b->cookie);
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->verdict, b->verdict);
	assert_int_equal(a->cost, b->cost);
	assert_int_equal(a->flags, b->flags);
	assert_int_equal(a->alias_count, b->alias_count);
	assert_int_equal(a->sys_errno, b->sys_errno);
	assert_int_equal(a->argument_count, b->argument_count);
}

static void assert_same_details(const struct upm_probe_set *one, const struct upm_probe_set *other,
				size_t index, const struct upm_probe *probe)
{
	for (size_t i = 0; i < probe->alias_count; i++)
		assert_string_equal(upm_probe_set_alias(one, index, i),
				    upm_probe_set_alias(other, index, i));
	for (size_t i = 0; i < probe->argument_count; i++) {
		struct upm_argument a = {.size = sizeof(a)}, b = {.size = sizeof(b)};

		assert_upm_ok(upm_probe_set_argument(one, index, i, &a));
		assert_upm_ok(upm_probe_set_argument(other, index, i, &b));
		assert_string_equal(a.reason, b.reason);
		a.reason = b.reason;
		assert_memory_equal(&a, &b, sizeof(a));
	}
}

static void assert_same_set(const struct upm_probe_set *one, const struct upm_probe_set *other)
{
	size_t count = upm_probe_set_size(one);

	assert_int_equal(upm_probe_set_size(other), count);
	for (size_t i = 0; i < count; i++) {
		struct upm_probe a = {.size = sizeof(a)}, b = {.size = sizeof(b)};

		assert_upm_ok(upm_probe_set_get(one, i, &a));
		assert_upm_ok(upm_probe_set_get(other, i, &b));
		assert_same_probe(&a, &b);
		assert_same_details(one, other, i, &a);
	}
}

static void assert_same_link(const struct upm_link *one, const struct upm_link *other)
{
	struct upm_probe a = {.size = sizeof(a)}, b = {.size = sizeof(b)};
	struct upm_kernel_link c = {.size = sizeof(c)}, d = {.size = sizeof(d)};

	assert_int_equal(upm_link_attached(one), upm_link_attached(other));
	assert_int_equal(upm_link_skipped(one), upm_link_skipped(other));
	assert_int_equal(upm_link_backend(one), upm_link_backend(other));
	assert_int_equal(upm_link_attach_ns(one), upm_link_attach_ns(other));
	assert_int_equal(upm_link_kernel_links(one), upm_link_kernel_links(other));
	for (size_t i = 0; i < upm_link_attached(one); i++) {
		assert_upm_ok(upm_link_attached_get(one, i, &a));
		assert_upm_ok(upm_link_attached_get(other, i, &b));
		assert_same_probe(&a, &b);
	}
	for (size_t i = 0; i < upm_link_skipped(one); i++) {
		assert_upm_ok(upm_link_skipped_get(one, i, &a));
		assert_upm_ok(upm_link_skipped_get(other, i, &b));
		assert_same_probe(&a, &b);
	}
	for (size_t i = 0; i < upm_link_kernel_links(one); i++) {
		assert_upm_ok(upm_link_kernel_get(one, i, &c));
		assert_upm_ok(upm_link_kernel_get(other, i, &d));
		assert_string_equal(c.path, d.path);
		assert_int_equal(c.id, d.id);
		assert_int_equal(c.probes, d.probes);
		assert_int_equal(c.kind, d.kind);
		assert_int_equal(c.pid, d.pid);
	}
}

/* Probes of all kinds and of many verdicts, in a file that is then removed. */
static void all_is_kept_without_the_files(void **state)
{
	char directory[] = "/tmp/upm-share-XXXXXX", command[2048], spec[4][128];
	const char *specs[] = {spec[0],
			       spec[1],
			       spec[2],
			       spec[3],
			       "libc.so.6:strlen",
			       "uretprobe:libc.so.6:mem*",
			       "no-such-file:main"};
	struct upm_observer *observer, *opened;
	struct upm_attach_options options = {.size = sizeof(options)};
	struct upm_probe_set *set;
	struct upm_link *link;
	int32_t self = getpid();

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(command, sizeof(command), "cd %s && cp known %s && cp usdt-gcc-O2 %s/usdt",
		 test_build_path("target"), directory, directory);
	assert_int_equal(system(command), 0);
	snprintf(spec[0], sizeof(spec[0]), "%s/known:*", directory);
	snprintf(spec[1], sizeof(spec[1]), "%s/known:no_such_function", directory);
	snprintf(spec[2], sizeof(spec[2]), "usdt:%s/usdt:*:*", directory);
	snprintf(spec[3], sizeof(spec[3]), "uretprobe:%s/known:_start", directory);
	assert_upm_ok(upm_resolve(specs, 7, NULL, &set));
	options.pids = &self;
	options.pid_count = 1;
	assert_upm_ok(upm_count(set, &options, &observer));
	assert_true(upm_link_skipped(upm_observer_link(observer)) > 3);
	assert_upm_ok(upm_observer_pin(observer, "all"));
	snprintf(command, sizeof(command), "rm -r %s", directory);
	assert_int_equal(system(command), 0);
	assert_upm_ok(upm_observer_open("all", &opened));
	assert_same_set(set, upm_observer_probes(opened));
	assert_same_link(upm_observer_link(observer), upm_observer_link(opened));
	/* Without the file, nothing is attached to what has its name now. */
	assert_upm(upm_attach(load_nop(48), upm_observer_probes(opened), NULL, &link),
		   UPM_ERR_NOTHING);
	upm_observer_free(observer);
	upm_observer_free(opened);
	assert_upm_ok(upm_observer_unpin("all"));
	upm_probe_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SHARE_TEST(a_count_outlives_its_owner),
		SHARE_TEST(perf_events_outlive_their_owner),
		SHARE_TEST(a_latency_outlives_its_owner),
		SHARE_TEST(a_trace_outlives_its_owner),
		SHARE_TEST(unpinning_ends_it),
		SHARE_TEST(children_are_followed_on),
		SHARE_TEST(all_is_kept_without_the_files),
	};

	return cmocka_run_group_tests(tests, share_mount_bpffs, NULL);
}

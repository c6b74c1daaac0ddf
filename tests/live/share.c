/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Observers that are pinned by one process and read by another. */
#include "live_target.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "share/events.h"
#include "share/record.h"

/* A mount namespace of the test's own, with a BPF file system in the usual place. */
static int mount_bpffs(void **state)
{
	(void)state;
	return unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	       mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL);
}

/* Each test leaves nothing pinned, not even the directory of pins. */
static int check_nothing_is_left(void **state)
{
	struct upm_pinned pinned = {.size = sizeof(pinned)};
	struct upm_pinned_list *list;
	bool left = access(UPM_PIN_DIRECTORY, F_OK) == 0;

	(void)state;
	if (!left || upm_pinned_list(NULL, &list))
		return left;
	for (size_t i = 0; upm_pinned_list_get(list, i, &pinned) == UPM_OK; i++) {
		print_message("%s is left\n", pinned.name);
		upm_observer_unpin(pinned.name);
	}
	upm_pinned_list_free(list);
	return 1;
}

/* ---- the kernel's objects behind an observer */

enum { MOST_IDS = 32 };

struct behind {
	uint32_t links[MOST_IDS], maps[MOST_IDS], program;
	size_t link_count;
	uint32_t map_count;
};

static void look_behind(const struct upm_observer *observer, struct behind *behind)
{
	const struct upm_link *link = upm_observer_link(observer);
	struct bpf_link_info link_info = {0};
	struct bpf_prog_info program_info = {0};
	uint32_t size;
	int program;

	memset(behind, 0, sizeof(*behind));
	for (size_t i = 0; i < upm_link_kernel_links(link) && i < MOST_IDS; i++) {
		struct upm_kernel_link kernel_link = {.size = sizeof(kernel_link)};

		assert_upm_ok(upm_link_kernel_get(link, i, &kernel_link));
		behind->links[behind->link_count++] = kernel_link.id;
		memset(&link_info, 0, sizeof(link_info));
		size = sizeof(link_info);
		assert_int_equal(bpf_obj_get_info_by_fd(kernel_link.fd, &link_info, &size), 0);
	}
	behind->program = link_info.prog_id;
	program = bpf_prog_get_fd_by_id(behind->program);
	assert_true(program >= 0);
	program_info.map_ids = (uint64_t)(uintptr_t)behind->maps;
	program_info.nr_map_ids = MOST_IDS;
	size = sizeof(program_info);
	assert_int_equal(bpf_obj_get_info_by_fd(program, &program_info, &size), 0);
	behind->map_count = program_info.nr_map_ids;
	assert_true(behind->link_count > 0 && behind->map_count > 1);
	close(program);
}

static bool is_there(int fd)
{
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool any_left(const struct behind *behind)
{
	bool left = is_there(bpf_prog_get_fd_by_id(behind->program));

	for (size_t i = 0; i < behind->link_count; i++)
		left |= is_there(bpf_link_get_fd_by_id(behind->links[i]));
	for (uint32_t i = 0; i < behind->map_count; i++)
		left |= is_there(bpf_map_get_fd_by_id(behind->maps[i]));
	return left;
}

/* The kernel frees programs and maps after a grace period. */
static void assert_gone(const struct behind *behind)
{
	for (int waited = 0; any_left(behind); waited++) {
		assert_true(waited < 1000);
		usleep(10000);
	}
}

/* ---- an owner that is killed */

struct owner {
	pid_t pid;
	int tells;
};

typedef void (*owner_fn)(const void *context);

/* A process that does something, says so, and sleeps. */
static void owner_start(struct owner *owner, owner_fn work, const void *context)
{
	int pipes[2];
	char byte = 0;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	owner->pid = fork();
	if (owner->pid == 0) {
		work(context);
		if (write(pipes[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(pipes[1]);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	close(pipes[0]);
}

static void owner_kill(struct owner *owner)
{
	int status;

	assert_int_equal(kill(owner->pid, SIGKILL), 0);
	assert_int_equal(waitpid(owner->pid, &status, 0), owner->pid);
	assert_true(WIFSIGNALED(status));
}

static void run_in_child(void (*work)(void))
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		work();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

struct plan {
	int32_t pid;
	uint32_t flags, backend;
	const char *pattern, *name;
	enum upm_observer_kind kind;
	uint32_t probes_per_link;
};

static void must(int32_t status)
{
	if (!status)
		return;
	fprintf(stderr, "%s: %s: %s\n", upm_error_last()->operation, upm_error_last()->object,
		upm_error_last()->message);
	_exit(1);
}

static struct upm_observer *start(const struct plan *plan)
{
	char spec[512];
	const char *specs[] = {spec};
	struct upm_attach_options options = options_for(&plan->pid);
	struct upm_trace_options trace = {.size = sizeof(trace),
					  .arguments = "int known(int first)"};
	struct upm_observer *observer;
	struct upm_probe_set *set;

	snprintf(spec, sizeof(spec), "uprobe:%s:%s", test_build_path("target/known"),
		 plan->pattern);
	options.flags = plan->flags;
	options.backend = plan->backend;
	options.probes_per_link = plan->probes_per_link;
	must(upm_resolve(specs, 1, NULL, &set));
	if (plan->kind == UPM_OBSERVER_LATENCY)
		must(upm_latency(set, NULL, &options, &observer));
	else if (plan->kind == UPM_OBSERVER_TRACE)
		must(upm_trace(set, &trace, &options, &observer));
	else
		must(upm_count(set, &options, &observer));
	upm_probe_set_free(set);
	return observer;
}

static void observe_and_pin(const void *context)
{
	const struct plan *plan = context;

	must(upm_observer_pin(start(plan), plan->name));
}

static struct upm_observer *count_pinned(const struct target *target, const char *name)
{
	const struct plan plan = {target->pid, 0, 0, "known_00[0-9]*", name, UPM_OBSERVER_COUNT, 0};
	struct upm_observer *observer = start(&plan);

	assert_upm_ok(upm_observer_pin(observer, name));
	return observer;
}

static void outlives_its_owner(uint32_t backend)
{
	struct plan plan = {0, 0, backend, "known_00[0-9]*", "night-shift", UPM_OBSERVER_COUNT, 0};
	struct upm_observer *observer, *other;
	struct behind behind;
	struct target target;
	struct owner owner;

	plan.pattern = backend == UPM_BACKEND_PERF_EVENT ? "known_000[0-9]" : plan.pattern;
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
			 backend ? backend : UPM_BACKEND_UPROBE_MULTI);
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
	assert_true(text_is_clean(target.pid));
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
	assert_true(text_is_clean(target.pid));
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
	assert_true(text_is_clean(target.pid));
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
	assert_true(text_is_clean(target.pid));
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
	assert_true(text_is_clean(target.pid));
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

/* ---- names */

static void names_that_are_none(void **state)
{
	static const char *const names[] = {"",	     ".",    "a.b",   "a/", "/",
					    "~mine", "a\nb", "/x/..", NULL};
	const struct plan plan = {getpid(), 0, 0, "known_0000", NULL, UPM_OBSERVER_COUNT, 0};
	struct upm_observer *observer = start(&plan), *other;
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
	second = start(&plan);
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
			observers[i] = start(&plan);
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
	struct upm_observer *observer = start(&plan);
	struct upm_pinned_list *list;

	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(umount("/sys/fs/bpf"), 0);
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
	struct upm_observer *observer = start(&plan);

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
	char holder[32];
	struct target target;

	(void)state;
	target_start(&target);
	owner = count_pinned(&target, "events");
	assert_upm_ok(upm_observer_open("events", &reader));
	assert_upm_ok(upm_observer_open("events", &other));
	assert_upm_ok(upm_share_claim_events(reader));
	assert_upm_ok(upm_share_claim_events(reader));
	assert_upm(upm_share_claim_events(other), UPM_ERR_STATE);
	snprintf(holder, sizeof(holder), "process %d (share)", getpid());
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
	struct upm_observer *owner = start(&plan), *other;

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

/* ---- metadata that is not what was written */

#define META UPM_PIN_DIRECTORY "/bad/meta"

static void replace_metadata(const void *bytes, uint32_t value_size, uint32_t elements)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "test", 4, value_size, elements, NULL);

	assert_true(fd >= 0);
	for (uint32_t i = 0; i < elements; i++)
		assert_int_equal(bpf_map_update_elem(
					 fd, &i, (const char *)bytes + (size_t)i * value_size, 0),
				 0);
	assert_int_equal(unlink(META), 0);
	assert_int_equal(bpf_obj_pin(fd, META), 0);
	close(fd);
}

static void assert_open_fails(int32_t status, const char *message)
{
	struct upm_observer *observer;

	assert_upm(upm_observer_open("bad", &observer), status);
	if (!strstr(upm_error_last()->message, message))
		fail_msg("\"%s\" lacks \"%s\"", upm_error_last()->message, message);
}

static void try_changes(uint8_t *meta, uint32_t elements)
{
	struct upm_share_header *header = (void *)meta, good = *header;

	replace_metadata(meta, 4096, elements - 1);
	assert_open_fails(UPM_ERR_FORMAT, "cut off");
	memset(header->magic, 'x', 8);
	replace_metadata(meta, 4096, elements);
	assert_open_fails(UPM_ERR_FORMAT, "something else");
	*header = good;
	header->format = 77;
	memcpy(header->library, "9.8.7", 6);
	replace_metadata(meta, 4096, elements);
	assert_open_fails(UPM_ERR_UNSUPPORTED, "format 77, of library version 9.8.7; this is");
	*header = good;
	header->kind = 99;
	replace_metadata(meta, 4096, elements);
	assert_open_fails(UPM_ERR_UNSUPPORTED, "kind 99");
	*header = good;
	header->attached--;
	replace_metadata(meta, 4096, elements);
	assert_open_fails(UPM_ERR_FORMAT, "contradict");
	*header = good;
	header->size -= 8;
	replace_metadata(meta, 4096, elements);
	assert_open_fails(UPM_ERR_FORMAT, "do not fit together");
	replace_metadata(meta, 64, 1);
	assert_open_fails(UPM_ERR_FORMAT, "no known form");
	*header = good;
	replace_metadata(meta, 4096, elements);
}

static void damaged_metadata(void **state)
{
	struct upm_observer *observer;
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);
	struct target target;
	uint8_t *meta;
	int fd;

	(void)state;
	target_start(&target);
	observer = count_pinned(&target, "bad");
	upm_observer_free(observer);
	fd = bpf_obj_get(META);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	assert_true(info.max_entries > 1);
	meta = malloc((size_t)info.max_entries * 4096);
	for (uint32_t i = 0; i < info.max_entries; i++)
		assert_int_equal(bpf_map_lookup_elem(fd, &i, meta + (size_t)i * 4096), 0);
	/* Nobody changes it in place. */
	assert_int_equal(bpf_map_update_elem(fd, &(uint32_t){0}, meta, 0), -EPERM);
	close(fd);
	try_changes(meta, info.max_entries);
	assert_upm_ok(upm_observer_open("bad", &observer));
	assert_hits(observer, 100, 0);
	upm_observer_free(observer);
	assert_int_equal(unlink(META), 0);
	assert_open_fails(UPM_ERR_FORMAT, "no pinned observer");
	assert_upm_ok(upm_observer_unpin("bad"));
	assert_true(text_is_clean(target.pid));
	free(meta);
	target_stop(&target);
}

/* A directory that somebody else has made stays. */
static void foreign_directories(void **state)
{
	(void)state;
	assert_int_equal(mkdir("/sys/fs/bpf/theirs", 0700), 0);
	assert_int_equal(mkdir("/sys/fs/bpf/theirs/0", 0700), 0);
	assert_upm(upm_observer_unpin("/sys/fs/bpf/theirs"), UPM_ERR_FORMAT);
	assert_int_equal(rmdir("/sys/fs/bpf/theirs/0"), 0);
	assert_int_equal(rmdir("/sys/fs/bpf/theirs"), 0);
}

/* ---- killed at any moment */

/* Starts, says so, and pins. */
static void owner_start_pinning(struct owner *owner, const struct plan *plan)
{
	int pipes[2];
	char byte;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	owner->pid = fork();
	if (owner->pid == 0) {
		struct upm_observer *observer = start(plan);

		if (write(pipes[1], "x", 1) == 1)
			must(upm_observer_pin(observer, plan->name));
		pause();
		_exit(1);
	}
	close(pipes[1]);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	close(pipes[0]);
}

/* What is listed can be opened or has a problem, and all of it can be removed. */
static void remove_all(void)
{
	struct upm_pinned pinned = {.size = sizeof(pinned)};
	struct upm_pinned_list *list;

	assert_upm_ok(upm_pinned_list(NULL, &list));
	assert_true(upm_pinned_list_size(list) <= 1);
	for (size_t i = 0; i < upm_pinned_list_size(list); i++) {
		struct upm_observer *observer;

		assert_upm_ok(upm_pinned_list_get(list, i, &pinned));
		assert_int_equal(*pinned.problem == '\0', strcmp(pinned.name, "doomed") == 0);
		if (!*pinned.problem) {
			assert_upm_ok(upm_observer_open(pinned.name, &observer));
			upm_observer_free(observer);
		}
		assert_upm_ok(upm_observer_unpin(pinned.name));
	}
	upm_pinned_list_free(list);
	if (access(UPM_PIN_DIRECTORY, F_OK) == 0)
		assert_int_equal(rmdir(UPM_PIN_DIRECTORY), 0);
}

static void killed_while_pinning(void **state)
{
	struct plan plan = {0, 0, 0, "known_00[0-9]*", "doomed", UPM_OBSERVER_COUNT, 1};
	struct target target;

	(void)state;
	target_start(&target);
	plan.pid = target.pid;
	for (useconds_t delay = 0; delay < 5000; delay += 500) {
		struct owner owner;

		owner_start_pinning(&owner, &plan);
		usleep(delay);
		owner_kill(&owner);
		remove_all();
	}
	for (int waited = 0; !text_is_clean(target.pid); waited++) {
		assert_true(waited < 1000);
		usleep(10000);
	}
	target_expect(&target, "call times=1", "call total=1000");
	target_stop(&target);
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
	assert_string_equal(pinned.creator, "share");
	assert_int_equal(pinned.creator_pid, getpid());
	assert_int_equal(pinned.kind, UPM_OBSERVER_COUNT);
	assert_int_equal(pinned.probes, 100);
	assert_int_equal(pinned.attached, 100);
	assert_int_equal(pinned.kernel_links, 1);
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

#define TEST(name) cmocka_unit_test_teardown(name, check_nothing_is_left)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_count_outlives_its_owner),
		TEST(perf_events_outlive_their_owner),
		TEST(a_latency_outlives_its_owner),
		TEST(a_trace_outlives_its_owner),
		TEST(unpinning_ends_it),
		TEST(children_are_followed_on),
		TEST(all_is_kept_without_the_files),
		TEST(names_that_are_none),
		TEST(a_taken_name),
		TEST(two_take_one_name),
		TEST(no_bpf_file_system),
		TEST(another_user),
		TEST(a_directory_of_another_user),
		TEST(events_have_one_reader),
		TEST(the_owner_reads_on),
		TEST(damaged_metadata),
		TEST(foreign_directories),
		TEST(killed_while_pinning),
		TEST(a_list),
	};

	return cmocka_run_group_tests(tests, mount_bpffs, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Pins that are damaged, foreign, or half made. */
#include "share_target.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "share/record.h"

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
	assert_clean(target.pid);
	free(meta);
	target_stop(&target);
}

/* ---- maps that are not what their names say */

/* What stands in the place of a map: another type, larger keys or values, too few elements. */
enum change { OTHER_TYPE, OTHER_KEY, OTHER_VALUE, FEWER, CHANGES };

/* @return whether the map can be changed so */
static bool change(struct bpf_map_info *info, enum change how)
{
	bool has_values = info->type != BPF_MAP_TYPE_RINGBUF;

	switch (how) {
	case OTHER_TYPE:
		if (!has_values)
			info->key_size = info->value_size = 4;
		info->type =
			info->type == BPF_MAP_TYPE_HASH ? BPF_MAP_TYPE_LRU_HASH : BPF_MAP_TYPE_HASH;
		return true;
	case OTHER_KEY:
		info->key_size += 4;
		return info->type == BPF_MAP_TYPE_HASH;
	case OTHER_VALUE:
		info->value_size += 8;
		return has_values;
	default:
		info->max_entries /= 2;
		return info->type == BPF_MAP_TYPE_ARRAY && info->max_entries;
	}
}

static void assert_map_is_refused(const char *pin, const char *name, struct bpf_map_info info,
				  enum change how)
{
	struct upm_observer *observer;
	int fd;

	if (!change(&info, how))
		return;
	fd = bpf_map_create(info.type, "test", info.key_size, info.value_size,
			    info.max_entries < 1024 ? info.max_entries : 1024, NULL);
	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_pin(fd, pin), 0);
	close(fd);
	assert_upm(upm_observer_open("bad", &observer), UPM_ERR_FORMAT);
	assert_non_null(strstr(upm_error_last()->message, name));
	assert_non_null(strstr(upm_error_last()->message, "another form"));
	assert_int_equal(unlink(pin), 0);
}

static void exchange_map(const char *part, const char *name)
{
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);
	char pin[PATH_MAX];
	int fd;

	snprintf(pin, sizeof(pin), UPM_PIN_DIRECTORY "/bad/%s/%s", part, name);
	fd = bpf_obj_get(pin);
	if (fd < 0)
		fail_msg("%s is not there", pin);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	assert_int_equal(unlink(pin), 0);
	for (int how = 0; how < CHANGES; how++)
		assert_map_is_refused(pin, name, info, how);
	assert_int_equal(bpf_obj_pin(fd, pin), 0);
	close(fd);
}

static void exchange_maps(const struct plan *plan, const char *const *maps)
{
	struct upm_observer *observer = share_start(plan), *other;

	assert_upm_ok(upm_observer_pin(observer, "bad"));
	for (size_t i = 0; maps[i]; i++)
		exchange_map("maps", maps[i]);
	if (plan->flags & UPM_ATTACH_CHILDREN)
		exchange_map("filter", "lost");
	assert_upm_ok(upm_observer_open("bad", &other));
	upm_observer_free(other);
	upm_observer_free(observer);
	assert_upm_ok(upm_observer_unpin("bad"));
}

static void exchanged_maps(void **state)
{
	static const char *const of_count[] = {"rodata", "upm_counters", NULL};
	static const char *const of_latency[] = {"rodata", "upm_cells", "upm_owners", "upm_lost",
						 NULL};
	static const char *const of_trace[] = {"rodata",    "upm_counters", "upm_ring",
					       "upm_calls", "upm_shared",   NULL};
	struct plan plan = {0,	  UPM_ATTACH_CHILDREN, 0, "known_00[0-9]*",
			    NULL, UPM_OBSERVER_COUNT,  0};
	struct target target;

	(void)state;
	target_start(&target);
	plan.pid = target.pid;
	exchange_maps(&plan, of_count);
	plan.flags = 0;
	plan.kind = UPM_OBSERVER_LATENCY;
	exchange_maps(&plan, of_latency);
	plan.kind = UPM_OBSERVER_TRACE;
	exchange_maps(&plan, of_trace);
	assert_clean(target.pid);
	target_stop(&target);
}

/* An event of a string of 4 KiB does not fit into a ring of one page. */
static void a_ring_too_small(void **state)
{
	const struct upm_trace_options trace = {.size = sizeof(trace),
						.flags = UPM_TRACE_RETURNS,
						.arguments = "int known(char *first)",
						.text_bytes = 4096};
	static const char ring[] = UPM_PIN_DIRECTORY "/bad/maps/upm_ring";
	struct upm_probe_set *set = resolve_known("uprobe", "known_0000");
	struct upm_observer *observer;
	int fd;

	(void)state;
	assert_upm_ok(upm_trace(set, &trace, NULL, &observer));
	assert_upm_ok(upm_observer_pin(observer, "bad"));
	upm_observer_free(observer);
	assert_int_equal(unlink(ring), 0);
	fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "test", 0, 0, 4096, NULL);
	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_pin(fd, ring), 0);
	close(fd);
	assert_open_fails(UPM_ERR_FORMAT, "upm_ring");
	assert_upm_ok(upm_observer_unpin("bad"));
	upm_probe_set_free(set);
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
		struct upm_observer *observer = share_start(plan);

		if (write(pipes[1], "x", 1) == 1)
			share_must(upm_observer_pin(observer, plan->name));
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		SHARE_TEST(damaged_metadata),	  SHARE_TEST(exchanged_maps),
		SHARE_TEST(a_ring_too_small),	  SHARE_TEST(foreign_directories),
		SHARE_TEST(killed_while_pinning),
	};

	return cmocka_run_group_tests(tests, share_mount_bpffs, NULL);
}

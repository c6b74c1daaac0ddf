/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Programs built with <bpf/usdt.bpf.h>: in both layouts, by cookie and by address. */
#include "usdt_target.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sys/mount.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/bpf_uapi.h"
#include "usdt/libbpf_spec.h"

static const char everything[] = "*:*";

/* ---- what the readers of the layouts can read */

static bool new_layout_reads(const char *text)
{
	return !strstr(text, "%fs:");
}

static bool old_layout_reads(const char *text)
{
	return new_layout_reads(text) && !strchr(text, ',');
}

static usdt_reads_fn reader_of(const struct upm_object *object)
{
	struct bpf_map_info info = {0};
	uint32_t length = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(upm_object_map_fd(object, "__bpf_usdt_specs"),
						&info, &length),
			 0);
	return info.value_size == UPM_LIBBPF_SPEC_NEW ? new_layout_reads : old_layout_reads;
}

/* ---- objects */

static struct upm_object *open_object(const char *name)
{
	struct upm_object *object;
	char path[64];

	snprintf(path, sizeof(path), "tests/bpf/usdt_%s.bpf.o", name);
	assert_upm_ok(upm_object_open(test_build_path(path), &object));
	return object;
}

static int program_of(const struct upm_object *object, const char *name)
{
	for (size_t i = 0; i < upm_object_programs(object); i++) {
		struct upm_program program = {.size = sizeof(program)};

		assert_upm_ok(upm_object_program(object, i, &program));
		if (strcmp(program.name, name) == 0)
			return program.fd;
	}
	fail_msg("no program %s", name);
	return -1;
}

static int results_of(const struct upm_object *object)
{
	int fd = upm_object_map_fd(object, "results");

	assert_true(fd >= 0);
	return fd;
}

/* Elements of the map of specs that a link uses. */
static size_t specs_taken(const struct upm_object *object)
{
	int fd = upm_object_map_fd(object, "__bpf_usdt_specs");
	struct bpf_map_info info = {0};
	uint32_t length = sizeof(info);
	uint8_t spec[UPM_LIBBPF_SPEC_MAX];
	size_t taken = 0;

	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &length), 0);
	for (uint32_t i = 0; i < info.max_entries; i++) {
		assert_int_equal(bpf_map_lookup_elem(fd, &i, spec), 0);
		taken += !upm_libbpf_spec_free(spec, info.value_size);
	}
	return taken;
}

static struct upm_attach_options numbered(const int32_t *pid)
{
	struct upm_attach_options options = options_for(pid);

	options.flags = UPM_ATTACH_COOKIE_IS_INDEX | UPM_ATTACH_STRICT;
	return options;
}

/* ---- arguments are right */

static void read_build(const char *name, const char *program, const char *build)
{
	struct upm_object *object = open_object(name);
	struct upm_attach_options options;
	struct upm_probe_set *set;
	struct target target;
	struct upm_link *link;
	size_t unread;

	usdt_start(&target, build);
	options = numbered(&target.pid);
	set = usdt_resolve(build, everything, 0);
	assert_upm_ok(upm_attach(program_of(object, program), set, &options, &link));
	assert_int_equal(specs_taken(object), upm_probe_set_size(set)); /* cookies differ */
	usdt_fire(&target, 1);
	usdt_fire(&target, 2);
	upm_link_free(link);
	assert_int_equal(specs_taken(object), 0);
	usdt_fire(&target, 3);
	unread = usdt_check(set, results_of(object), 2, 2, reader_of(object));
	assert_true(unread >= 8); /* variables of the thread at least */
	upm_probe_set_free(set);
	upm_object_free(object);
	target_stop(&target);
}

static void both_layouts_read_arguments(void **state)
{
	static const char *const names[] = {"libbpf", "208", "304"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (const char *const *build = usdt_builds; *build; build++)
			read_build(names[i], "read_usdt", *build);
}

static void programs_without_cookies_read_arguments(void **state)
{
	struct upm_attach_options everyone = {.size = sizeof(everyone)};
	struct upm_object *object;
	struct upm_probe_set *set;
	struct upm_link *link;

	(void)state;
	read_build("address", "read_usdt", "gcc-O2");
	read_build("address", "read_usdt", "gcc-fixed");
	object = open_object("address");
	set = usdt_resolve("gcc-O2", everything, 0);
	assert_upm(upm_attach(program_of(object, "read_usdt"), set, &everyone, &link),
		   UPM_ERR_UNSUPPORTED);
	assert_int_equal(specs_taken(object), 0);
	upm_probe_set_free(set);
	upm_object_free(object);
}

static void perf_events_carry_arguments(void **state)
{
	struct upm_object *object = open_object("304");
	struct upm_attach_options options;
	struct upm_probe_set *set;
	struct target target;
	struct upm_link *link;
	struct usdt_result result;

	(void)state;
	usdt_start(&target, "gcc-O2");
	options = numbered(&target.pid);
	set = usdt_resolve("gcc-O2", "forms:many", 0);
	assert_int_equal(upm_probe_set_size(set), 1);
	assert_upm_ok(upm_attach(program_of(object, "read_plain"), set, &options, &link));
	assert_int_equal(upm_link_backend(link), UPM_BACKEND_PERF_EVENT);
	target_expect(&target, "semaphore", "semaphore 1");
	target_expect(&target, "guarded", "guarded 1");
	upm_link_free(link);
	result = usdt_result_of(results_of(object), 0);
	assert_int_equal(result.hits, 1);
	assert_int_equal(result.values[11], 11);
	usdt_await_semaphore(&target, 0); /* events end behind the detach */
	upm_probe_set_free(set);
	upm_object_free(object);
	target_stop(&target);
}

static void processes_at_one_address_share_specs(void **state)
{
	struct upm_probe_set *set = usdt_resolve("gcc-fixed", "forms*:*", 0);
	struct upm_object *object = open_object("address");
	struct upm_attach_options options;
	struct target targets[2];
	struct upm_link *link;
	int32_t pids[2];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		usdt_start(&targets[i], "gcc-fixed");
		pids[i] = targets[i].pid;
	}
	options = numbered(pids);
	options.pid_count = 2;
	assert_upm_ok(upm_attach(program_of(object, "read_usdt"), set, &options, &link));
	usdt_fire(&targets[0], 1);
	usdt_fire(&targets[1], 1);
	usdt_check(set, results_of(object), 2, 1, old_layout_reads);
	upm_link_free(link);
	upm_object_free(object);
	upm_probe_set_free(set);
	target_stop(&targets[0]);
	target_stop(&targets[1]);
}

/* ---- links that share a map */

static void links_of_one_program_keep_apart(void **state)
{
	struct upm_object *object = open_object("libbpf");
	int program = program_of(object, "read_usdt");
	struct upm_attach_options options;
	struct upm_link *first, *second;
	struct upm_probe_set *one, *many;
	uint64_t cookie = 1000;
	struct target target;

	(void)state;
	usdt_start(&target, "gcc-O2");
	options = options_for(&target.pid);
	one = usdt_resolve("gcc-O2", "forms:none", 0);
	many = usdt_resolve("gcc-O2", "forms_usual:*", 0);
	assert_int_equal(upm_probe_set_size(one), 1);
	assert_upm_ok(upm_probe_set_cookies(one, &cookie, 1));
	assert_upm_ok(upm_attach(program, one, &options, &first));
	assert_int_equal(specs_taken(object), 1);
	options.flags = UPM_ATTACH_COOKIE_IS_INDEX;
	assert_upm_ok(upm_attach(program, many, &options, &second));
	usdt_fire(&target, 1);
	assert_int_equal(usdt_result_of(results_of(object), 1000).hits, 1);
	assert_int_equal(usdt_result_of(results_of(object), 1000).count, 0);
	upm_link_free(second);
	assert_int_equal(specs_taken(object), 1);
	usdt_fire(&target, 2);
	assert_int_equal(usdt_result_of(results_of(object), 1000).hits, 2);
	upm_link_free(first);
	assert_int_equal(specs_taken(object), 0);
	upm_probe_set_free(one);
	upm_probe_set_free(many);
	upm_object_free(object);
	target_stop(&target);
}

/* The child has descriptors of its own, but the map's elements are the parent's. */
static void a_forked_child_leaves_the_claim(void **state)
{
	struct upm_object *object = open_object("libbpf");
	struct upm_attach_options options = {.size = sizeof(options)};
	struct upm_probe_set *set = usdt_resolve("gcc-O2", "forms:none", 0);
	struct upm_link *link;
	pid_t child;

	(void)state;
	assert_upm_ok(upm_attach(program_of(object, "read_usdt"), set, &options, &link));
	assert_int_equal(specs_taken(object), 1);
	child = fork();
	if (child == 0) {
		upm_link_free(link);
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(specs_taken(object), 1);
	upm_link_free(link);
	assert_int_equal(specs_taken(object), 0);
	upm_probe_set_free(set);
	upm_object_free(object);
}

/* An object that another loader made: a small map, of which a part is in use. */
static struct bpf_object *load_small(uint32_t specs, int *program, int *specs_fd)
{
	struct bpf_object *object =
		bpf_object__open(test_build_path("tests/bpf/usdt_libbpf.bpf.o"));
	struct bpf_program *found, *other;

	assert_non_null(object);
	found = bpf_object__find_program_by_name(object, "read_usdt");
	other = bpf_object__find_program_by_name(object, "read_plain");
	bpf_program__set_expected_attach_type(found, (int)UPM_BPF_TRACE_UPROBE_MULTI);
	bpf_program__set_autoload(other, false);
	bpf_map__set_max_entries(bpf_object__find_map_by_name(object, "__bpf_usdt_specs"), specs);
	assert_int_equal(bpf_object__load(object), 0);
	*program = bpf_program__fd(found);
	*specs_fd = bpf_object__find_map_fd_by_name(object, "__bpf_usdt_specs");
	return object;
}

static void sites_without_room_have_a_verdict(void **state)
{
	struct upm_attach_options options = {.size = sizeof(options)};
	struct upm_probe_set *set = usdt_resolve("gcc-O2", "forms*:*", 0);
	uint8_t foreign[UPM_LIBBPF_SPEC_MAX] = {1}, found[UPM_LIBBPF_SPEC_MAX];
	struct upm_probe probe = {.size = sizeof(probe)};
	struct bpf_object *object;
	struct upm_link *link;
	int program, specs_fd;
	uint32_t third = 3;

	(void)state;
	object = load_small(8, &program, &specs_fd);
	assert_int_equal(bpf_map_update_elem(specs_fd, &third, foreign, BPF_ANY), 0);
	options.flags = UPM_ATTACH_COOKIE_IS_INDEX;
	assert_upm_ok(upm_attach(program, set, &options, &link));
	assert_int_equal(upm_link_attached(link), 7);
	assert_int_equal(upm_link_skipped(link), upm_probe_set_size(set) - 7);
	assert_upm_ok(upm_link_skipped_get(link, 0, &probe));
	assert_int_equal(probe.verdict, UPM_VERDICT_NO_ROOM);
	assert_non_null(strstr(probe.reason, "BPF_USDT_MAX_SPEC_CNT"));
	upm_link_free(link);
	assert_int_equal(bpf_map_lookup_elem(specs_fd, &third, found), 0);
	assert_memory_equal(found, foreign, UPM_LIBBPF_SPEC_OLD);
	options.flags |= UPM_ATTACH_STRICT;
	assert_upm(upm_attach(program, set, &options, &link), UPM_ERR_STRICT);
	bpf_object__close(object);
	upm_probe_set_free(set);
}

static void equal_specs_are_shared(void **state)
{
	struct upm_attach_options options = {.size = sizeof(options)};
	struct upm_probe_set *set = usdt_resolve("gcc-O0", everything, 0);
	struct upm_object *object = open_object("304");
	struct upm_link *link;

	(void)state;
	assert_upm_ok(upm_attach(program_of(object, "read_usdt"), set, &options, &link));
	assert_int_equal(upm_link_skipped(link), 0);
	assert_in_range(specs_taken(object), 10, upm_probe_set_size(set) / 2);
	upm_link_free(link);
	assert_int_equal(specs_taken(object), 0);
	upm_object_free(object);
	upm_probe_set_free(set);
}

static void pinned_links_keep_their_specs(void **state)
{
	char directory[] = "/tmp/upm-pins-XXXXXX", pin[64];
	struct upm_probe_set *set = usdt_resolve("clang-O1", everything, 0);
	struct upm_object *object = open_object("304");
	struct upm_attach_options options;
	struct target target;
	struct upm_link *link;

	(void)state;
	assert_non_null(mkdtemp(directory));
	assert_int_equal(mount("bpf", directory, "bpf", 0, NULL), 0);
	snprintf(pin, sizeof(pin), "%s/usdt", directory);
	usdt_start(&target, "clang-O1");
	options = numbered(&target.pid);
	assert_upm_ok(upm_attach(program_of(object, "read_usdt"), set, &options, &link));
	assert_upm_ok(upm_link_pin(link, pin));
	upm_link_free(link);
	assert_int_equal(specs_taken(object), upm_probe_set_size(set));
	assert_upm_ok(upm_attach(program_of(object, "read_usdt"), set, &options, &link));
	upm_link_free(link);
	usdt_fire(&target, 1);
	usdt_check(set, results_of(object), 1, 1, new_layout_reads);
	assert_upm_ok(upm_link_unpin(pin));
	assert_int_equal(umount(directory), 0);
	assert_int_equal(rmdir(directory), 0);
	upm_object_free(object);
	upm_probe_set_free(set);
	target_stop(&target);
}

/* ---- rights */

/* Without CAP_SYS_ADMIN no map is opened by its id. */
static void keep_bpf_only(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	assert_int_equal(syscall(SYS_capget, &header, data), 0);
	data[0].effective &= ~(1U << CAP_SYS_ADMIN);
	assert_int_equal(syscall(SYS_capset, &header, data), 0);
}

static int attach_without_admin(const char *build, bool maps_open)
{
	struct upm_attach_options options = {.size = sizeof(options)};
	struct upm_probe_set *set = usdt_resolve(build, "forms:*", 0);
	struct upm_object *object = open_object("304");
	int program = fcntl(program_of(object, "read_usdt"), F_DUPFD_CLOEXEC, 0);
	struct upm_link *link;
	int status;

	if (!maps_open)
		upm_object_free(object);
	keep_bpf_only();
	status = upm_attach(program, set, &options, &link);
	if (!status)
		status = upm_link_skipped(link) ? 1 : 0;
	return -status;
}

static int status_in_child(const char *build, bool maps_open)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(attach_without_admin(build, maps_open));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static void maps_are_found_without_admin(void **state)
{
	(void)state;
	skip_without_multi(); /* perf events need more than CAP_BPF */
	assert_int_equal(status_in_child("gcc-O1", true), UPM_OK);
	assert_int_equal(status_in_child("gcc-O1", false), UPM_ERR_PERMISSION);
}

/* ---- objects */

static void sections_name_usdt_probes(void **state)
{
	struct upm_object *object = open_object("libbpf");
	struct upm_program program = {.size = sizeof(program)};
	struct upm_attach_options options;
	char spec[PATH_MAX + 32];
	const char *specs[] = {spec};
	struct target target;
	struct upm_link *link;

	(void)state;
	usdt_start(&target, "gcc-O3");
	options = options_for(&target.pid);
	assert_upm_ok(upm_object_program(object, 0, &program));
	assert_int_equal(program.kind, UPM_KIND_USDT);
	snprintf(spec, sizeof(spec), "%s:forms:none", usdt_path("gcc-O3"));
	assert_upm_ok(upm_object_attach(object, "read_usdt", specs, 1, &options, &link));
	usdt_fire(&target, 1);
	upm_link_free(link);
	assert_int_equal(usdt_result_of(results_of(object), 0).hits, 1);
	snprintf(spec, sizeof(spec), "uprobe:%s:main", usdt_path("gcc-O3"));
	assert_upm(upm_object_attach(object, "read_usdt", specs, 1, &options, &link), UPM_ERR_SPEC);
	upm_object_free(object);
	target_stop(&target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_layouts_read_arguments),
		cmocka_unit_test(programs_without_cookies_read_arguments),
		cmocka_unit_test(processes_at_one_address_share_specs),
		cmocka_unit_test(perf_events_carry_arguments),
		cmocka_unit_test(links_of_one_program_keep_apart),
		cmocka_unit_test(a_forked_child_leaves_the_claim),
		cmocka_unit_test(equal_specs_are_shared),
		cmocka_unit_test(sites_without_room_have_a_verdict),
		cmocka_unit_test(pinned_links_keep_their_specs),
		cmocka_unit_test(maps_are_found_without_admin),
		cmocka_unit_test(sections_name_usdt_probes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

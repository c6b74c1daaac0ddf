/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* BPF objects of the caller's own: every form of section, attached and firing. */
#include "live_target.h"

#include <bpf/bpf.h>
#include <limits.h>
#include <string.h>

static uint64_t hits_of(const struct upm_object *object, uint32_t program)
{
	uint64_t hits = 0;
	int map = upm_object_map_fd(object, "hits");

	assert_true(map >= 0);
	assert_int_equal(bpf_map_lookup_elem(map, &program, &hits), 0);
	return hits;
}

static void every_section_fires(void **state)
{
	static const struct {
		const char *name;
		uint64_t per_call;
	} programs[] = {{"entry", 1}, {"exit_of", 1}, {"both", 2}, {"sleepable", 1}, {"plain", 1}};
	char spec[PATH_MAX + 32];
	const char *specs[] = {spec};
	struct upm_attach_options options;
	struct upm_object *object;
	struct upm_link *link;
	struct target target;

	(void)state;
	target_start(&target);
	options = options_for(&target.pid);
	snprintf(spec, sizeof(spec), "%s:known_0000", test_build_path("target/known"));
	assert_upm_ok(upm_object_open(test_build_path("tests/bpf/sections.bpf.o"), &object));
	assert_int_equal(upm_object_programs(object), 6);
	for (uint32_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		if (programs[i].per_call == 2 && !has_sessions())
			continue;
		assert_upm_ok(
			upm_object_attach(object, programs[i].name, specs, 1, &options, &link));
		target_expect(&target, "call times=5 functions=1", "call total=5");
		upm_link_free(link);
		target_expect(&target, "call times=5 functions=1", "call total=5");
		assert_int_equal(hits_of(object, i), 5 * programs[i].per_call);
	}
	upm_object_free(object);
	target_stop(&target);
}

/* What this kernel lacks for one program of an object is no reason to refuse the others. */
static void a_session_where_there_are_none(void **state)
{
	const char *specs[] = {"libc.so.6:malloc"};
	struct upm_program program = {.size = sizeof(program)};
	struct upm_object *object;
	struct upm_link *link;

	(void)state;
	if (has_sessions())
		return;
	assert_upm_ok(upm_object_open(test_build_path("tests/bpf/sections.bpf.o"), &object));
	assert_upm(upm_object_attach(object, "both", specs, 1, NULL, &link), UPM_ERR_UNSUPPORTED);
	assert_string_equal(upm_error_last()->object, "both");
	assert_non_null(strstr(upm_error_last()->message, "session"));
	assert_upm_ok(upm_object_program(object, 2, &program));
	assert_int_equal(program.fd, -1);
	upm_object_free(object);
}

static void programs_are_described(void **state)
{
	struct upm_program program = {.size = sizeof(program)};
	const char *wrong[] = {"uretprobe:libc.so.6:malloc"};
	struct upm_object *object;
	struct upm_link *link;

	(void)state;
	assert_upm_ok(upm_object_open(test_build_path("tests/bpf/sections.bpf.o"), &object));
	assert_upm_ok(upm_object_program(object, 5, &program));
	assert_upm(upm_object_program(object, 6, &program), UPM_ERR_INVALID);
	assert_upm(upm_object_map_fd(object, "none"), UPM_ERR_NOT_FOUND);
	assert_upm(upm_object_attach(object, NULL, wrong, 1, NULL, &link), UPM_ERR_NOT_FOUND);
	assert_upm(upm_object_attach(object, "none", wrong, 1, NULL, &link), UPM_ERR_NOT_FOUND);
	assert_upm(upm_object_attach(object, "entry", wrong, 1, NULL, &link), UPM_ERR_SPEC);
	assert_upm(upm_object_attach(object, "entry", NULL, 0, NULL, &link), UPM_ERR_INVALID);
	assert_upm(upm_object_attach(object, "placed", NULL, 0, NULL, &link), UPM_ERR_NOTHING);
	upm_object_free(object);
	assert_upm(upm_object_open("/no/such/object", &object), UPM_ERR_NOT_FOUND);
	assert_upm(upm_object_open("/etc/passwd", &object), UPM_ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_section_fires),
		cmocka_unit_test(a_session_where_there_are_none),
		cmocka_unit_test(programs_are_described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

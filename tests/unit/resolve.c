/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Specs against the shared test target: what is found, how it is named, what is refused and why. */
#include "support.h"

#include <stdbool.h>
#include <string.h>

#include "uprobe_multi.h"

enum { MAX_SPECS = 4 };

/* Resolve BUILD/target/SPEC, where each spec is "[kind:]file:pattern". */
static struct upm_probe_set *resolve(uint32_t flags, size_t count, const char *const *specs)
{
	const struct upm_resolve_options options = {.size = sizeof(options), .flags = flags};
	char texts[MAX_SPECS][4200];
	const char *pointers[MAX_SPECS];
	struct upm_probe_set *set;

	for (size_t i = 0; i < count; i++) {
		bool is_return = strncmp(specs[i], "uretprobe:", 10) == 0;

		snprintf(texts[i], sizeof(texts[i]), "%s%s/%s", is_return ? "uretprobe:" : "",
			 test_build_path("target"), specs[i] + (is_return ? 10 : 0));
		pointers[i] = texts[i];
	}
	assert_upm_ok(upm_resolve(pointers, count, &options, &set));
	return set;
}

static struct upm_probe_set *resolve_one(const char *spec)
{
	return resolve(0, 1, &spec);
}

static struct upm_probe get(const struct upm_probe_set *set, size_t index)
{
	struct upm_probe probe = {.size = sizeof(probe)};

	assert_upm_ok(upm_probe_set_get(set, index, &probe));
	return probe;
}

/* One spec, one probe, this verdict; the reason must not be empty when it is refused. */
static void expect_verdict(const char *spec, int32_t verdict)
{
	struct upm_probe_set *set = resolve_one(spec);
	struct upm_probe probe = get(set, 0);

	if (upm_probe_set_size(set) != 1 || probe.verdict != verdict)
		fail_msg("%s: %zu probes, the first is %s (%s), wanted %s", spec,
			 upm_probe_set_size(set), upm_verdict_name(probe.verdict), probe.reason,
			 upm_verdict_name(verdict));
	assert_true(verdict == UPM_VERDICT_OK || probe.reason[0]);
	upm_probe_set_free(set);
}

static void a_glob_finds_every_function(void **state)
{
	struct upm_probe_set *set = resolve_one("known:known_[0-9]*");
	uint64_t last = 0;

	(void)state;
	assert_int_equal(upm_probe_set_size(set), 1000);
	assert_int_equal(upm_probe_set_count_verdict(set, UPM_VERDICT_OK), 1000);
	for (size_t i = 0; i < 1000; i++) {
		struct upm_probe probe = get(set, i);

		assert_true(probe.offset > last);
		assert_int_equal(strncmp(probe.symbol, "known_", 6), 0);
		assert_int_equal(probe.symbol_offset, 0);
		assert_true(probe.symbol_size > 0);
		last = probe.offset;
	}
	upm_probe_set_free(set);
}

static void aliases_are_one_probe(void **state)
{
	struct upm_probe_set *set = resolve_one("known:alias_*");
	struct upm_probe probe = get(set, 0);

	(void)state;
	assert_int_equal(upm_probe_set_size(set), 1);
	assert_int_equal(probe.alias_count, 2);
	assert_string_equal(probe.symbol, "alias_first");
	assert_int_equal(strncmp(upm_probe_set_alias(set, 0, 0), "alias_", 6), 0);
	assert_string_not_equal(upm_probe_set_alias(set, 0, 0), upm_probe_set_alias(set, 0, 1));
	assert_null(upm_probe_set_alias(set, 0, 2));
	upm_probe_set_free(set);
}

static void a_name_of_two_functions_is_ambiguous(void **state)
{
	const char *const name = "known:twice";
	struct upm_probe_set *set = resolve_one(name);

	(void)state;
	assert_int_equal(upm_probe_set_size(set), 2);
	assert_int_equal(upm_probe_set_count_verdict(set, UPM_VERDICT_AMBIGUOUS), 2);
	assert_non_null(strstr(get(set, 0).reason, "0x"));
	upm_probe_set_free(set);

	set = resolve(UPM_RESOLVE_ALL_MATCHES, 1, &name);
	assert_int_equal(upm_probe_set_count_verdict(set, UPM_VERDICT_OK), 2);
	upm_probe_set_free(set);

	set = resolve_one("known:twic?");
	assert_int_equal(upm_probe_set_count_verdict(set, UPM_VERDICT_OK), 2);
	upm_probe_set_free(set);
}

static void versions(void **state)
{
	struct upm_probe_set *set = resolve_one("libversions.so:versioned");
	struct upm_probe probe;

	(void)state;
	assert_int_equal(upm_probe_set_size(set), 2);
	for (size_t i = 0; i < 2; i++) {
		probe = get(set, i);
		assert_int_equal(probe.verdict, strcmp(probe.version, "VERS_2") == 0
							? UPM_VERDICT_OK
							: UPM_VERDICT_AMBIGUOUS);
	}
	upm_probe_set_free(set);
	expect_verdict("libversions.so:versioned@VERS_1", UPM_VERDICT_OK);
	expect_verdict("libversions.so:versioned@VERS_2", UPM_VERDICT_OK);
	expect_verdict("libversions.so:versioned@@VERS_2", UPM_VERDICT_OK);
	expect_verdict("libversions.so:versioned@@VERS_1", UPM_VERDICT_NO_MATCH);
	expect_verdict("libversions.so:versioned@VERS_3", UPM_VERDICT_NO_MATCH);
}

static void readable_names(void **state)
{
	struct upm_probe_set *set = resolve_one("known:target::overloaded");

	(void)state;
	assert_int_equal(upm_probe_set_count_verdict(set, UPM_VERDICT_OK), 2);
	upm_probe_set_free(set);
	expect_verdict("known:target::overloaded(int)", UPM_VERDICT_OK);
	expect_verdict("known:target::Shape::method", UPM_VERDICT_OK);
	expect_verdict("known:target::shapes::legacy", UPM_VERDICT_OK);
	expect_verdict("known:target::modern", UPM_VERDICT_OK);
}

static void what_is_no_function(void **state)
{
	(void)state;
	expect_verdict("known:data_object", UPM_VERDICT_DATA);
	expect_verdict("known:versioned_old_call", UPM_VERDICT_UNDEFINED);
	expect_verdict("known:nop5_inside_site", UPM_VERDICT_MARKER);
	expect_verdict("known:knwn", UPM_VERDICT_NO_MATCH);
	expect_verdict("known:no_such_*", UPM_VERDICT_NO_MATCH);
	expect_verdict("no_such_file:main", UPM_VERDICT_UNREADABLE);
	expect_verdict("../tests/run:main", UPM_VERDICT_UNREADABLE);
}

static void a_misspelt_name_gets_suggestions(void **state)
{
	static const char *const mistakes[] = {"known:Alias_Fir", "known:alias_frst",
					       "known:alais_first"};

	(void)state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		struct upm_probe_set *set = resolve_one(mistakes[i]);

		assert_non_null(strstr(get(set, 0).reason, "alias_first"));
		upm_probe_set_free(set);
	}
}

static void code_is_judged(void **state)
{
	(void)state;
	expect_verdict("known:lock_first", UPM_VERDICT_UNPROBEABLE);
	expect_verdict("known:segment_first", UPM_VERDICT_UNPROBEABLE);
	expect_verdict("known:mov_first+1", UPM_VERDICT_MID_INSTRUCTION);
	expect_verdict("known:mov_first+3", UPM_VERDICT_OK);
	expect_verdict("known:mov_first+64", UPM_VERDICT_NO_MATCH);
	expect_verdict("known:0x0", UPM_VERDICT_NOT_EXECUTABLE);
	expect_verdict("known:0x7fffffffffffffff", UPM_VERDICT_TRUNCATED);
}

static void costs(void **state)
{
	static const struct {
		const char *spec;
		uint32_t cost;
	} expected[] = {
		{"known:push_first", UPM_COST_EMULATED},
		{"known:push_r12_first", UPM_COST_EMULATED},
		{"known:nop_first", UPM_COST_EMULATED},
		{"known:call_first", UPM_COST_EMULATED},
		{"known:jump_first", UPM_COST_EMULATED},
		{"known:endbr_push", UPM_COST_STEPPED},
		{"known:endbr_push+4", UPM_COST_EMULATED},
		{"known:lea_first", UPM_COST_STEPPED},
		{"known:ret_first", UPM_COST_STEPPED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		struct upm_probe_set *set = resolve_one(expected[i].spec);

		assert_int_equal(get(set, 0).cost, expected[i].cost);
		upm_probe_set_free(set);
	}
}

static void a_repeated_instruction_is_flagged(void **state)
{
	struct upm_probe_set *set = resolve_one("known:rep_first");
	struct upm_probe probe = get(set, 0);

	(void)state;
	assert_int_equal(probe.verdict, UPM_VERDICT_OK);
	assert_int_equal(probe.flags & UPM_PROBE_REPEATS, UPM_PROBE_REPEATS);
	assert_true(probe.reason[0]);
	upm_probe_set_free(set);
}

/* The kernel's CALL in place of a nop5 overwrites the red zone, unless it steps over it. */
static void a_nop5_inside_a_function(void **state)
{
	struct upm_features features = {.size = sizeof(features)};
	bool harms;

	(void)state;
	assert_upm_ok(upm_check(&features));
	harms = features.uprobe_syscall == UPM_YES && features.nop5_red_zone_safe != UPM_YES;
	expect_verdict("known:nop5_first", UPM_VERDICT_OK);
	expect_verdict("known:nop5_inside+3", harms ? UPM_VERDICT_RED_ZONE : UPM_VERDICT_OK);
}

static void return_probes(void **state)
{
	(void)state;
	expect_verdict("uretprobe:known:push_first", UPM_VERDICT_OK);
	expect_verdict("uretprobe:known:endbr_push+4", UPM_VERDICT_OK);
	expect_verdict("uretprobe:known:mov_first+3", UPM_VERDICT_NOT_ENTRY);
	expect_verdict("uretprobe:known:_start", UPM_VERDICT_RETURN_UNSAFE);
}

static void an_indirect_function_without_process(void **state)
{
	struct upm_probe_set *set = resolve_one("known:indirect");
	struct upm_probe probe = get(set, 0);

	(void)state;
	assert_int_equal(probe.verdict, UPM_VERDICT_OK);
	assert_int_equal(probe.flags & UPM_PROBE_IFUNC_RESOLVER, UPM_PROBE_IFUNC_RESOLVER);
	assert_true(probe.reason[0]);
	upm_probe_set_free(set);
}

static void a_32_bit_file_is_judged(void **state)
{
	struct upm_probe_set *set = resolve_one("libforeign.so:foreign_*");

	(void)state;
	assert_int_equal(upm_probe_set_size(set), 2);
	assert_int_equal(upm_probe_set_count_verdict(set, UPM_VERDICT_OK) +
				 upm_probe_set_count_verdict(set, UPM_VERDICT_FOREIGN),
			 2);
	upm_probe_set_free(set);
}

/* known_table is data: the pattern known_* passes it over. */
static void overlapping_specs_are_merged(void **state)
{
	static const char *const specs[] = {"known:alias_first", "known:alias_second",
					    "known:known_000*", "known:known_*"};
	struct upm_probe_set *set = resolve(0, 4, specs);
	struct upm_probe probe = get(set, 0);

	(void)state;
	assert_int_equal(upm_probe_set_size(set), 1 + 1000);
	assert_string_equal(probe.symbol, "alias_first");
	assert_int_equal(probe.alias_count, 1);
	assert_string_equal(upm_probe_set_alias(set, 0, 0), "alias_second");
	upm_probe_set_free(set);
}

static void entry_and_return_are_two_probes(void **state)
{
	static const char *const specs[] = {"known:known_0007", "uretprobe:known:known_0007"};
	struct upm_probe_set *set = resolve(0, 2, specs);

	(void)state;
	assert_int_equal(upm_probe_set_size(set), 2);
	assert_int_equal(get(set, 0).kind, UPM_KIND_UPROBE);
	assert_int_equal(get(set, 1).kind, UPM_KIND_URETPROBE);
	upm_probe_set_free(set);
}

static int32_t cancel(const char *stage, uint64_t done, uint64_t total, void *context)
{
	(void)stage;
	(void)done;
	(void)total;
	++*(int *)context;
	return 1;
}

static void a_caller_can_cancel(void **state)
{
	int calls = 0;
	const struct upm_resolve_options options = {
		.size = sizeof(options), .progress = cancel, .progress_context = &calls};
	const char *const spec = "libc.so.6:*";
	struct upm_probe_set *set = NULL;

	(void)state;
	assert_upm(upm_resolve(&spec, 1, &options, &set), UPM_ERR_CANCELLED);
	assert_null(set);
	assert_int_equal(calls, 1);
}

static int32_t cancel_later(const char *stage, uint64_t done, uint64_t total, void *context)
{
	assert_string_equal(stage, "resolve");
	assert_int_equal(done, 0);
	assert_int_equal(total, 1);
	return ++*(int *)context == 3;
}

/* One spec over many files: the caller is asked for each. */
static void a_caller_can_cancel_within_a_spec(void **state)
{
	int calls = 0;
	const struct upm_resolve_options options = {
		.size = sizeof(options), .progress = cancel_later, .progress_context = &calls};
	char text[4200];
	const char *const spec = text;
	struct upm_probe_set *set = NULL;

	(void)state;
	snprintf(text, sizeof(text), "%s/lib*.so:*", test_build_path("target"));
	assert_upm(upm_resolve(&spec, 1, &options, &set), UPM_ERR_CANCELLED);
	assert_null(set);
	assert_int_equal(calls, 3);
}

static void bad_arguments(void **state)
{
	const char *const spec = "libc.so.6:malloc";
	struct {
		struct upm_resolve_options options;
		uint64_t newer;
	} larger = {.options = {.size = sizeof(larger)}};
	struct upm_probe_set *set;

	(void)state;
	assert_upm(upm_resolve(NULL, 1, NULL, &set), UPM_ERR_INVALID);
	assert_upm(upm_resolve(&spec, 0, NULL, &set), UPM_ERR_INVALID);
	assert_upm(upm_resolve(&spec, 1, NULL, NULL), UPM_ERR_INVALID);
	assert_upm_ok(upm_resolve(&spec, 1, &larger.options, &set));
	upm_probe_set_free(set);
	larger.newer = 1;
	assert_upm(upm_resolve(&spec, 1, &larger.options, &set), UPM_ERR_INVALID);
	larger.options.size = 3;
	assert_upm(upm_resolve(&spec, 1, &larger.options, &set), UPM_ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_glob_finds_every_function),
		cmocka_unit_test(aliases_are_one_probe),
		cmocka_unit_test(a_name_of_two_functions_is_ambiguous),
		cmocka_unit_test(versions),
		cmocka_unit_test(readable_names),
		cmocka_unit_test(what_is_no_function),
		cmocka_unit_test(a_misspelt_name_gets_suggestions),
		cmocka_unit_test(code_is_judged),
		cmocka_unit_test(costs),
		cmocka_unit_test(a_repeated_instruction_is_flagged),
		cmocka_unit_test(a_nop5_inside_a_function),
		cmocka_unit_test(return_probes),
		cmocka_unit_test(an_indirect_function_without_process),
		cmocka_unit_test(a_32_bit_file_is_judged),
		cmocka_unit_test(overlapping_specs_are_merged),
		cmocka_unit_test(entry_and_return_are_two_probes),
		cmocka_unit_test(a_caller_can_cancel),
		cmocka_unit_test(a_caller_can_cancel_within_a_spec),
		cmocka_unit_test(bad_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

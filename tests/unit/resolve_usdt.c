/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* USDT specs against the test target that has every form of argument. */
#include "support.h"

#include <string.h>

#include "uprobe_multi.h"

#define FORMS "target/usdt-gcc-O2"

static struct upm_probe_set *resolve(const char *file, const char *rest)
{
	struct upm_probe_set *set;
	char text[4200];
	const char *spec = text;

	snprintf(text, sizeof(text), "usdt:%s:%s", test_build_path(file), rest);
	assert_upm_ok(upm_resolve(&spec, 1, NULL, &set));
	return set;
}

static struct upm_probe get(const struct upm_probe_set *set, size_t index)
{
	struct upm_probe probe = {.size = sizeof(probe)};

	assert_upm_ok(upm_probe_set_get(set, index, &probe));
	return probe;
}

static size_t count(const char *rest)
{
	struct upm_probe_set *set = resolve(FORMS, rest);
	size_t good = upm_probe_set_count_verdict(set, UPM_VERDICT_OK);

	upm_probe_set_free(set);
	return good;
}

static void providers_and_names(void **state)
{
	size_t all = count("*:*");

	(void)state;
	assert_true(all > 100);
	assert_int_equal(count("/^forms/:*"), all);
	assert_true(count("forms_usual:*") < all);
	assert_int_equal(count("forms_usual:*") + count("forms_[!u]*:*") + count("forms:*"), all);
	assert_true(count("forms_usual:/^local_/") > 0);
	assert_int_equal(count("forms_usu:*"), 0);
}

static void each_site_says_where_it_is(void **state)
{
	struct upm_probe_set *set = resolve(FORMS, "forms_usual:local_*");

	(void)state;
	for (size_t i = 0; i < upm_probe_set_size(set); i++) {
		struct upm_probe probe = get(set, i);
		struct upm_argument argument = {.size = sizeof(argument)};

		assert_int_equal(probe.kind, UPM_KIND_USDT);
		assert_string_equal(probe.provider, "forms_usual");
		assert_int_equal(strncmp(probe.symbol, "local_", 6), 0);
		assert_int_equal(probe.cost, UPM_COST_EMULATED);
		assert_int_equal(probe.argument_count, 2);
		assert_upm_ok(upm_probe_set_argument(set, i, 1, &argument));
		assert_true(argument.width && argument.text[0] && !argument.reason[0]);
		assert_upm(upm_probe_set_argument(set, i, 2, &argument), UPM_ERR_INVALID);
	}
	upm_probe_set_free(set);
}

static void expect_nothing(const char *file, const char *rest, const char *reason)
{
	struct upm_probe_set *set = resolve(file, rest);
	struct upm_probe probe = get(set, 0);

	assert_int_equal(upm_probe_set_size(set), 1);
	assert_int_equal(probe.verdict, UPM_VERDICT_NO_MATCH);
	assert_non_null(strstr(probe.reason, reason));
	upm_probe_set_free(set);
}

static void what_is_missing_is_said(void **state)
{
	(void)state;
	expect_nothing(FORMS, "forms_usual:nothing", "forms_usual");
	expect_nothing(FORMS, "nobody:*", "its providers: ");
	expect_nothing("target/known", "*:*", "no USDT probes");
}

static void overlapping_specs_are_merged(void **state)
{
	char first[4200], second[4200];
	const char *const specs[] = {first, second};
	struct upm_probe_set *set;

	(void)state;
	snprintf(first, sizeof(first), "usdt:%s:forms_usual:*", test_build_path(FORMS));
	snprintf(second, sizeof(second), "usdt:%s:*:*", test_build_path(FORMS));
	assert_upm_ok(upm_resolve(specs, 2, NULL, &set));
	assert_int_equal(upm_probe_set_count_verdict(set, UPM_VERDICT_OK), count("*:*"));
	upm_probe_set_free(set);
}

static void sets_are_joined_with_their_sites(void **state)
{
	struct upm_probe_set *a = resolve(FORMS, "forms_usual:local_*");
	struct upm_probe_set *b = resolve(FORMS, "forms_memory:*");
	size_t first = upm_probe_set_size(a);

	(void)state;
	assert_upm_ok(upm_probe_set_join(a, b));
	upm_probe_set_free(b);
	assert_string_equal(get(a, 0).provider, "forms_usual");
	assert_string_equal(get(a, first).provider, "forms_memory");
	assert_true(get(a, first).argument_count > 0);
	upm_probe_set_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(providers_and_names),
		cmocka_unit_test(each_site_says_where_it_is),
		cmocka_unit_test(what_is_missing_is_said),
		cmocka_unit_test(overlapping_specs_are_merged),
		cmocka_unit_test(sets_are_joined_with_their_sites),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

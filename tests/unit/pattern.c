/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Matching names: every kind of pattern, readable names, and patterns that would run away. */
#include "support.h"

#include <string.h>

#include "resolve/pattern.h"
#include "uprobe_multi.h"

static struct upm_pattern *compile(const char *text)
{
	struct upm_pattern *pattern;
	struct upm_spec spec;
	char whole[256];

	snprintf(whole, sizeof(whole), "a:%s", text);
	assert_upm_ok(upm_spec_parse(whole, &spec));
	assert_upm_ok(upm_pattern_compile(&spec, &pattern));
	upm_spec_clear(&spec);
	return pattern;
}

static void expect(const char *text, const char *name, enum upm_match raw, enum upm_match readable)
{
	struct upm_pattern *pattern = compile(text);

	if (upm_pattern_match(pattern, name) != raw ||
	    upm_pattern_match_demangled(pattern, name) != readable)
		fail_msg("'%s' against '%s'", text, name);
	upm_pattern_free(pattern);
}

#define YES UPM_MATCH_YES
#define NO UPM_MATCH_NO

static void raw_names(void **state)
{
	(void)state;
	expect("*", "anything", YES, NO);
	expect("malloc", "malloc", YES, NO);
	expect("malloc", "mallocs", NO, NO);
	expect("mal*", "malloc", YES, NO);
	expect("mal*", "ma", NO, NO);
	expect("*loc", "malloc", YES, NO);
	expect("m?l*c", "malloc", YES, NO);
	expect("m[a-c]l*", "malloc", YES, NO);
	expect("m[!a-c]l*", "malloc", NO, NO);
	expect("a/b*", "a/bc", YES, NO);
	expect("*a*", "x/a/y", YES, NO);
	expect("/^mal/", "malloc", YES, NO);
	expect("/lo/", "malloc", YES, NO);
	expect("/^lo/", "malloc", NO, NO);
}

static void readable_names(void **state)
{
	(void)state;
	expect("target::overloaded", "_ZN6target10overloadedEi", NO, YES);
	expect("target::overloaded(int)", "_ZN6target10overloadedEi", NO, YES);
	expect("target::overloaded(double)", "_ZN6target10overloadedEi", NO, NO);
	expect("target::Shape::*", "_ZNK6target5Shape6methodEv", NO, YES);
	expect("*::templated<long>", "_ZN6target9templatedIlEET_S1_", NO, YES);
	expect("std::vector<int, std::allocator<int> >::push_back*",
	       "_ZNSt6vectorIiSaIiEE9push_backERKi", NO, YES);
	expect("target::shapes::legacy", "_ZN6target6shapes6legacy17h0123456789abcdefE", NO, YES);
	expect("target::modern", "_RNvCs1234_6target6modern", NO, YES);
	expect("/overloaded\\(int\\)/", "_ZN6target10overloadedEi", NO, YES);
	expect("*unsigned*", "_Z1fj", NO, YES);
	expect("*nsig*", "_Z1fj", NO, YES);
}

static void expect_readable(const char *text, const char *name)
{
	struct upm_pattern *pattern = compile(text);

	if (upm_pattern_match_demangled(pattern, name) != UPM_MATCH_YES)
		fail_msg("'%s' against '%s'", text, name);
	upm_pattern_free(pattern);
}

/* A fragment that the name does not hold must only save time, never a match. */
static void fragments_never_hide(void **state)
{
	static const char *const names[] = {
		"_ZNSs6appendEPKc",
		"_ZNSaIcEC1Ev",
		"_ZN12_GLOBAL__N_13fooEv",
		"_ZTV5Shape",
		"_ZNKSt8functionIFvvEEclEv",
		"_Z3fooILb1EEvv",
		"_ZNSolsEi",
		"_ZGVZ1fvE1x",
		"_RNvMCs1_5crateINtB2_3VechE4push",
	};
	char readable[512], word[512];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_true(upm_demangle(names[i], readable, sizeof(readable)) > 0);
		for (char *at = readable; *at;) {
			size_t length = strspn(
				at,
				"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");

			if (length >= 3) {
				snprintf(word, sizeof(word), "*%.*s*", (int)length, at);
				expect_readable(word, names[i]);
			}
			at += length ? length : 1;
		}
	}
}

static void a_runaway_is_stopped(void **state)
{
	struct upm_pattern *pattern = compile("/^(a+)+$/");
	char name[64] = "";

	(void)state;
	memset(name, 'a', 40);
	name[40] = '!';
	assert_int_equal(upm_pattern_match(pattern, name), UPM_MATCH_TOO_HARD);
	upm_pattern_free(pattern);
}

static void mistakes_are_shown(void **state)
{
	struct upm_pattern *pattern;
	struct upm_spec spec;

	(void)state;
	assert_upm_ok(upm_spec_parse("a:/x(/", &spec));
	assert_upm(upm_pattern_compile(&spec, &pattern), UPM_ERR_SPEC);
	assert_non_null(strstr(upm_error_last()->message, "character"));
	upm_spec_clear(&spec);
}

static void demangling(void **state)
{
	char text[16];

	(void)state;
	assert_int_equal(upm_demangle("_Z3fooi", text, sizeof(text)), 8);
	assert_string_equal(text, "foo(int)");
	assert_int_equal(upm_demangle("malloc", text, sizeof(text)), 0);
	assert_string_equal(text, "malloc");
	assert_int_equal(upm_demangle("_Z3fooi", text, 4), 8);
	assert_string_equal(text, "foo");
	assert_int_equal(upm_demangle("_Z3fooi", NULL, 0), 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(raw_names),
		cmocka_unit_test(readable_names),
		cmocka_unit_test(fragments_never_hide),
		cmocka_unit_test(a_runaway_is_stopped),
		cmocka_unit_test(mistakes_are_shown),
		cmocka_unit_test(demangling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The text form of specs. */
#include "support.h"

#include <string.h>

#include "resolve/spec.h"
#include "uprobe_multi.h"

static void expect(const char *text, uint32_t kind, enum upm_spec_form form, const char *binary,
		   const char *pattern, const char *version, uint64_t number)
{
	struct upm_spec spec;

	assert_upm_ok(upm_spec_parse(text, &spec));
	assert_int_equal(spec.kind, kind);
	assert_int_equal(spec.form, form);
	assert_string_equal(spec.binary, binary);
	assert_string_equal(spec.pattern, pattern);
	if (version)
		assert_string_equal(spec.version, version);
	else
		assert_null(spec.version);
	assert_int_equal(spec.number, number);
	upm_spec_clear(&spec);
}

static void kinds(void **state)
{
	(void)state;
	expect("libc.so.6:malloc", UPM_KIND_UPROBE, UPM_SPEC_NAME, "libc.so.6", "malloc", NULL, 0);
	expect("uprobe:/bin/true:main", UPM_KIND_UPROBE, UPM_SPEC_NAME, "/bin/true", "main", NULL,
	       0);
	expect("uretprobe:/bin/true:main", UPM_KIND_URETPROBE, UPM_SPEC_NAME, "/bin/true", "main",
	       NULL, 0);
}

static void forms(void **state)
{
	(void)state;
	expect("*:*", UPM_KIND_UPROBE, UPM_SPEC_PATTERN, "*", "*", NULL, 0);
	expect("a:mem[a-z]?*", UPM_KIND_UPROBE, UPM_SPEC_PATTERN, "a", "mem[a-z]?*", NULL, 0);
	expect("a:/^x:y/z$/", UPM_KIND_UPROBE, UPM_SPEC_PATTERN, "a", "^x:y/z$", NULL, 0);
	expect("a:0x401000", UPM_KIND_UPROBE, UPM_SPEC_OFFSET, "a", "", NULL, 0x401000);
	expect("a:f+0x10", UPM_KIND_UPROBE, UPM_SPEC_NAME, "a", "f", NULL, 16);
	expect("a:f+16", UPM_KIND_UPROBE, UPM_SPEC_NAME, "a", "f", NULL, 16);
	expect("a:memcpy@GLIBC_2.14", UPM_KIND_UPROBE, UPM_SPEC_NAME, "a", "memcpy", "GLIBC_2.14",
	       0);
	expect("a:mem*@@V", UPM_KIND_UPROBE, UPM_SPEC_PATTERN, "a", "mem*", "V", 0);
	expect("a:memcpy@V+4", UPM_KIND_UPROBE, UPM_SPEC_NAME, "a", "memcpy", "V", 4);
}

static void cxx_names(void **state)
{
	(void)state;
	expect("node:v8::Isolate::New", UPM_KIND_UPROBE, UPM_SPEC_NAME, "node", "v8::Isolate::New",
	       NULL, 0);
	expect("a:T::operator[]", UPM_KIND_UPROBE, UPM_SPEC_NAME, "a", "T::operator[]", NULL, 0);
	expect("a:T::operator+", UPM_KIND_UPROBE, UPM_SPEC_NAME, "a", "T::operator+", NULL, 0);
	expect("/odd\\:name:f", UPM_KIND_UPROBE, UPM_SPEC_NAME, "/odd:name", "f", NULL, 0);
}

static void mistakes(void **state)
{
	static const char *const bad[] = {
		"",	 "libc", ":f",	  "a:",	    "a:/x",
		"a://",	 "a:f@", "a:f@@", "a:0xzz", "a:0x10000000000000000",
		"a:f*+8"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct upm_spec spec;

		assert_upm(upm_spec_parse(bad[i], &spec), UPM_ERR_SPEC);
		assert_string_equal(upm_error_last()->object, bad[i]);
		assert_true(upm_error_last()->hint[0] || upm_error_last()->message[0]);
	}
}

static void expect_usdt(const char *text, enum upm_spec_form form, const char *provider,
			const char *name)
{
	struct upm_spec spec;

	assert_upm_ok(upm_spec_parse(text, &spec));
	assert_int_equal(spec.kind, UPM_KIND_USDT);
	assert_int_equal(spec.form, form);
	assert_string_equal(spec.provider, provider);
	assert_string_equal(spec.pattern, name);
	upm_spec_clear(&spec);
}

static void usdt(void **state)
{
	static const char *const bad[] = {"usdt:a", "usdt:a:b", "usdt:a:b:", "usdt:a::c",
					  "usdt:a:b://"};

	(void)state;
	expect_usdt("usdt:a:python:gc__start", UPM_SPEC_NAME, "python", "gc__start");
	expect_usdt("usdt:a:*:gc__*", UPM_SPEC_PATTERN, "*", "gc__*");
	expect_usdt("usdt:a:/^p:y/:/start$/", UPM_SPEC_PATTERN, "/^p:y/", "start$");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct upm_spec spec;

		assert_upm(upm_spec_parse(bad[i], &spec), UPM_ERR_SPEC);
		assert_true(upm_error_last()->hint[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds),    cmocka_unit_test(forms), cmocka_unit_test(cxx_names),
		cmocka_unit_test(mistakes), cmocka_unit_test(usdt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

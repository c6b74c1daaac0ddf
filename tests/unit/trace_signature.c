/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* C-like signatures, and filters on what they name. */
#include "support.h"

#include <string.h>

#include "trace/condition.h"
#include "trace/signature.h"
#include "uprobe_multi.h"

static void parse(const char *text, struct upm_signature *signature)
{
	if (upm_signature_parse(text, signature) != UPM_OK)
		fail_msg("%s: %s", text, upm_error_last()->message);
}

static void check(const struct upm_parameter *parameter, const char *name, const char *type,
		  uint32_t form, uint8_t width)
{
	assert_string_equal(parameter->name, name);
	assert_string_equal(parameter->type, type);
	assert_int_equal(parameter->form, form);
	assert_int_equal(parameter->width, width);
}

static void manual_page(void **state)
{
	struct upm_signature s;

	(void)state;
	parse("int openat(int dirfd, const char *pathname, int flags, ...);", &s);
	assert_int_equal(s.count, 3);
	check(&s.result, "result", "int", UPM_FORM_SIGNED, 4);
	check(&s.parameters[0], "dirfd", "int", UPM_FORM_SIGNED, 4);
	check(&s.parameters[1], "pathname", "char *", UPM_FORM_STRING, 8);
	assert_int_equal(s.parameters[1].text.source, UPM_TEXT_STRING);
	check(&s.parameters[2], "flags", "int", UPM_FORM_SIGNED, 4);

	parse("ssize_t write(int fd, const void data[n], size_t n)", &s);
	check(&s.result, "result", "ssize_t", UPM_FORM_SIGNED, 8);
	check(&s.parameters[1], "data", "void[n]", UPM_FORM_BYTES, 8);
	assert_int_equal(s.parameters[1].text.length_argument, 2);
	check(&s.parameters[2], "n", "size_t", UPM_FORM_UNSIGNED, 8);
}

static void forms(void **state)
{
	struct upm_signature s;

	(void)state;
	parse("(unsigned char c, long unsigned int l, struct stat *st, enum kind k, char **argv,"
	      " int (*compare)(const void *, const void *), bool b, double d, FILE *, char)",
	      &s);
	assert_int_equal(s.count, 10);
	check(&s.parameters[0], "c", "unsigned char", UPM_FORM_UNSIGNED, 1);
	check(&s.parameters[1], "l", "long unsigned int", UPM_FORM_UNSIGNED, 8);
	check(&s.parameters[2], "st", "struct stat *", UPM_FORM_POINTER, 8);
	check(&s.parameters[3], "k", "enum kind", UPM_FORM_SIGNED, 4);
	check(&s.parameters[4], "argv", "char **", UPM_FORM_POINTER, 8);
	check(&s.parameters[5], "compare", "int (*)()", UPM_FORM_POINTER, 8);
	check(&s.parameters[6], "b", "bool", UPM_FORM_BOOLEAN, 1);
	check(&s.parameters[7], "d", "double", UPM_FORM_UNREADABLE, 8);
	check(&s.parameters[8], "arg8", "FILE *", UPM_FORM_POINTER, 8);
	check(&s.parameters[9], "arg9", "char", UPM_FORM_CHARACTER, 1);
	check(&s.result, "result", "long", UPM_FORM_SIGNED, 8);
}

static void nothing_and_results(void **state)
{
	struct upm_signature s;

	(void)state;
	parse("()", &s);
	assert_int_equal(s.count, 0);
	parse(" ( void ) ", &s);
	assert_int_equal(s.count, 0);
	parse("void free(void *p)", &s);
	assert_int_equal(s.result.form, UPM_FORM_NONE);
	parse("getpid()", &s);
	assert_int_equal(s.result.width, 8);
	parse("unsigned int alarm(unsigned int seconds)", &s);
	check(&s.result, "result", "unsigned int", UPM_FORM_UNSIGNED, 4);
	parse("char *getenv(char *name)", &s);
	check(&s.result, "result", "char *", UPM_FORM_POINTER, 8);
	assert_int_equal(s.result.text.source, UPM_TEXT_NONE);
	parse("(char data[16])", &s);
	assert_int_equal(s.parameters[0].text.length, 16);
	assert_int_equal(s.parameters[0].text.length_argument, UPM_TEXT_LENGTH_CONSTANT);
}

static void mistakes(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"int fd, char *path", "parentheses"},
		{"", "parentheses"},
		{"(fd)", "type of 'fd'"},
		{"(struct stat st)", "type of 'struct stat'"},
		{"(int a,, int b)", "empty"},
		{"(int a, )", "empty"},
		{"(void v, int b)", "void"},
		{"(char data[n])", "'n' counts no bytes"},
		{"(char data[n], char *n)", "'n' counts no bytes"},
		{"(char data[5000])", "'5000' counts no bytes"},
		{"(char data[n)", "array"},
		{"(int a; int b)", "understood"},
		{"(int a) trailing", "parentheses"},
		{"(int,int,int,int,int,int,int,int,int,int,int,int,int)", "more than 12"},
		{"(a b c d e f g h i j)", "too many words"},
	};
	struct upm_signature s;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(upm_signature_parse(cases[i].text, &s), UPM_ERR_SPEC);
		if (!strstr(upm_error_last()->message, cases[i].message))
			fail_msg("%s: %s", cases[i].text, upm_error_last()->message);
		assert_string_not_equal(upm_error_last()->hint, "");
	}
}

static void default_signature(void **state)
{
	struct upm_signature s;

	(void)state;
	upm_signature_default(&s);
	assert_int_equal(s.count, 6);
	check(&s.parameters[5], "arg5", "unsigned long", UPM_FORM_POINTER, 8);
}

/* ---- filters */

static const char openat_signature[] = "int openat(int fd, char *path, unsigned flags, double d)";

static int filter(const char *text, uint32_t event, struct upm_trace_condition *conditions,
		  uint32_t *count)
{
	struct upm_signature s;

	parse(openat_signature, &s);
	return upm_conditions_parse(text, &s, event, conditions, count);
}

static void comparisons(void **state)
{
	struct upm_trace_condition c[UPM_TRACE_CONDITIONS];
	uint32_t count;

	(void)state;
	assert_int_equal(filter("fd == -100 && path ^= \"/etc/\" && arg2 & 0x40&&result<0 "
				"&& duration_ns >= 1000000",
				UPM_EVENT_CALL, c, &count),
			 UPM_OK);
	assert_int_equal(count, 5);
	assert_int_equal(c[0].subject, 0);
	assert_int_equal(c[0].comparison, UPM_IS_EQUAL);
	assert_int_equal((int64_t)c[0].number, -100);
	assert_int_equal(c[1].subject, 1);
	assert_int_equal(c[1].comparison, UPM_TEXT_BEGINS);
	assert_int_equal(c[1].length, 5);
	assert_string_equal(c[1].text, "/etc/");
	assert_int_equal(c[2].subject, 2);
	assert_int_equal(c[2].comparison, UPM_HAS_BITS);
	assert_int_equal(c[2].is_signed, 0);
	assert_int_equal(c[3].subject, UPM_SUBJECT_RESULT);
	assert_int_equal(c[3].is_signed, 1);
	assert_int_equal(c[4].subject, UPM_SUBJECT_DURATION);
	assert_int_equal(c[4].comparison, UPM_IS_GREATER_EQUAL);
}

static void texts(void **state)
{
	struct upm_trace_condition c[UPM_TRACE_CONDITIONS];
	uint32_t count;

	(void)state;
	assert_int_equal(filter("path == \"a\\\"b\\n\"", UPM_EVENT_ENTRY, c, &count), UPM_OK);
	assert_string_equal(c[0].text, "a\"b\n");
	assert_int_equal(c[0].comparison, UPM_TEXT_IS_EQUAL);
	assert_int_equal(filter("result == 1", UPM_EVENT_RETURN, c, &count), UPM_OK);
	assert_int_equal(filter("duration_ns == 1", UPM_EVENT_RETURN, c, &count), UPM_ERR_SPEC);
	assert_int_equal(filter("path != \"\"", UPM_EVENT_ENTRY, c, &count), UPM_OK);
	assert_int_equal(c[0].length, 0);
}

static void filter_mistakes(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"", "name of an argument is missing"},
		{"fd", "operator is missing"},
		{"fd = 3", "operator is missing"},
		{"fd ==", "value is missing"},
		{"fd == x", "value is missing"},
		{"fd == 3 || fd == 4", "understood"},
		{"fd == 3 &&", "name of an argument is missing"},
		{"nothing == 3", "no such argument: 'nothing'"},
		{"arg4 == 3", "no such argument"},
		{"arg == 3", "no such argument"},
		{"fd == \"x\"", "argument that is none"},
		{"path < \"x\"", "does not compare strings"},
		{"fd ^= 3", "does not begin"},
		{"fd == 3000000000", "too large"},
		{"flags == -1", "too large"},
		{"path == \"x", "no end"},
		{"path == \"", "no end"},
		{"path == \"\\q\"", "escape"},
		{"d == 1", "'d' can not be read"},
		{"result == 1", "at the return only"},
		{"duration_ns > 1", "from entry to return"},
		{"fd==1&&fd==1&&fd==1&&fd==1&&fd==1&&fd==1&&fd==1&&fd==1&&fd==1", "more than 8"},
		{"path == \"0123456789012345678901234567890123456789012345678901234567890123\"",
		 "longer than 63"},
	};
	struct upm_trace_condition c[UPM_TRACE_CONDITIONS];
	uint32_t count;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(filter(cases[i].text, UPM_EVENT_ENTRY, c, &count), UPM_ERR_SPEC);
		if (!strstr(upm_error_last()->message, cases[i].message))
			fail_msg("%s: %s", cases[i].text, upm_error_last()->message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(manual_page),
		cmocka_unit_test(forms),
		cmocka_unit_test(nothing_and_results),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(default_signature),
		cmocka_unit_test(comparisons),
		cmocka_unit_test(texts),
		cmocka_unit_test(filter_mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "resolve/pattern.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <pcre2.h>

#include "base/error.h"
#include "resolve/demangle.h"

enum {
	MATCH_LIMIT = 200000,  /* steps of one comparison */
	HEAP_LIMIT_KIB = 4096, /* memory of one comparison */
	FRAGMENT_MIN = 3,
	FRAGMENT_MAX = 64
};

struct upm_pattern {
	enum { MATCH_ALL, MATCH_NAME, MATCH_PREFIX, MATCH_CODE } how;
	char *text;
	size_t length; /* of the name or prefix */
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *limits;
	char fragment[FRAGMENT_MAX + 1]; /* what a mangled name must hold to match; "" = unknown */
};

/* Words that a demangler writes although the mangled name does not hold them. */
static const char synthesised[] =
	" operator new delete const volatile restrict unsigned signed char wchar_t char8_t "
	"char16_t "
	"char32_t short int long __int128 float double __float128 bool void nullptr decltype auto "
	"true false noexcept std allocator basic_string string istream basic_istream ostream "
	"basic_ostream iostream basic_iostream char_traits anonymous namespace lambda unnamed type "
	"vtable for typeinfo name guard variable reference temporary non-virtual virtual thunk to "
	"covariant return clone transaction construction initializer function init complex "
	"imaginary decimal32 decimal64 decimal128 half throw typename template sizeof alignof "
	"co_await isize usize i128 u128 i64 u64 i32 u32 i16 u16 i8 u8 f64 f32 str dyn extern "
	"unsafe "
	"closure shim impl crate mut as fn c_variadic ";

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* The longest run of word characters of a name or glob, unless a demangler could make it up. */
static void find_fragment(struct upm_pattern *pattern, const char *text)
{
	const char *best = NULL;
	size_t best_length = 0;

	if (strchr(text, '[') || strchr(text, '\\'))
		return;
	for (const char *p = text; *p;) {
		size_t length = 0;

		while (is_word(p[length]))
			length++;
		if (length > best_length) {
			best = p;
			best_length = length;
		}
		p += length ? length : 1;
	}
	if (best_length < FRAGMENT_MIN || best_length > FRAGMENT_MAX)
		return;
	memcpy(pattern->fragment, best, best_length);
	if (strstr(synthesised, pattern->fragment))
		pattern->fragment[0] = '\0';
}

static int bad_code(const struct upm_spec *spec, int error, size_t position)
{
	PCRE2_UCHAR message[256];

	if (error == PCRE2_ERROR_NOMEMORY || error == PCRE2_ERROR_HEAP_FAILED)
		return upm_fail_memory("compile the pattern");
	pcre2_get_error_message(error, message, sizeof(message));
	return upm_fail(
		UPM_ERR_SPEC, 0, "compile the pattern", spec->text,
		spec->regex ? "mend the expression (PCRE2 syntax)"
			    : "a glob has '*', '?' and '[a-z]'; '\\\\' quotes the next character",
		"%s, at character %zu of '%s'", (const char *)message, position + 1, spec->pattern);
}

static int compile_code(struct upm_pattern *pattern, const struct upm_spec *spec,
			const PCRE2_UCHAR *expression)
{
	int error;
	size_t position;

	pattern->code =
		pcre2_compile(expression, PCRE2_ZERO_TERMINATED, 0, &error, &position, NULL);
	if (!pattern->code)
		return bad_code(spec, error, position);
	pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE);
	pattern->data = pcre2_match_data_create_from_pattern(pattern->code, NULL);
	pattern->limits = pcre2_match_context_create(NULL);
	if (!pattern->data || !pattern->limits)
		return upm_fail_memory("compile the pattern");
	pcre2_set_match_limit(pattern->limits, MATCH_LIMIT);
	pcre2_set_heap_limit(pattern->limits, HEAP_LIMIT_KIB);
	return UPM_OK;
}

static int compile_glob(struct upm_pattern *pattern, const struct upm_spec *spec)
{
	PCRE2_UCHAR *expression = NULL;
	PCRE2_SIZE length;
	int error, status;

	error = pcre2_pattern_convert((PCRE2_SPTR)spec->pattern, strlen(spec->pattern),
				      PCRE2_CONVERT_GLOB_NO_WILD_SEPARATOR, &expression, &length,
				      NULL);
	if (error)
		return bad_code(spec, error, length);
	status = compile_code(pattern, spec, expression);
	pcre2_converted_pattern_free(expression);
	return status;
}

static void choose_how(struct upm_pattern *pattern, const struct upm_spec *spec)
{
	size_t plain = strcspn(pattern->text, "*?[\\");

	pattern->length = plain;
	if (spec->regex)
		pattern->how = MATCH_CODE;
	else if (spec->form == UPM_SPEC_NAME)
		pattern->how = MATCH_NAME;
	else if (strcmp(pattern->text, "*") == 0)
		pattern->how = MATCH_ALL;
	else if (strcmp(pattern->text + plain, "*") == 0)
		pattern->how = MATCH_PREFIX;
	else
		pattern->how = MATCH_CODE;
}

int upm_pattern_compile(const struct upm_spec *spec, struct upm_pattern **out)
{
	struct upm_pattern *pattern = calloc(1, sizeof(*pattern));
	int status = UPM_OK;

	if (!pattern || !(pattern->text = strdup(spec->pattern))) {
		free(pattern);
		return upm_fail_memory("compile the pattern");
	}
	choose_how(pattern, spec);
	if (!spec->regex)
		find_fragment(pattern, pattern->text);
	if (pattern->how == MATCH_CODE)
		status = spec->regex ? compile_code(pattern, spec, (PCRE2_SPTR)pattern->text)
				     : compile_glob(pattern, spec);
	if (status)
		upm_pattern_free(pattern);
	else
		*out = pattern;
	return status;
}

bool upm_pattern_matches_all(const struct upm_pattern *pattern)
{
	return pattern->how == MATCH_ALL;
}

static enum upm_match match_code(const struct upm_pattern *pattern, const char *name)
{
	int result = pcre2_match(pattern->code, (PCRE2_SPTR)name, PCRE2_ZERO_TERMINATED, 0, 0,
				 pattern->data, pattern->limits);

	if (result >= 0)
		return UPM_MATCH_YES;
	return result == PCRE2_ERROR_NOMATCH ? UPM_MATCH_NO : UPM_MATCH_TOO_HARD;
}

enum upm_match upm_pattern_match(const struct upm_pattern *pattern, const char *name)
{
	switch (pattern->how) {
	case MATCH_ALL:
		return UPM_MATCH_YES;
	case MATCH_NAME:
		return strcmp(name, pattern->text) == 0 ? UPM_MATCH_YES : UPM_MATCH_NO;
	case MATCH_PREFIX:
		return strncmp(name, pattern->text, pattern->length) == 0 ? UPM_MATCH_YES
									  : UPM_MATCH_NO;
	case MATCH_CODE:
		break;
	}
	return match_code(pattern, name);
}

enum upm_match upm_pattern_match_demangled(const struct upm_pattern *pattern, const char *name)
{
	enum upm_match match = UPM_MATCH_NO;

	if (!upm_is_mangled(name) || !strstr(name, pattern->fragment))
		return UPM_MATCH_NO;
	for (int parameters = 0; parameters < 2 && match == UPM_MATCH_NO; parameters++) {
		char *readable = upm_demangle_name(name, parameters);

		if (!readable)
			break;
		match = upm_pattern_match(pattern, readable);
		free(readable);
	}
	return match;
}

void upm_pattern_free(struct upm_pattern *pattern)
{
	if (!pattern)
		return;
	pcre2_match_context_free(pattern->limits);
	pcre2_match_data_free(pattern->data);
	pcre2_code_free(pattern->code);
	free(pattern->text);
	free(pattern);
}

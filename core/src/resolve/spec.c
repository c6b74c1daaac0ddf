/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "resolve/spec.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static const char usdt_form[] = "write usdt:BINARY:PROVIDER:NAME; '*' stands for any";

static int bad(const char *text, const char *hint, const char *problem)
{
	return upm_fail(UPM_ERR_SPEC, 0, "read the spec", text, hint, "%s", problem);
}

static const char *parse_kind(const char *text, uint8_t *kind)
{
	static const struct {
		const char *prefix;
		uint8_t kind;
	} kinds[] = {
		{"uprobe:", UPM_KIND_UPROBE},
		{"uretprobe:", UPM_KIND_URETPROBE},
		{"usdt:", UPM_KIND_USDT},
	};

	*kind = UPM_KIND_UPROBE;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t length = strlen(kinds[i].prefix);

		if (strncmp(text, kinds[i].prefix, length) == 0) {
			*kind = kinds[i].kind;
			return text + length;
		}
	}
	return text;
}

/* Copy up to the first unescaped colon, dropping the escapes. @return what follows the colon. */
static const char *parse_binary(const char *text, char *binary)
{
	for (; *text && *text != ':'; text++) {
		if (text[0] == '\\' && text[1] == ':')
			text++;
		*binary++ = *text;
	}
	*binary = '\0';
	return *text == ':' ? text + 1 : NULL;
}

static bool parse_number(const char *text, uint64_t *number)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*number = strtoull(text, &end, 0);
	return *end == '\0' && errno == 0;
}

static bool is_glob(const char *pattern)
{
	const char *bracket = strchr(pattern, '[');

	if (strpbrk(pattern, "*?"))
		return true;
	return bracket && bracket[1] && strchr(bracket + 2, ']');
}

static int parse_regex(struct upm_spec *spec)
{
	size_t length = strlen(spec->pattern);

	if (length < 3 || spec->pattern[length - 1] != '/')
		return bad(spec->text, "write /REGEX/, with a slash at both ends",
			   "the regular expression is empty or has no closing slash");
	memmove(spec->pattern, spec->pattern + 1, length - 2);
	spec->pattern[length - 2] = '\0';
	spec->regex = true;
	spec->form = UPM_SPEC_PATTERN;
	return UPM_OK;
}

static int parse_name_or_glob(struct upm_spec *spec)
{
	if (spec->pattern[0] == '/')
		return parse_regex(spec);
	spec->form = is_glob(spec->pattern) ? UPM_SPEC_PATTERN : UPM_SPEC_NAME;
	return UPM_OK;
}

/* A provider that is a regex ends at its slash, since a colon may stand inside. */
static int parse_usdt(struct upm_spec *spec)
{
	char *colon = spec->pattern[0] == '/' ? strstr(spec->pattern + 1, "/:") : NULL;
	char *name;

	colon = colon ? colon + 1 : strchr(spec->pattern, ':');
	if (!colon || colon == spec->pattern || !colon[1])
		return bad(spec->text, usdt_form, "the provider or the name is missing");
	name = strdup(colon + 1);
	if (!name)
		return upm_fail_memory("read the spec");
	*colon = '\0';
	spec->provider = spec->pattern;
	spec->pattern = name;
	return parse_name_or_glob(spec);
}

static void split_addend(struct upm_spec *spec)
{
	char *plus = strrchr(spec->pattern, '+');

	if (plus && plus > spec->pattern && parse_number(plus + 1, &spec->number))
		*plus = '\0';
}

static int split_version(struct upm_spec *spec)
{
	char *at = strchr(spec->pattern + 1, '@');

	if (!at)
		return UPM_OK;
	*at++ = '\0';
	spec->default_version = *at == '@';
	at += spec->default_version;
	if (!*at)
		return bad(spec->text, "write NAME@VERSION, such as memcpy@GLIBC_2.14",
			   "there is no version after '@'");
	spec->version = strdup(at);
	return spec->version ? UPM_OK : upm_fail_memory("read the spec");
}

static int parse_pattern(struct upm_spec *spec)
{
	int status;

	if (spec->pattern[0] == '/')
		return parse_regex(spec);
	if (strncasecmp(spec->pattern, "0x", 2) == 0) {
		if (!parse_number(spec->pattern, &spec->number))
			return bad(spec->text, "write a file offset as 0x and hexadecimal digits",
				   "the offset is not a number of 64 bits");
		spec->form = UPM_SPEC_OFFSET;
		spec->pattern[0] = '\0';
		return UPM_OK;
	}
	split_addend(spec);
	status = split_version(spec);
	if (status)
		return status;
	spec->form = is_glob(spec->pattern) ? UPM_SPEC_PATTERN : UPM_SPEC_NAME;
	if (spec->form == UPM_SPEC_PATTERN && spec->number)
		return bad(spec->text, "name one function, or leave out the +NUMBER",
			   "an offset behind a glob would fall anywhere in most functions");
	return UPM_OK;
}

int upm_spec_parse(const char *text, struct upm_spec *spec)
{
	const char *rest, *pattern;
	int status;

	*spec = (struct upm_spec){.text = text};
	rest = parse_kind(text, &spec->kind);
	spec->binary = malloc(strlen(rest) + 1);
	if (!spec->binary)
		return upm_fail_memory("read the spec");
	pattern = parse_binary(rest, spec->binary);
	if (!pattern)
		status = bad(text,
			     spec->kind == UPM_KIND_USDT
				     ? usdt_form
				     : "write BINARY:PATTERN, such as libc.so.6:malloc",
			     "there is no ':' between a binary and a pattern");
	else if (!spec->binary[0])
		status = bad(text, "name a path, a library, or '*' for all that a process maps",
			     "the binary is empty");
	else if (!pattern[0])
		status = bad(text, "write '*' for every function", "the pattern is empty");
	else if (!(spec->pattern = strdup(pattern)))
		status = upm_fail_memory("read the spec");
	else if (spec->kind == UPM_KIND_USDT)
		status = parse_usdt(spec);
	else
		status = parse_pattern(spec);
	if (status)
		upm_spec_clear(spec);
	return status;
}

void upm_spec_clear(struct upm_spec *spec)
{
	free(spec->binary);
	free(spec->pattern);
	free(spec->provider);
	free(spec->version);
	spec->binary = spec->pattern = spec->provider = spec->version = NULL;
}

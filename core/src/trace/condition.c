/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "trace/condition.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "uprobe_multi.h"

struct filter {
	const char *text; /* whole, for errors */
	const char *at;
	const struct upm_signature *signature;
	uint32_t event; /* enum upm_event_kind */
};

/* What a name stands for. */
struct subject {
	uint8_t number; /* as in struct upm_trace_condition */
	uint8_t form, width;
};

static int bad_word(const struct filter *filter, const char *hint, const char *problem,
		    const char *word, size_t length)
{
	return upm_fail(UPM_ERR_SPEC, 0, "read the filter", filter->text, hint, problem,
			(int)length, word);
}

static int bad(const struct filter *filter, const char *hint, const char *problem, const char *what)
{
	return upm_fail(UPM_ERR_SPEC, 0, "read the filter", filter->text,
			hint ? hint : "write it like fd == 3 && path ^= \"/etc/\"", problem, what);
}

static void skip_blanks(struct filter *filter)
{
	while (isspace((unsigned char)*filter->at))
		filter->at++;
}

/* ---- the name */

static bool same(const char *name, const char *at, size_t length)
{
	return strlen(name) == length && memcmp(name, at, length) == 0;
}

/* By its own name, or by its position as arg0, arg1, … */
static bool find_parameter(const struct filter *filter, const char *at, size_t length,
			   struct subject *subject)
{
	char *end;

	for (uint32_t i = 0; i < filter->signature->count; i++) {
		const struct upm_parameter *parameter = &filter->signature->parameters[i];
		bool by_place = length > 3 && memcmp(at, "arg", 3) == 0 &&
				strtoul(at + 3, &end, 10) == i && end == at + length;

		if (!by_place && !same(parameter->name, at, length))
			continue;
		*subject = (struct subject){(uint8_t)i, parameter->form, parameter->width};
		return true;
	}
	return false;
}

static int find_outcome(const struct filter *filter, const char *at, size_t length,
			struct subject *subject)
{
	const struct upm_parameter *result = &filter->signature->result;
	bool call = filter->event == UPM_EVENT_CALL;

	if (same("duration_ns", at, length))
		*subject = (struct subject){UPM_SUBJECT_DURATION, UPM_FORM_UNSIGNED, 8};
	else if (same("result", at, length))
		*subject = (struct subject){UPM_SUBJECT_RESULT, result->form, result->width};
	else
		return bad_word(filter,
				filter->signature->count
					? "name parameters of the signature, or arg0, arg1, ..."
					: "this probe has no arguments: leave it out",
				"there is no such argument: '%.*s'", at, length);
	if (call || (subject->number == UPM_SUBJECT_RESULT && filter->event == UPM_EVENT_RETURN))
		return UPM_OK;
	return bad(filter, "trace returns too (UPM_TRACE_RETURNS, --returns) of uprobes",
		   subject->number == UPM_SUBJECT_RESULT
			   ? "the result is known at the return only"
			   : "only a call from entry to return has duration_ns",
		   NULL);
}

static int take_subject(struct filter *filter, struct subject *subject)
{
	const char *at;
	size_t length = 0;
	int status = UPM_OK;

	skip_blanks(filter);
	at = filter->at;
	while (isalnum((unsigned char)at[length]) || at[length] == '_')
		length++;
	if (!length)
		return bad(filter, NULL, "the name of an argument is missing at '%s'", at);
	filter->at += length;
	if (!find_parameter(filter, at, length, subject))
		status = find_outcome(filter, at, length, subject);
	if (!status && (subject->form == UPM_FORM_UNREADABLE || subject->form == UPM_FORM_NONE))
		return bad_word(filter, "compare another one",
				"the value of '%.*s' can not be read", at,
				(size_t)(filter->at - at));
	return status;
}

/* ---- the operator */

static int take_comparison(struct filter *filter, uint8_t *comparison)
{
	static const struct {
		const char *spelled;
		uint8_t comparison;
	} operators[] = {
		{"==", UPM_IS_EQUAL},	   {"!=", UPM_IS_NOT_EQUAL},	 {"^=", UPM_TEXT_BEGINS},
		{"<=", UPM_IS_LESS_EQUAL}, {">=", UPM_IS_GREATER_EQUAL}, {"<", UPM_IS_LESS},
		{">", UPM_IS_GREATER},	   {"&", UPM_HAS_BITS},
	};

	skip_blanks(filter);
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		size_t length = strlen(operators[i].spelled);

		if (strncmp(filter->at, operators[i].spelled, length) != 0)
			continue;
		filter->at += length;
		*comparison = operators[i].comparison;
		return UPM_OK;
	}
	return bad(filter, "compare with == != < <= > >= & or ^=", "an operator is missing at '%s'",
		   filter->at);
}

/* ---- the value */

static int take_escape(struct filter *filter, char *out)
{
	static const char letters[] = "n\nt\tr\r\\\\\"\"";

	for (const char *pair = letters; *pair; pair += 2) {
		if (*pair != *filter->at)
			continue;
		*out = pair[1];
		filter->at++;
		return UPM_OK;
	}
	return bad(filter, "use \\n \\t \\r \\\\ or \\\"", "an escape is not known at '%s'",
		   filter->at);
}

static int take_text(struct filter *filter, struct upm_trace_condition *condition)
{
	int status = UPM_OK;

	for (filter->at++; *filter->at && *filter->at != '"' && !status;) {
		char letter = *filter->at++;

		if (letter == '\\')
			status = take_escape(filter, &letter);
		if (condition->length == UPM_TRACE_PATTERN - 1)
			return bad(filter, "use ^= with its beginning",
				   "a string is longer than 63 bytes", NULL);
		condition->text[condition->length++] = letter;
	}
	if (status)
		return status;
	if (*filter->at != '"')
		return bad(filter, "end it with a quotation mark", "a string has no end", NULL);
	filter->at++;
	return UPM_OK;
}

static int compare_text(struct filter *filter, const struct subject *subject,
			struct upm_trace_condition *condition)
{
	if (subject->form != UPM_FORM_STRING)
		return bad(filter, "give it the type char * in the signature",
			   "a string is compared with an argument that is none", NULL);
	if (condition->comparison == UPM_IS_EQUAL)
		condition->comparison = UPM_TEXT_IS_EQUAL;
	else if (condition->comparison == UPM_IS_NOT_EQUAL)
		condition->comparison = UPM_TEXT_IS_NOT_EQUAL;
	else if (condition->comparison != UPM_TEXT_BEGINS)
		return bad(filter, "use == != or ^= with strings",
			   "this operator does not compare strings", NULL);
	return take_text(filter, condition);
}

/* Values are cut like arguments are, so that -1 is what a 32-bit -1 is read as. */
static uint64_t cut(uint64_t number, const struct subject *subject)
{
	unsigned unused = subject->width ? 64 - 8 * subject->width : 0;

	number <<= unused;
	if (subject->form == UPM_FORM_SIGNED || subject->form == UPM_FORM_CHARACTER)
		return (uint64_t)((int64_t)number >> unused);
	return number >> unused;
}

static int compare_number(struct filter *filter, const struct subject *subject,
			  struct upm_trace_condition *condition)
{
	bool negative = *filter->at == '-';
	char *end;
	uint64_t number;

	errno = 0;
	number = strtoull(filter->at + negative, &end, 0);
	if (!isdigit((unsigned char)filter->at[negative]) || errno)
		return bad(filter, "write a number such as 42, -1 or 0x10, or a \"string\"",
			   "a value is missing at '%s'", filter->at);
	if (condition->comparison == UPM_TEXT_BEGINS)
		return bad(filter, "use ^= with strings", "a number does not begin with another",
			   NULL);
	filter->at = end;
	number = negative ? 0 - number : number;
	condition->number = cut(number, subject);
	condition->is_signed =
		subject->form == UPM_FORM_SIGNED || subject->form == UPM_FORM_CHARACTER;
	if (condition->number != number)
		return bad(filter, "compare with a number that its type can hold",
			   "a number is too large for its argument", NULL);
	return UPM_OK;
}

static int take_condition(struct filter *filter, struct upm_trace_condition *condition)
{
	struct subject subject = {0};
	int status = take_subject(filter, &subject);

	*condition = (struct upm_trace_condition){0};
	if (!status)
		status = take_comparison(filter, &condition->comparison);
	if (status)
		return status;
	condition->subject = subject.number;
	skip_blanks(filter);
	return *filter->at == '"' ? compare_text(filter, &subject, condition)
				  : compare_number(filter, &subject, condition);
}

int upm_conditions_parse(const char *text, const struct upm_signature *signature, uint32_t event,
			 struct upm_trace_condition *conditions, uint32_t *count)
{
	struct filter filter = {text, text, signature, event};
	int status = UPM_OK;

	*count = 0;
	while (!status) {
		if (*count == UPM_TRACE_CONDITIONS)
			return bad(&filter, "use fewer", "it has more than 8 comparisons", NULL);
		status = take_condition(&filter, &conditions[(*count)++]);
		skip_blanks(&filter);
		if (status || !*filter.at)
			break;
		if (strncmp(filter.at, "&&", 2) != 0)
			return bad(&filter, "join comparisons by &&", "'%s' can not be understood",
				   filter.at);
		filter.at += 2;
	}
	return status;
}

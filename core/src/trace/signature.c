/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Signatures are C declarations of one function, as people copy them out of a manual
 * page: "ssize_t read(int fd, void *data, size_t n)", or only what stands in the
 * parentheses. Two things are ours: `char *` means a string, and the brackets of an array may
 * name the parameter that counts its bytes: "char data[n]".
 *
 * A parameter is a sequence of words with stars behind or between them and at most one pair of
 * brackets. The last word is its name, unless it is needed for the type.
 */
#include "trace/signature.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "trace/c_type.h"
#include "uprobe_multi.h"

enum { DEFAULT_ARGUMENTS = 6, MOST_WORDS = 8, MOST_TEXT = 4096 };

struct parser {
	const char *text; /* whole, for errors */
	const char *at, *end;
};

/* A parameter taken apart. */
struct pieces {
	char words[MOST_WORDS][UPM_NAME_SIZE];
	size_t count;
	unsigned stars;
	bool brackets;
	bool function; /* pointer to one, whose name is the last word where it is named */
	bool named;
	char length[UPM_NAME_SIZE];
};

static int bad(const struct parser *parser, const char *hint, const char *problem, const char *what)
{
	return upm_fail(UPM_ERR_SPEC, 0, "read the signature", parser->text,
			hint ? hint : "write it like \"(int fd, char *path, size_t n)\"", problem,
			what);
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == ':';
}

static void skip_blanks(struct parser *parser)
{
	while (parser->at < parser->end && isspace((unsigned char)*parser->at))
		parser->at++;
}

static bool take(struct parser *parser, char wanted)
{
	skip_blanks(parser);
	if (parser->at == parser->end || *parser->at != wanted)
		return false;
	parser->at++;
	return true;
}

static int take_word(struct parser *parser, char word[UPM_NAME_SIZE])
{
	size_t length = 0;

	skip_blanks(parser);
	while (parser->at + length < parser->end && is_word(parser->at[length]))
		length++;
	if (length >= UPM_NAME_SIZE)
		return bad(parser, "use shorter names", "a name in it is too long", NULL);
	memcpy(word, parser->at, length);
	word[length] = '\0';
	parser->at += length;
	return UPM_OK;
}

/* "(*compare)(const void *, const void *)": the parentheses after the result's type. */
static int take_function(struct parser *parser, struct pieces *pieces)
{
	int depth = 1, status = UPM_OK;

	pieces->function = true;
	if (take(parser, '*') && pieces->count < MOST_WORDS) {
		status = take_word(parser, pieces->words[pieces->count]);
		pieces->named = pieces->words[pieces->count][0] != '\0';
		pieces->count += pieces->named;
	}
	for (int group = 0; group < 2; group++) {
		while (depth && parser->at < parser->end) {
			depth += (*parser->at == '(') - (*parser->at == ')');
			parser->at++;
		}
		depth = take(parser, '(');
	}
	return status;
}

static int take_brackets(struct parser *parser, struct pieces *pieces)
{
	int status = take_word(parser, pieces->length);

	if (status)
		return status;
	if (pieces->brackets || !take(parser, ']'))
		return bad(parser, "write one pair of brackets, such as data[n] or data[16]",
			   "an array in it can not be understood", NULL);
	pieces->brackets = true;
	return UPM_OK;
}

static int take_piece(struct parser *parser, struct pieces *pieces)
{
	if (take(parser, '*')) {
		pieces->stars++;
		return UPM_OK;
	}
	if (take(parser, '['))
		return take_brackets(parser, pieces);
	if (take(parser, '('))
		return take_function(parser, pieces);
	if (!is_word(*parser->at))
		return bad(parser, NULL, "'%s' can not be understood", parser->at);
	if (pieces->count == MOST_WORDS)
		return bad(parser, NULL, "a parameter has too many words", NULL);
	return take_word(parser, pieces->words[pieces->count++]);
}

static bool is_qualifier(const char *word)
{
	return strcmp(word, "const") == 0 || strcmp(word, "volatile") == 0 ||
	       strcmp(word, "restrict") == 0 || strcmp(word, "__restrict") == 0;
}

static bool is_tag(const char *word)
{
	return strcmp(word, "struct") == 0 || strcmp(word, "union") == 0 ||
	       strcmp(word, "enum") == 0;
}

static void drop_qualifiers(struct pieces *pieces)
{
	size_t kept = 0;

	for (size_t i = 0; i < pieces->count; i++)
		if (!is_qualifier(pieces->words[i]))
			memmove(pieces->words[kept++], pieces->words[i], UPM_NAME_SIZE);
	pieces->count = kept;
}

/* Is the last word a name? Not when the words before it make no type without it. */
static bool ends_with_name(const struct pieces *pieces)
{
	const char *last = pieces->words[pieces->count - 1];

	if (pieces->function)
		return pieces->named;
	if (pieces->count < 2 || upm_c_type_has_word(last))
		return false;
	return !is_tag(pieces->words[pieces->count - 2]);
}

static void join_words(const struct pieces *pieces, size_t count, char *out, size_t size)
{
	size_t length = 0;

	*out = '\0';
	for (size_t i = 0; i < count && length < size; i++)
		length += (size_t)snprintf(out + length, size - length, "%s%s", i ? " " : "",
					   pieces->words[i]);
}

static void spell_type(const struct pieces *pieces, const char *base, char type[UPM_TYPE_SIZE])
{
	int length = snprintf(type, UPM_TYPE_SIZE, "%s%s", base,
			      pieces->function ? " (*)()"
			      : pieces->stars  ? " "
					       : "");

	for (unsigned i = 0; i < pieces->stars && length + 1 < UPM_TYPE_SIZE; i++)
		type[length++] = '*';
	if (length < UPM_TYPE_SIZE)
		type[length] = '\0';
	if (pieces->brackets && length + 1 < UPM_TYPE_SIZE)
		snprintf(type + length, (size_t)(UPM_TYPE_SIZE - length), "[%s]", pieces->length);
}

static void make_pointer(struct upm_parameter *parameter)
{
	parameter->form = UPM_FORM_POINTER;
	parameter->width = 8;
}

static void make_string(struct upm_parameter *parameter)
{
	parameter->form = UPM_FORM_STRING;
	parameter->width = 8;
	parameter->text.source = UPM_TEXT_STRING;
}

/* The parameter that counts the bytes may stand behind this one: see find_lengths(). */
static void make_bytes(struct upm_parameter *parameter)
{
	parameter->form = UPM_FORM_BYTES;
	parameter->width = 8;
	parameter->text.source = UPM_TEXT_BYTES;
	parameter->text.length_argument = UPM_TEXT_LENGTH_CONSTANT;
}

static int make_scalar(const struct parser *parser, const char *base,
		       struct upm_parameter *parameter)
{
	const struct upm_c_type *type = upm_c_type_find(base);

	if (strncmp(base, "enum ", 5) == 0)
		type = upm_c_type_find("int");
	if (!type)
		return bad(parser,
			   "write an integer type of C or stdint.h, a pointer, or long for what "
			   "else fits a register",
			   "the type of '%s' is not known", base);
	parameter->form = type->form;
	parameter->width = type->width;
	return UPM_OK;
}

static int understand(const struct parser *parser, const struct pieces *pieces,
		      struct upm_parameter *parameter)
{
	size_t type_words = pieces->count - ends_with_name(pieces);
	char base[UPM_TYPE_SIZE];

	join_words(pieces, type_words, base, sizeof(base));
	if (type_words < pieces->count)
		memcpy(parameter->name, pieces->words[type_words], UPM_NAME_SIZE);
	spell_type(pieces, base, parameter->type);
	if (pieces->function)
		make_pointer(parameter);
	else if (pieces->brackets && !pieces->stars && upm_c_type_is_byte(base) && *pieces->length)
		make_bytes(parameter);
	else if (strcmp(base, "char") == 0 && pieces->stars + pieces->brackets == 1)
		make_string(parameter);
	else if (pieces->stars || pieces->brackets)
		make_pointer(parameter);
	else
		return make_scalar(parser, base, parameter);
	return UPM_OK;
}

static int parse_parameter(struct parser *parser, struct upm_signature *signature,
			   char lengths[][UPM_NAME_SIZE])
{
	struct upm_parameter *parameter = &signature->parameters[signature->count];
	struct pieces pieces = {.count = 0};
	int status = UPM_OK;

	if (signature->count == UPM_TRACE_ARGUMENTS)
		return bad(parser, "leave the last ones out", "it has more than 12 parameters",
			   NULL);
	while (!status && parser->at < parser->end && *parser->at != ',') {
		status = take_piece(parser, &pieces);
		skip_blanks(parser);
	}
	if (status)
		return status;
	drop_qualifiers(&pieces);
	if (!pieces.count)
		return bad(parser, NULL, "a parameter is empty", NULL);
	snprintf(parameter->name, sizeof(parameter->name), "arg%u", signature->count);
	memcpy(lengths[signature->count++], pieces.length, UPM_NAME_SIZE);
	status = understand(parser, &pieces, parameter);
	if (!status && parameter->form == UPM_FORM_NONE)
		return bad(parser, NULL, "a parameter can not be void", NULL);
	return status;
}

static int find_length(const struct parser *parser, const struct upm_signature *signature,
		       const char *length, struct upm_trace_text *text)
{
	char *end;
	unsigned long constant = strtoul(length, &end, 0);

	if (isdigit((unsigned char)*length) && !*end && constant && constant <= MOST_TEXT) {
		text->length = (uint16_t)constant;
		return UPM_OK;
	}
	for (uint32_t i = 0; i < signature->count; i++) {
		uint8_t form = signature->parameters[i].form;

		if (strcmp(signature->parameters[i].name, length) != 0)
			continue;
		if (form != UPM_FORM_SIGNED && form != UPM_FORM_UNSIGNED)
			break;
		text->length_argument = (uint8_t)i;
		return UPM_OK;
	}
	return bad(parser, "name an integer parameter, or a number from 1 to 4096",
		   "'%s' counts no bytes", length);
}

static int find_lengths(const struct parser *parser, struct upm_signature *signature,
			char lengths[][UPM_NAME_SIZE])
{
	int status = UPM_OK;

	for (uint32_t i = 0; i < signature->count && !status; i++)
		if (signature->parameters[i].form == UPM_FORM_BYTES)
			status = find_length(parser, signature, lengths[i],
					     &signature->parameters[i].text);
	return status;
}

static bool is_void(const struct parser *parser)
{
	const char *at = parser->at;

	return parser->end - at == 4 && strncmp(at, "void", 4) == 0;
}

static int parse_parameters(struct parser *parser, struct upm_signature *signature)
{
	char lengths[UPM_TRACE_ARGUMENTS][UPM_NAME_SIZE] = {{0}};
	int status = UPM_OK;

	skip_blanks(parser);
	while (parser->end > parser->at && isspace((unsigned char)parser->end[-1]))
		parser->end--;
	if (parser->at == parser->end || is_void(parser))
		return UPM_OK;
	do {
		skip_blanks(parser);
		if (parser->end - parser->at == 3 && strncmp(parser->at, "...", 3) == 0)
			break;
		status = parse_parameter(parser, signature, lengths);
	} while (!status && take(parser, ','));
	return status ? status : find_lengths(parser, signature, lengths);
}

static void set_result(struct upm_signature *signature, uint8_t form, const char *type)
{
	signature->result = (struct upm_parameter){.name = "result", .form = form, .width = 8};
	snprintf(signature->result.type, UPM_TYPE_SIZE, "%s", type);
}

/* What stands before the parentheses: a type, a name, or both. */
static int parse_result(struct parser *parser, struct upm_signature *signature)
{
	struct pieces pieces = {.count = 0};
	struct upm_parameter result = {.name = "result"};
	int status = UPM_OK;

	skip_blanks(parser);
	while (!status && parser->at < parser->end) {
		status = take_piece(parser, &pieces);
		skip_blanks(parser);
	}
	if (status)
		return status;
	drop_qualifiers(&pieces);
	if (!pieces.count ||
	    (pieces.count == 1 && !pieces.stars && !upm_c_type_find(pieces.words[0])))
		return UPM_OK;
	status = understand(parser, &pieces, &result);
	if (status)
		return status;
	if (result.text.source) /* of a result, no text is read */
		make_pointer(&result);
	result.text = (struct upm_trace_text){0};
	memcpy(result.name, "result", sizeof("result"));
	signature->result = result;
	return UPM_OK;
}

int upm_signature_parse(const char *text, struct upm_signature *signature)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	struct parser result = {.text = text, .at = text, .end = open};
	struct parser parameters = {.text = text, .at = open ? open + 1 : text, .end = close};
	int status;

	memset(signature, 0, sizeof(*signature));
	set_result(signature, UPM_FORM_SIGNED, "long");
	if (!open || !close || close < open || close[1 + strspn(close + 1, " \t;")] != '\0')
		return bad(&parameters, NULL, "its parameters do not stand in parentheses", NULL);
	status = parse_result(&result, signature);
	return status ? status : parse_parameters(&parameters, signature);
}

void upm_signature_default(struct upm_signature *signature)
{
	memset(signature, 0, sizeof(*signature));
	set_result(signature, UPM_FORM_SIGNED, "long");
	signature->count = DEFAULT_ARGUMENTS;
	for (uint32_t i = 0; i < DEFAULT_ARGUMENTS; i++) {
		struct upm_parameter *parameter = &signature->parameters[i];

		make_pointer(parameter);
		snprintf(parameter->name, sizeof(parameter->name), "arg%u", i);
		strcpy(parameter->type, "unsigned long");
	}
}

// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "event_value.h"

#include <ctype.h>
#include <string.h>

#include "text.h"

/* Without a type, numbers from here on are shown as addresses. A result may also be a large number.
 */
#define ARGUMENT_LIMIT (1ll << 16)
#define RESULT_LIMIT (1ll << 32)

struct cli_event_value cli_event_argument(const struct upm_event *event, uint32_t index,
					  const struct upm_event_argument *type, const char *text)
{
	return (struct cli_event_value){
		.type = type,
		.value = event->arguments[index],
		.text = text,
		.unreadable = event->unreadable >> index & 1,
		.truncated = event->truncated >> index & 1,
	};
}

struct cli_event_value cli_event_result(const struct upm_event *event,
					const struct upm_event_argument *type)
{
	return (struct cli_event_value){
		.type = type,
		.value = event->result,
		.is_result = true,
	};
}

static bool is_text(const struct cli_event_value *value)
{
	return value->type->form == UPM_FORM_STRING || value->type->form == UPM_FORM_BYTES;
}

static bool is_unreadable(const struct cli_event_value *value)
{
	return value->unreadable || value->type->form == UPM_FORM_UNREADABLE;
}

static const char *bytes_of(const struct cli_event_value *value, size_t *length)
{
	*length = value->value >> 32;
	return value->text + (uint32_t)value->value;
}

static void print_text(FILE *out, const struct cli_event_value *value)
{
	size_t length;
	const char *bytes = bytes_of(value, &length);

	cli_text_quote(out, bytes, length, '"');
	if (value->truncated)
		fputs("...", out);
}

/* What a register holds is not known without a signature: small numbers look like numbers. */
static void print_guess(FILE *out, uint64_t value, int64_t limit)
{
	int64_t number = (int64_t)value;

	if (number > -limit && number < limit)
		fprintf(out, "%lld", (long long)number);
	else
		fprintf(out, "%#llx", (unsigned long long)value);
}

/* The library's way to say that no signature tells the type. */
static bool is_guess(const struct upm_event_argument *type)
{
	return type->form == UPM_FORM_POINTER && !strchr(type->type, '*');
}

static void print_scalar(FILE *out, const struct cli_event_value *value)
{
	char character = (char)value->value;

	switch (value->type->form) {
	case UPM_FORM_SIGNED:
		fprintf(out, "%lld", (long long)value->value);
		break;
	case UPM_FORM_POINTER:
		if (value->value)
			fprintf(out, "%#llx", (unsigned long long)value->value);
		else
			fputs("NULL", out);
		break;
	case UPM_FORM_CHARACTER:
		cli_text_quote(out, &character, 1, '\'');
		break;
	case UPM_FORM_BOOLEAN:
		fputs(value->value ? "true" : "false", out);
		break;
	default:
		fprintf(out, "%llu", (unsigned long long)value->value);
	}
}

bool cli_event_value_pointer(const struct cli_event_value *value, uint64_t *pointer)
{
	*pointer = value->value;
	return value->unreadable && is_text(value);
}

/* A NULL is no failure; what a floating-point register holds, the kernel does not give. */
static void print_unreadable(FILE *out, const struct cli_event_value *value)
{
	uint64_t pointer;

	if (cli_event_value_pointer(value, &pointer) && pointer)
		fprintf(out, "%#llx <unreadable>", (unsigned long long)pointer);
	else if (cli_event_value_pointer(value, &pointer))
		fputs("NULL", out);
	else if (value->type->form == UPM_FORM_UNREADABLE &&
		 isalpha((unsigned char)*value->type->type))
		fprintf(out, "<%s>", value->type->type);
	else
		fputs("<unreadable>", out);
}

void cli_event_value_print(FILE *out, const struct cli_event_value *value)
{
	if (is_unreadable(value))
		print_unreadable(out, value);
	else if (is_text(value))
		print_text(out, value);
	else if (is_guess(value->type))
		print_guess(out, value->value, ARGUMENT_LIMIT);
	else if (value->is_result && strcmp(value->type->type, "long") == 0)
		print_guess(out, value->value, RESULT_LIMIT);
	else
		print_scalar(out, value);
}

static void put_json_byte(FILE *out, unsigned char byte)
{
	if (byte == '"' || byte == '\\')
		fprintf(out, "\\%c", byte);
	else if (byte == '\n')
		fputs("\\n", out);
	else if (byte < 0x20 || byte == 0x7f)
		fprintf(out, "\\u%04x", byte);
	else
		fputc(byte, out);
}

void cli_json_put_string(FILE *out, const char *text, size_t length)
{
	fputc('"', out);
	for (size_t i = 0; i < length;) {
		size_t sequence = cli_text_utf8_sequence(text + i, length - i);

		if (sequence == 1)
			put_json_byte(out, (unsigned char)text[i]);
		else if (sequence)
			fwrite(text + i, 1, sequence, out);
		else
			fprintf(out, "\\\\x%02x", (unsigned char)text[i]);
		i += sequence ? sequence : 1;
	}
	fputc('"', out);
}

/* Every byte can be told from this, whatever it is: as C has it, in ASCII. */
static void put_json_bytes(FILE *out, const char *bytes, size_t length)
{
	fputc('"', out);
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		if (byte == '\\')
			fputs("\\\\\\\\", out);
		else if (byte < 0x20 || byte > 0x7e)
			fprintf(out, "\\\\x%02x", byte);
		else
			put_json_byte(out, byte);
	}
	fputc('"', out);
}

void cli_event_value_json(FILE *out, const struct cli_event_value *value)
{
	char character = (char)value->value;
	size_t length;
	const char *bytes;

	if (is_unreadable(value)) {
		fputs("null", out);
	} else if (is_text(value)) {
		bytes = bytes_of(value, &length);
		if (value->type->form == UPM_FORM_STRING)
			cli_json_put_string(out, bytes, length);
		else
			put_json_bytes(out, bytes, length);
	} else if (value->type->form == UPM_FORM_SIGNED) {
		fprintf(out, "%lld", (long long)value->value);
	} else if (value->type->form == UPM_FORM_BOOLEAN) {
		fputs(value->value ? "true" : "false", out);
	} else if (value->type->form == UPM_FORM_CHARACTER) {
		cli_json_put_string(out, &character, 1);
	} else {
		fprintf(out, "%llu", (unsigned long long)value->value);
	}
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "trace/lists.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/intern.h"
#include "resolve/probe_name.h"
#include "trace/condition.h"
#include "trace/convention.h"
#include "uprobe_multi.h"
#include "usdt/reading.h"
#include "usdt/thread_pointer.h"

static const char operation[] = "trace probes";

/* What is worked out of one probe. Both are compared as bytes. */
struct item {
	struct upm_trace_list list;
	struct upm_signature signature;
};

struct builder {
	struct upm_trace_lists *lists;
	const struct upm_probe_table *table;
	const struct upm_trace_options *trace;
	struct upm_intern items;

	/* The function worked out last: the next one is mostly read alike. */
	const char *last_text;
	uint32_t last_list;
	uint16_t last_machine;
	uint8_t last_kind;
	bool has_last;
};

static const char *signature_text(const struct builder *builder, size_t probe)
{
	const char *own = builder->trace->probe_argument_count
				  ? builder->trace->probe_arguments[probe]
				  : NULL;

	return own ? own : builder->trace->arguments;
}

static void describe_site(const struct upm_usdt_argument *argument, uint32_t number,
			  struct upm_parameter *parameter)
{
	snprintf(parameter->name, sizeof(parameter->name), "arg%u", number);
	parameter->width = argument->size;
	if (argument->place == UPM_USDT_NOWHERE || argument->is_float)
		parameter->form = UPM_FORM_UNREADABLE;
	else
		parameter->form = argument->is_signed ? UPM_FORM_SIGNED : UPM_FORM_UNSIGNED;
	snprintf(parameter->type, sizeof(parameter->type), "%s%u_t",
		 argument->is_signed ? "int" : "uint", 8u * argument->size);
}

/* The note knows where the values are and how wide; a signature adds names and what they mean. */
static int name_site(const struct upm_signature *given, const struct upm_usdt_argument *arguments,
		     size_t count, const char *text, struct upm_signature *signature)
{
	if (given->count > count)
		return upm_fail(UPM_ERR_SPEC, 0, operation, text,
				"leave the last ones out of the signature",
				"it has %u parameters, but a call site has %zu arguments",
				given->count, count);
	for (uint32_t i = 0; i < given->count; i++) {
		struct upm_parameter *parameter = &signature->parameters[i];
		bool readable = parameter->form != UPM_FORM_UNREADABLE;
		bool pointer = given->parameters[i].width == 8 && arguments[i].size < 8;

		*parameter = given->parameters[i];
		parameter->width = arguments[i].size;
		if (readable && !(pointer && parameter->text.source))
			continue;
		parameter->form = UPM_FORM_UNREADABLE;
		parameter->text = (struct upm_trace_text){0};
	}
	return UPM_OK;
}

static int work_out_site(const struct builder *builder, const struct upm_probe_entry *probe,
			 struct upm_usdt_position *position, const char *text, struct item *item)
{
	struct upm_usdt_argument arguments[UPM_USDT_ARGUMENTS_MAX];
	size_t count = upm_probe_table_arguments(builder->table, probe, arguments);
	struct upm_signature given;
	int status;

	item->signature.count = item->list.arguments.count = (uint32_t)count;
	for (uint32_t i = 0; i < count; i++) {
		if (arguments[i].place == UPM_USDT_FS)
			position->thread = upm_thread_pointer_offset();
		item->list.arguments.arguments[i] = upm_usdt_reading(&arguments[i], position);
		describe_site(&arguments[i], i, &item->signature.parameters[i]);
	}
	item->signature.result.form = UPM_FORM_NONE;
	if (!text)
		return UPM_OK;
	status = upm_signature_parse(text, &given);
	return status ? status : name_site(&given, arguments, count, text, &item->signature);
}

static int work_out_function(const struct upm_probe_entry *probe,
			     const struct upm_usdt_position *position, const char *text,
			     struct item *item)
{
	int status = UPM_OK;

	if (text)
		status = upm_signature_parse(text, &item->signature);
	else
		upm_signature_default(&item->signature);
	if (probe->kind == UPM_KIND_URETPROBE) /* registers have other values by then */
		item->signature.count = 0;
	if (!status)
		upm_convention_apply(position, &item->signature, &item->list);
	return status;
}

static uint32_t event_of(const struct builder *builder, const struct upm_probe_entry *probe)
{
	if (probe->kind == UPM_KIND_USDT)
		return UPM_EVENT_USDT;
	if (probe->kind == UPM_KIND_URETPROBE)
		return UPM_EVENT_RETURN;
	return builder->trace->flags & UPM_TRACE_RETURNS ? UPM_EVENT_CALL : UPM_EVENT_ENTRY;
}

static void list_texts(struct item *item)
{
	for (uint32_t i = 0; i < item->signature.count; i++) {
		item->list.texts[i] = item->signature.parameters[i].text;
		item->list.text_count += item->list.texts[i].source != UPM_TEXT_NONE;
	}
}

/* The same filter can fit one probe and not the next: say which. */
static int name_probe(const struct builder *builder, const struct upm_probe_entry *probe)
{
	const struct upm_error *error = upm_error_last();
	char message[256], hint[128];

	snprintf(message, sizeof(message), "%s", error->message);
	snprintf(hint, sizeof(hint), "%s", error->hint);
	return upm_fail(UPM_ERR_SPEC, 0, "read the filter", builder->trace->filter, hint,
			"%s, for %s", message, upm_probe_symbol(builder->table, probe));
}

static int parse_filter(const struct builder *builder, const struct upm_probe_entry *probe,
			struct item *item)
{
	int status = upm_conditions_parse(builder->trace->filter, &item->signature,
					  event_of(builder, probe), item->list.conditions,
					  &item->list.condition_count);

	return status == UPM_ERR_SPEC ? name_probe(builder, probe) : status;
}

static int work_out(const struct builder *builder, size_t index, struct item *item)
{
	const struct upm_probe_entry *probe = &builder->table->probes.items[index];
	const struct upm_binary *binary = upm_probe_binary(builder->table, probe);
	struct upm_usdt_position position = upm_usdt_position_of(binary, probe->offset);
	const char *text = signature_text(builder, index);
	int status = probe->kind == UPM_KIND_USDT
			     ? work_out_site(builder, probe, &position, text, item)
			     : work_out_function(probe, &position, text, item);

	if (!status && builder->trace->filter)
		status = parse_filter(builder, probe, item);
	list_texts(item);
	return status;
}

/* ---- all probes */

static bool is_traceable(const struct builder *builder, const struct upm_probe_entry *probe)
{
	return probe->verdict == UPM_VERDICT_OK && upm_probe_binary(builder->table, probe) != NULL;
}

static uint16_t machine_of(const struct builder *builder, const struct upm_probe_entry *probe)
{
	return upm_probe_binary(builder->table, probe)->machine;
}

static bool is_like_last(const struct builder *builder, size_t index)
{
	const struct upm_probe_entry *probe = &builder->table->probes.items[index];

	return builder->has_last && is_traceable(builder, probe) &&
	       builder->last_kind == probe->kind && probe->kind != UPM_KIND_USDT &&
	       builder->last_text == signature_text(builder, index) &&
	       builder->last_machine == machine_of(builder, probe);
}

static void remember(struct builder *builder, size_t index, uint32_t list)
{
	const struct upm_probe_entry *probe = &builder->table->probes.items[index];

	builder->has_last = true;
	builder->last_kind = probe->kind;
	builder->last_text = signature_text(builder, index);
	builder->last_machine = machine_of(builder, probe);
	builder->last_list = list;
}

/* Probes that can not be attached share the first list: they have no events. */
static int add_probe(struct builder *builder, size_t index)
{
	const struct upm_probe_entry *probe = &builder->table->probes.items[index];
	struct upm_trace_probe *traced = &builder->lists->probes[index];
	struct item item;
	int status = UPM_OK;

	traced->event = event_of(builder, probe);
	if (is_like_last(builder, index)) {
		traced->list = builder->last_list;
		return UPM_OK;
	}
	memset(&item, 0, sizeof(item));
	if (is_traceable(builder, probe))
		status = work_out(builder, index, &item);
	if (!status && !upm_intern_add(&builder->items, &item, &traced->list))
		status = upm_fail_memory(operation);
	if (!status && is_traceable(builder, probe))
		remember(builder, index, traced->list);
	return status;
}

static int take_items(struct builder *builder)
{
	struct upm_trace_lists *lists = builder->lists;

	for (size_t i = 0; i < builder->items.count; i++) {
		const struct item *item = upm_intern_item(&builder->items, i);

		if (!upm_vector_push(&lists->lists, item->list) ||
		    !upm_vector_push(&lists->signatures, item->signature))
			return upm_fail_memory(operation);
		if (item->list.text_count > lists->most_texts)
			lists->most_texts = item->list.text_count;
	}
	return UPM_OK;
}

int upm_trace_lists_open(struct upm_trace_lists *lists, const struct upm_probe_table *table,
			 const struct upm_trace_options *trace)
{
	struct builder builder = {.lists = lists, .table = table, .trace = trace};
	size_t count = table->probes.count;
	int status = UPM_OK;

	memset(lists, 0, sizeof(*lists));
	if (trace->probe_argument_count && trace->probe_argument_count != count)
		return upm_fail(UPM_ERR_INVALID, 0, operation, "probe_arguments",
				"give one signature, or NULL, for each probe of the set",
				"%zu signatures for %zu probes", trace->probe_argument_count,
				count);
	lists->probe_count = count;
	lists->probes = calloc(count + 1, sizeof(*lists->probes));
	if (!lists->probes)
		return upm_fail_memory(operation);
	upm_intern_open(&builder.items, sizeof(struct item));
	for (size_t i = 0; i < count && !status; i++)
		status = add_probe(&builder, i);
	if (!status)
		status = take_items(&builder);
	upm_intern_close(&builder.items);
	return status;
}

const struct upm_signature *upm_trace_lists_signature(const struct upm_trace_lists *lists,
						      size_t probe)
{
	return &lists->signatures.items[lists->probes[probe].list];
}

void upm_trace_lists_store(const struct upm_trace_lists *lists, struct upm_bytes *bytes)
{
	upm_bytes_put_number(bytes, lists->signatures.count);
	upm_bytes_put_number(bytes, sizeof(*lists->signatures.items));
	upm_bytes_put(bytes, lists->signatures.items,
		      lists->signatures.count * sizeof(*lists->signatures.items));
	upm_bytes_put_number(bytes, lists->probe_count);
	upm_bytes_put(bytes, lists->probes, lists->probe_count * sizeof(*lists->probes));
}

static int fail_bytes(void)
{
	return upm_fail(UPM_ERR_FORMAT, 0, "open a pinned trace", NULL,
			"open it with the library that made it",
			"what it says about arguments is damaged");
}

static bool is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static bool is_signature(const struct upm_signature *signature)
{
	if (signature->count > UPM_TRACE_ARGUMENTS ||
	    !is_text(signature->result.name, UPM_NAME_SIZE) ||
	    !is_text(signature->result.type, UPM_TYPE_SIZE))
		return false;
	for (uint32_t i = 0; i < signature->count; i++)
		if (!is_text(signature->parameters[i].name, UPM_NAME_SIZE) ||
		    !is_text(signature->parameters[i].type, UPM_TYPE_SIZE))
			return false;
	return true;
}

static int restore_signatures(struct upm_trace_lists *lists, struct upm_bytes_reader *reader)
{
	uint64_t count = upm_bytes_take_number(reader);
	uint64_t size = upm_bytes_take_number(reader);

	if (size != sizeof(struct upm_signature))
		return fail_bytes();
	for (uint64_t i = 0; i < count; i++) {
		const void *taken = upm_bytes_take(reader, sizeof(struct upm_signature));
		struct upm_signature signature;

		if (!taken)
			return fail_bytes();
		memcpy(&signature, taken, sizeof(signature));
		if (!is_signature(&signature))
			return fail_bytes();
		if (!upm_vector_push(&lists->signatures, signature))
			return upm_fail_memory(operation);
	}
	return UPM_OK;
}

int upm_trace_lists_restore(struct upm_trace_lists *lists, struct upm_bytes_reader *reader)
{
	int status = restore_signatures(lists, reader);
	uint64_t count = upm_bytes_take_number(reader);
	const void *taken;

	if (status)
		return status;
	if (count > SIZE_MAX / sizeof(*lists->probes))
		return fail_bytes();
	taken = upm_bytes_take(reader, count * sizeof(*lists->probes));
	if (!taken)
		return fail_bytes();
	lists->probe_count = count;
	lists->probes = malloc((count + 1) * sizeof(*lists->probes));
	if (!lists->probes)
		return upm_fail_memory(operation);
	memcpy(lists->probes, taken, count * sizeof(*lists->probes));
	for (size_t i = 0; i < count; i++)
		if (lists->probes[i].list >= lists->signatures.count)
			return fail_bytes();
	return UPM_OK;
}

void upm_trace_lists_close(struct upm_trace_lists *lists)
{
	upm_vector_clear(&lists->lists);
	upm_vector_clear(&lists->signatures);
	free(lists->probes);
	lists->probes = NULL;
}

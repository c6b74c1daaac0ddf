/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "events.h"

#include <stdbool.h>

static const char *const kinds[] = {
	[UPM_EVENT_ENTRY] = "entry",
	[UPM_EVENT_RETURN] = "return",
	[UPM_EVENT_USDT] = "usdt",
	[UPM_EVENT_CALL] = "call",
};

/* The low half of a place in the text area is the offset, the high half the length. */
static void push_area(lua_State *L, const char *text, uint64_t place)
{
	lua_pushlstring(L, text + (uint32_t)place, place >> 32);
}

static void push_value(lua_State *L, uint64_t value, uint32_t form, const char *text)
{
	char character = (char)value;

	switch (form) {
	case UPM_FORM_STRING:
	case UPM_FORM_BYTES:
		push_area(L, text, value);
		break;
	case UPM_FORM_SIGNED:
		upml_push_int64(L, (int64_t)value);
		break;
	case UPM_FORM_CHARACTER:
		lua_pushlstring(L, &character, 1);
		break;
	case UPM_FORM_BOOLEAN:
		lua_pushboolean(L, value != 0);
		break;
	case UPM_FORM_UNREADABLE:
	case UPM_FORM_NONE:
		lua_pushnil(L);
		break;
	default:
		upml_push_uint64(L, value);
	}
}

/* Push known[probe + 1], the signature. */
static void push_signature(lua_State *L, uint32_t probe, int known)
{
	lua_pushinteger(L, (lua_Integer)probe + 1);
	lua_gettable(L, known);
	if (!lua_istable(L, -1))
		upml_invalid(L, "known", "it has no signature of probe %u", probe + 1);
}

/* The forms of a probe's values: of its result, then of its arguments, a byte each. The string is
 * the signature's, which the caller keeps on the stack. */
struct forms {
	const char *bytes;
	size_t count;
};

static struct forms forms_of(lua_State *L, int signature)
{
	struct forms forms;

	lua_getfield(L, signature, "forms");
	forms.bytes = lua_tolstring(L, -1, &forms.count);
	if (!forms.bytes || forms.count < 1)
		upml_invalid(L, "known", "a signature has no forms");
	lua_pop(L, 1);
	return forms;
}

static void push_argument(lua_State *L, const struct upm_event *event, const char *text,
			  uint32_t argument, const struct forms *forms)
{
	bool is_known = argument < event->argument_count && argument + 1 < forms->count;

	if (is_known && !(event->unreadable >> argument & 1))
		push_value(L, event->arguments[argument], (uint8_t)forms->bytes[argument + 1],
			   text);
	else
		lua_pushnil(L);
}

static void set_uint64(lua_State *L, const char *name, uint64_t value)
{
	upml_push_uint64(L, value);
	lua_setfield(L, -2, name);
}

static void set_stack(lua_State *L, const struct upm_event *event, const char *text)
{
	uint64_t address;

	lua_createtable(L, (int)event->stack_count, 0);
	for (uint32_t i = 0; i < event->stack_count; i++) {
		memcpy(&address, text + event->stack_offset + 8 * i, sizeof(address));
		upml_push_uint64(L, address);
		lua_rawseti(L, -2, (int)i + 1);
	}
	lua_setfield(L, -2, "stack");
}

/* What every event has. */
static void set_common(lua_State *L, const struct upm_event *event)
{
	set_uint64(L, "time_ns", event->time_ns);
	set_uint64(L, "duration_ns", event->duration_ns);
	set_uint64(L, "pid", event->pid);
	set_uint64(L, "tid", event->tid);
	set_uint64(L, "cpu", event->cpu);
	set_uint64(L, "truncated", event->truncated);
	lua_pushlstring(L, event->comm, strnlen(event->comm, sizeof(event->comm)));
	lua_setfield(L, -2, "comm");
	lua_pushstring(L, event->kind <= UPM_EVENT_CALL ? kinds[event->kind] : "?");
	lua_setfield(L, -2, "kind");
}

int upml_event(lua_State *L, const struct upm_event *event, const char *text, int known)
{
	struct forms forms;
	int signature, at;

	luaL_checkstack(L, 16, "an event");
	push_signature(L, event->probe, known);
	signature = lua_gettop(L);
	forms = forms_of(L, signature);
	lua_createtable(L, event->argument_count, 12);
	at = lua_gettop(L);
	for (uint32_t i = 0; i < event->argument_count && i < UPM_EVENT_ARGUMENTS; i++) {
		push_argument(L, event, text, i, &forms);
		lua_rawseti(L, at, (int)i + 1);
	}
	set_common(L, event);
	if (event->stack_count)
		set_stack(L, event, text);
	if (event->kind == UPM_EVENT_RETURN || event->kind == UPM_EVENT_CALL) {
		push_value(L, event->result, (uint8_t)forms.bytes[0], text);
		lua_setfield(L, at, "result");
	}
	lua_pushvalue(L, signature);
	lua_setfield(L, at, "signature");
	lua_getfield(L, signature, "probe");
	lua_setfield(L, at, "probe");
	lua_getfield(L, known, "type");
	lua_setmetatable(L, at);
	lua_replace(L, signature);
	return 1;
}

int upml_next_event(lua_State *L, struct upm_observer *observer, int known)
{
	struct upm_event event;
	const char *text;
	int32_t status = upm_trace_next(observer, &event, &text, 0);

	if (status == UPM_ERR_NOT_FOUND) {
		lua_pushnil(L);
		return 1;
	}
	upml_check(L, status);
	return upml_event(L, &event, text, known);
}

static const struct upm_event *event_of(const struct upm_batch *batch, size_t index)
{
	return (const void *)((const char *)upm_batch_events(batch) +
			      index * upm_batch_event_size());
}

int upml_learn(lua_State *L, const struct upm_batch *batch, int known)
{
	size_t count = upm_batch_size(batch);

	for (size_t i = 0; i < count; i++) {
		if (i > 0 && event_of(batch, i)->probe == event_of(batch, i - 1)->probe)
			continue;
		push_signature(L, event_of(batch, i)->probe, known);
		lua_pop(L, 1);
	}
	return 0;
}

int upml_events(lua_State *L, const struct upm_batch *batch, int known)
{
	size_t count = upm_batch_size(batch);
	const char *text = upm_batch_text(batch);

	luaL_checkstack(L, 4, "events");
	lua_createtable(L, (int)count, 0);
	for (size_t i = 0; i < count; i++) {
		upml_event(L, event_of(batch, i), text, known);
		lua_rawseti(L, -2, (int)i + 1);
	}
	return 1;
}

void upml_push_events(lua_State *L, const struct upm_batch *batch,
		      void (*push)(lua_State *L, const struct upm_event *event))
{
	size_t count = upm_batch_size(batch);

	lua_createtable(L, (int)count, 0);
	for (size_t i = 0; i < count; i++) {
		push(L, event_of(batch, i));
		lua_rawseti(L, -2, (int)i + 1);
	}
}

#define COLUMN(name)                                                                               \
	{                                                                                          \
#name, offsetof(struct upm_event, name), sizeof(((struct upm_event *)0)->name)     \
	}

static const struct column {
	const char *name;
	size_t offset;
	size_t size;
} columns[] = {COLUMN(time_ns),	  COLUMN(duration_ns), COLUMN(result), COLUMN(pid),
	       COLUMN(tid),	  COLUMN(cpu),	       COLUMN(probe),  COLUMN(kind),
	       COLUMN(truncated), COLUMN(comm)};

static const struct column *find_column(lua_State *L, const char *field)
{
	for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++) {
		if (field && strcmp(columns[i].name, field) == 0)
			return &columns[i];
	}
	upml_invalid(L, field ? field : "nil", "events have no such column");
	return NULL;
}

/* Positions of probes begin at 1 here; everything else is as it is. */
static void push_cell(lua_State *L, const struct upm_event *event, const struct column *column)
{
	const char *at = (const char *)event + column->offset;
	uint64_t whole = 0;

	if (column->offset == offsetof(struct upm_event, comm)) {
		lua_pushlstring(L, at, strnlen(at, column->size));
		return;
	}
	if (column->offset == offsetof(struct upm_event, kind)) {
		lua_pushstring(L, event->kind <= UPM_EVENT_CALL ? kinds[event->kind] : "?");
		return;
	}
	if (column->size == sizeof(uint16_t))
		whole = *(const uint16_t *)at;
	else if (column->size == sizeof(uint32_t))
		whole = *(const uint32_t *)at;
	else
		whole = *(const uint64_t *)at;
	upml_push_uint64(L, whole + (column->offset == offsetof(struct upm_event, probe)));
}

int upml_column(lua_State *L, const struct upm_batch *batch, const char *field)
{
	const struct column *column = find_column(L, field);
	size_t count = upm_batch_size(batch);

	lua_createtable(L, (int)count, 0);
	for (size_t i = 0; i < count; i++) {
		push_cell(L, event_of(batch, i), column);
		lua_rawseti(L, -2, (int)i + 1);
	}
	return 1;
}

int upml_argument_column(lua_State *L, const struct upm_batch *batch, uint32_t argument, int known)
{
	size_t count = upm_batch_size(batch);
	int list;

	if (argument < 1 || argument > UPM_EVENT_ARGUMENTS)
		upml_invalid(L, "argument", "it is not from 1 to %d", UPM_EVENT_ARGUMENTS);
	luaL_checkstack(L, 8, "events");
	lua_createtable(L, (int)count, 0);
	list = lua_gettop(L);
	for (size_t i = 0; i < count; i++) {
		struct forms forms;

		push_signature(L, event_of(batch, i)->probe, known);
		forms = forms_of(L, list + 1);
		push_argument(L, event_of(batch, i), upm_batch_text(batch), argument - 1, &forms);
		if (lua_isnil(L, -1))
			lua_pushboolean(L, 0);
		lua_rawseti(L, list, (int)i + 1);
		lua_settop(L, list);
	}
	return 1;
}

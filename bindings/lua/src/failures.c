/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Errors as objects, and callbacks.
 *
 * No error may leave a callback by longjmp(), across the library. So a callback does nothing but
 * lua_pcall() of a function that is on the stack already, as are its message handler and the room
 * for an error: none of this needs memory. The error waits there until the library has undone its
 * work and the call that was given the callback raises it. Callbacks run on the state that called,
 * be it a coroutine's; they can not yield.
 */
#include "convert.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Slots of a callback, from upml_call.first on. */
enum { HANDLER, ARGUMENTS, FUNCTION, ERROR };

#define ERROR_TYPE "uprobe_multi.Error"

/* The callback whose error waits to be raised, on this thread. */
static _Thread_local struct upml_call *failed;

static const char *text_field(lua_State *L, const char *name)
{
	const char *text;

	lua_getfield(L, 1, name);
	text = lua_tostring(L, -1);
	return text ? text : "";
}

/* __tostring: one sentence. */
static int sentence(lua_State *L)
{
	const char *operation, *object, *message, *hint;

	lua_settop(L, 1);
	operation = text_field(L, "operation");
	object = text_field(L, "object");
	message = text_field(L, "message");
	hint = text_field(L, "hint");
	lua_pushfstring(L, "%s%s%s: %s%s%s%s", operation, *object ? " " : "", object, message,
			*hint ? " (" : "", hint, *hint ? ")" : "");
	return 1;
}

static void push_type(lua_State *L)
{
	if (luaL_newmetatable(L, ERROR_TYPE)) {
		lua_pushcfunction(L, sentence);
		lua_setfield(L, -2, "__tostring");
		lua_pushliteral(L, ERROR_TYPE);
		lua_setfield(L, -2, "__name");
	}
}

int upml_is_error(lua_State *L)
{
	int same;

	if (!lua_istable(L, 1) || !lua_getmetatable(L, 1)) {
		lua_pushboolean(L, 0);
		return 1;
	}
	push_type(L);
	same = lua_rawequal(L, -1, -2);
	lua_pushboolean(L, same);
	return 1;
}

static void set_text(lua_State *L, const char *name, const char *text)
{
	lua_pushstring(L, text ? text : "");
	lua_setfield(L, -2, name);
}

static void push_failure(lua_State *L, const struct upml_failure *failure)
{
	lua_createtable(L, 0, 8);
	lua_pushinteger(L, failure->code);
	lua_setfield(L, -2, "code");
	set_text(L, "name", upml_library.status_name(failure->code));
	lua_pushinteger(L, failure->sys_errno);
	lua_setfield(L, -2, "errno");
	set_text(L, "operation", failure->operation);
	set_text(L, "object", failure->object);
	set_text(L, "message", failure->message);
	set_text(L, "hint", failure->hint);
	push_type(L);
	lua_setmetatable(L, -2);
}

void upml_raise(lua_State *L, const struct upml_failure *failure)
{
	push_failure(L, failure);
	lua_error(L);
}

int upml_new_error(lua_State *L)
{
	struct upml_failure failure = {0};

	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	lua_getfield(L, 1, "code");
	failure.code = (int32_t)lua_tointeger(L, -1);
	failure.operation = text_field(L, "operation");
	failure.object = text_field(L, "object");
	failure.message = text_field(L, "message");
	failure.hint = text_field(L, "hint");
	push_failure(L, &failure);
	return 1;
}

int upml_invalid(lua_State *L, const char *what, const char *format, ...)
{
	char message[256];
	va_list values;

	va_start(values, format);
	vsnprintf(message, sizeof(message), format, values);
	va_end(values);
	upml_raise(L, &(struct upml_failure){.code = upml_library.invalid,
					     .operation = "pass a value to the library",
					     .object = what,
					     .message = message});
	return 0;
}

static int refuse(lua_State *L, const char *what, const char *message, const char *hint)
{
	upml_raise(L, &(struct upml_failure){.code = upml_library.state,
					     .operation = "use a handle",
					     .object = what,
					     .message = message,
					     .hint = hint});
	return 0;
}

int upml_closed(lua_State *L, const char *what)
{
	return refuse(L, what, "it is closed", "make a new one");
}

int upml_in_use(lua_State *L, const char *what)
{
	return refuse(L, what, "a call that has not ended yet uses it",
		      "change it when that call has ended");
}

void upml_check(lua_State *L, int32_t status)
{
	struct upml_failure failure;
	struct upml_call *call = failed;

	if (call) {
		failed = NULL;
		lua_pushvalue(L, call->first + ERROR);
		lua_error(L);
	}
	if (status >= 0)
		return;
	upml_library.last(&failure);
	failure.code = status;
	upml_raise(L, &failure);
}

/* ------------------------------------------------------------- callbacks */

/* Message handler: texts get the traceback appended, our errors as a field. */
static int add_traceback(lua_State *L)
{
	if (lua_type(L, 1) == LUA_TSTRING) {
		luaL_traceback(L, L, lua_tostring(L, 1), 1);
		return 1;
	}
	lua_settop(L, 1);
	upml_is_error(L);
	if (lua_toboolean(L, -1)) {
		lua_getfield(L, 1, "traceback");
		if (lua_isnil(L, -1)) {
			luaL_traceback(L, L, NULL, 1);
			lua_setfield(L, 1, "traceback");
		}
	}
	lua_settop(L, 1);
	return 1;
}

void *upml_function(lua_State *L, int at, const char *what, lua_CFunction arguments,
		    struct upml_call *call)
{
	if (at < 0)
		at = lua_gettop(L) + 1 + at;
	if (lua_type(L, at) != LUA_TFUNCTION)
		upml_invalid(L, what, "a function is wanted, not a %s", luaL_typename(L, at));
	luaL_checkstack(L, 16, what);
	call->L = L;
	call->first = lua_gettop(L) + 1;
	lua_pushcfunction(L, add_traceback);
	lua_pushcfunction(L, arguments);
	lua_pushvalue(L, at);
	lua_pushnil(L);
	return call;
}

int32_t upml_protected(void *context, const void *given)
{
	struct upml_call *call = context;
	lua_State *L = call->L;
	int top = lua_gettop(L);
	int32_t answer = -1;

	if (lua_checkstack(L, LUA_MINSTACK)) {
		lua_pushvalue(L, call->first + ARGUMENTS);
		lua_pushvalue(L, call->first + FUNCTION);
		lua_pushlightuserdata(L, (void *)(uintptr_t)given);
		if (lua_pcall(L, 2, 1, call->first + HANDLER) == 0) {
			answer = (int32_t)lua_tointeger(L, -1);
		} else {
			lua_replace(L, call->first + ERROR);
			failed = call;
		}
	}
	lua_settop(L, top);
	return answer;
}

int upml_call(lua_State *L, int values)
{
	lua_call(L, values, 1);
	if (lua_type(L, -1) == LUA_TNUMBER)
		lua_pushinteger(L, upml_int32(L, -1, "the answer of a callback"));
	else
		lua_pushinteger(L, lua_toboolean(L, -1));
	return 1;
}

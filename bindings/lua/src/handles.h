/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Handles: SWIG's userdata, and what SWIG does not know of: the calls that use them right now.
 *
 * While a call runs, Lua may run as well: a callback, or a finalizer, since every value that is
 * made may start the collector. Both may close a handle that the call goes on with. So all
 * functions of a module but those that free are called by upml_guarded(), which counts the calls in
 * progress on each handle. A handle that is closed meanwhile is closed for everybody at once, but
 * is freed when the last of these calls leaves, in whatever way.
 *
 * The collector, too, takes the pointer out of a handle before it frees what is there: finalizers
 * of others, which may come later, find the handle closed.
 *
 * To be included after SWIG's runtime.
 */
#ifndef UPML_HANDLES_H
#define UPML_HANDLES_H

#include "convert.h"

/* Only handles that own what they point to are so large: see upml_push_inner() for others. */
struct upml_owner {
	swig_lua_userdata handle;
	int calls;	/* in progress */
	void *leftover; /* to free when they have ended */
};

enum { UPML_MOST_HANDLES = 4 }; /* of one call */

/* Its address is a key in the metatables of handles. */
static char upml_handle_key;

/* "struct upm_link *" */
static const char *upml_named(const swig_type_info *type)
{
	return type->str ? type->str : type->name;
}

static swig_lua_class *upml_class(const swig_type_info *type)
{
	return (swig_lua_class *)type->clientdata;
}

/* A handle of any type, of this module; NULL for everything else: SWIG itself would look into the
 * userdata of others. */
static swig_lua_userdata *upml_any_handle(lua_State *L, int at)
{
	int is;

	if (lua_type(L, at) != LUA_TUSERDATA || !lua_getmetatable(L, at))
		return NULL;
	lua_pushlightuserdata(L, &upml_handle_key);
	lua_rawget(L, -2);
	is = lua_toboolean(L, -1);
	lua_pop(L, 2);
	return is ? lua_touserdata(L, at) : NULL;
}

/* What belongs to the handle that is the first argument, and keeps it. */
static void upml_push_inner(lua_State *L, const void *pointer, swig_type_info *type)
{
	SWIG_NewPointerObj(L, (void *)(uintptr_t)pointer, type, 0);
	if (!pointer)
		return;
#if LUA_VERSION_NUM >= 503
	lua_pushvalue(L, 1);
	lua_setuservalue(L, -2);
#else
	lua_createtable(L, 1, 0);
	lua_pushvalue(L, 1);
	lua_rawseti(L, -2, 1);
	lua_setfenv(L, -2);
#endif
}

/* Replace an inner handle on the top by the one that it keeps. */
static void upml_to_keeper(lua_State *L)
{
#if LUA_VERSION_NUM >= 503
	lua_getuservalue(L, -1);
#else
	lua_getfenv(L, -1);
	lua_rawgeti(L, -1, 1);
	lua_replace(L, -2);
#endif
	lua_replace(L, -2);
}

/* The handle that owns what the handle at `at` points into: mostly itself. */
static struct upml_owner *upml_owner_of(lua_State *L, int at)
{
	swig_lua_userdata *handle = upml_any_handle(L, at);

	if (!handle || handle->own)
		return (struct upml_owner *)handle;
	lua_pushvalue(L, at);
	while (handle && !handle->own) {
		upml_to_keeper(L);
		handle = upml_any_handle(L, -1);
	}
	lua_pop(L, 1);
	return (struct upml_owner *)handle;
}

/* The handle of this type, open or not; everything else raises. */
static swig_lua_userdata *upml_typed(lua_State *L, int at, const swig_type_info *type)
{
	swig_lua_userdata *handle = upml_any_handle(L, at);

	if (!handle || handle->type != type)
		upml_invalid(L, upml_named(type), "a handle is wanted, not a %s",
			     luaL_typename(L, at));
	return handle;
}

/* nil is NULL; a handle that was freed, or something else, raises. */
static void *upml_handle(lua_State *L, int at, const swig_type_info *type)
{
	const swig_lua_userdata *handle;
	const struct upml_owner *owner;

	if (lua_isnil(L, at))
		return NULL;
	handle = upml_typed(L, at, type);
	owner = upml_owner_of(L, at);
	if (!owner || !owner->handle.ptr)
		upml_closed(L, upml_named(type));
	return handle->ptr;
}

/* For a function that changes it, which has to be the only one that uses it. */
static void *upml_alone(lua_State *L, int at, const swig_type_info *type)
{
	void *pointer = upml_handle(L, at, type);

	if (pointer && upml_owner_of(L, at)->calls > 1)
		upml_in_use(L, upml_named(type));
	return pointer;
}

static void upml_destroy(const struct upml_owner *owner, void *pointer)
{
	if (pointer)
		upml_class(owner->handle.type)->destructor(pointer);
}

/* What is to be freed now that the handle is closed; NULL when calls are in progress. */
static void *upml_taken(struct upml_owner *owner)
{
	void *pointer = owner->handle.ptr;

	owner->handle.ptr = NULL;
	if (!pointer || !owner->calls)
		return pointer;
	owner->leftover = pointer;
	return NULL;
}

/* Take what a handle owns, so that nobody frees it twice. */
static void *upml_freed(lua_State *L, int at, const swig_type_info *type)
{
	swig_lua_userdata *handle;

	if (lua_isnil(L, at))
		return NULL;
	handle = upml_typed(L, at, type);
	if (!handle->own)
		upml_invalid(L, upml_named(type), "it belongs to another handle");
	return upml_taken((struct upml_owner *)handle);
}

/* __gc. A call is in progress only where the state ends inside of one: nothing is freed then. */
static int upml_collect(lua_State *L)
{
	swig_lua_userdata *handle = upml_any_handle(L, 1);

	if (handle && handle->own)
		upml_destroy((struct upml_owner *)handle, upml_taken((struct upml_owner *)handle));
	return 0;
}

/* A handle that is there before C stores something in it: nothing is lost when memory is short. */
static void **upml_new_handle(lua_State *L, swig_type_info *type)
{
	struct upml_owner *owner = lua_newuserdata(L, sizeof(*owner));

	*owner = (struct upml_owner){.handle = {.type = type, .own = 1}};
	SWIG_Lua_AddMetatable(L, type);
	return &owner->handle.ptr;
}

/* The owners behind the arguments, each once. */
static int upml_owners(lua_State *L, struct upml_owner **owners)
{
	int count = 0;

	for (int at = 1; at <= lua_gettop(L) && count < UPML_MOST_HANDLES; at++) {
		struct upml_owner *owner = upml_owner_of(L, at);

		for (int i = 0; owner && i < count; i++) {
			if (owners[i] == owner)
				owner = NULL;
		}
		if (owner)
			owners[count++] = owner;
	}
	return count;
}

static void upml_left(struct upml_owner *owner)
{
	void *pointer = owner->leftover;

	if (--owner->calls)
		return;
	owner->leftover = NULL;
	upml_destroy(owner, pointer);
}

/* Call the function that is the upvalue. The arguments stay on the stack, and so alive. */
static int upml_guarded(lua_State *L)
{
	struct upml_owner *owners[UPML_MOST_HANDLES];
	int arguments = lua_gettop(L), count, failed;

	luaL_checkstack(L, arguments + LUA_MINSTACK, "a call");
	count = upml_owners(L, owners);
	if (!count)
		return lua_tocfunction(L, lua_upvalueindex(1))(L);
	for (int i = 0; i < count; i++)
		owners[i]->calls++;
	lua_pushvalue(L, lua_upvalueindex(1));
	for (int at = 1; at <= arguments; at++)
		lua_pushvalue(L, at);
	failed = lua_pcall(L, arguments, LUA_MULTRET, 0);
	for (int i = 0; i < count; i++)
		upml_left(owners[i]);
	if (failed)
		return lua_error(L);
	return lua_gettop(L) - arguments;
}

/* hold(handle, function): what the function gives; what the handle owns stays there meanwhile. */
static int upml_hold(lua_State *L)
{
	luaL_checktype(L, 2, LUA_TFUNCTION);
	lua_settop(L, 2);
	lua_call(L, 0, LUA_MULTRET);
	return lua_gettop(L) - 1;
}

/* is_open(handle): neither freed nor collected. */
static int upml_is_open(lua_State *L)
{
	const struct upml_owner *owner = upml_owner_of(L, 1);

	lua_pushboolean(L, owner && owner->handle.ptr);
	return 1;
}

static void upml_begin_class(lua_State *L, const swig_lua_class *class)
{
	SWIG_Lua_get_class_metatable(L, class->fqname);
	lua_pushcfunction(L, upml_collect);
	lua_setfield(L, -2, "__gc");
	lua_pushlightuserdata(L, &upml_handle_key);
	lua_pushboolean(L, 1);
	lua_rawset(L, -3);
	lua_pop(L, 1);
}

/* With the key and the value of a module's field on the top. */
static int upml_is_to_guard(lua_State *L)
{
	static const char ending[] = "_free";
	size_t length;
	const char *name;

	if (lua_type(L, -2) != LUA_TSTRING || !lua_iscfunction(L, -1))
		return 0;
	name = lua_tolstring(L, -2, &length);
	return length < strlen(ending) || strcmp(name + length - strlen(ending), ending) != 0;
}

/* When SWIG has made the module, which is on the top. */
static void upml_begin_handles(lua_State *L, swig_type_info *const *types)
{
	for (; *types; types++) {
		if ((*types)->clientdata)
			upml_begin_class(L, upml_class(*types));
	}
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		if (!upml_is_to_guard(L))
			continue;
		lua_pushvalue(L, -2);
		lua_pushvalue(L, -2);
		lua_pushcclosure(L, upml_guarded, 1);
		lua_rawset(L, -5);
	}
}

#endif

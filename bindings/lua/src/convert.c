/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "convert.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define EXACT (INT64_C(1) << 53) /* numbers up to here are exact as doubles */

#if LUA_VERSION_NUM >= 503
#define HAS_INTEGERS 1
#else
#define HAS_INTEGERS 0
#define LUA_TCDATA 10
#define lua_rawlen lua_objlen
#endif

/* Their addresses are keys of the registry: constructors of 64-bit cdata, and ffi.istype. */
static char int64_key, uint64_key, istype_key;

static void keep(lua_State *L, void *key)
{
	lua_pushlightuserdata(L, key);
	lua_insert(L, -2);
	lua_rawset(L, LUA_REGISTRYINDEX);
}

static void kept(lua_State *L, void *key)
{
	lua_pushlightuserdata(L, key);
	lua_rawget(L, LUA_REGISTRYINDEX);
}

static void keep_type(lua_State *L, int ffi, const char *name, void *key)
{
	lua_getfield(L, ffi, "typeof");
	lua_pushstring(L, name);
	lua_call(L, 1, 1);
	keep(L, key);
}

/* LuaJIT: what makes and recognises 64-bit integers. */
static void begin_cdata(lua_State *L)
{
	int ffi;

	lua_getglobal(L, "require");
	lua_pushliteral(L, "ffi");
	lua_call(L, 1, 1);
	ffi = lua_gettop(L);
	keep_type(L, ffi, "int64_t", &int64_key);
	keep_type(L, ffi, "uint64_t", &uint64_key);
	lua_getfield(L, ffi, "istype");
	keep(L, &istype_key);
	lua_pop(L, 1);
}

/* ---------------------------------------------------------------- to Lua */

/* A new cdata of the type that is kept there. */
static void push_cdata(lua_State *L, void *type, uint64_t bits)
{
	kept(L, type);
	lua_call(L, 0, 1);
	*(uint64_t *)(uintptr_t)lua_topointer(L, -1) = bits;
}

void upml_push_int64(lua_State *L, int64_t value)
{
	if (HAS_INTEGERS)
		lua_pushinteger(L, (lua_Integer)value);
	else if (value >= -EXACT && value <= EXACT)
		lua_pushnumber(L, (lua_Number)value);
	else
		push_cdata(L, &int64_key, (uint64_t)value);
}

void upml_push_uint64(lua_State *L, uint64_t value)
{
	if (HAS_INTEGERS)
		lua_pushinteger(L, (lua_Integer)value);
	else if (value <= EXACT)
		lua_pushnumber(L, (lua_Number)value);
	else
		push_cdata(L, &uint64_key, value);
}

void upml_push_int32(lua_State *L, int32_t value)
{
	lua_pushinteger(L, value);
}

void upml_push_text(lua_State *L, const char *text)
{
	if (text)
		lua_pushstring(L, text);
	else
		lua_pushnil(L);
}

#define PUSH_ARRAY(name, type, push)                                                               \
	void name(lua_State *L, const type *values, size_t count)                                  \
	{                                                                                          \
		if (!values) {                                                                     \
			lua_pushnil(L);                                                            \
			return;                                                                    \
		}                                                                                  \
		lua_createtable(L, (int)count, 0);                                                 \
		for (size_t i = 0; i < count; i++) {                                               \
			push(L, values[i]);                                                        \
			lua_rawseti(L, -2, (int)i + 1);                                            \
		}                                                                                  \
	}
PUSH_ARRAY(upml_push_int32s, int32_t, upml_push_int32)
PUSH_ARRAY(upml_push_uint64s, uint64_t, upml_push_uint64)
PUSH_ARRAY(upml_push_texts, char *const, upml_push_text)

int upml_push_layout(lua_State *L, const struct upml_place *places)
{
	int count = 0;

	lua_newtable(L);
	for (; places->structure; places++) {
		if (places->field)
			lua_pushfstring(L, "%s %s at %d of %d", places->structure, places->field,
					(int)places->offset, (int)places->size);
		else
			lua_pushfstring(L, "%s is of %d", places->structure, (int)places->size);
		lua_rawseti(L, -2, ++count);
	}
	return 1;
}

/* -------------------------------------------------------------- from Lua */

/* The digits of an integer, and nothing else. */
static bool read_decimal(const char *text, uint64_t *bits, bool *negative)
{
	char *end;

	*negative = text[0] == '-';
	if (text[*negative] < '0' || text[*negative] > '9')
		return false;
	errno = 0;
	*bits = *negative ? (uint64_t)strtoll(text, &end, 10) : strtoull(text, &end, 10);
	return !errno && !*end;
}

#if !HAS_INTEGERS
static bool is_cdata(lua_State *L, int at, void *type)
{
	bool is;

	kept(L, &istype_key);
	kept(L, type);
	lua_pushvalue(L, at);
	lua_call(L, 2, 1);
	is = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return is;
}
#endif

/* An integer of any kind: its bits, and whether they mean a negative number. */
static bool read_number(lua_State *L, int at, uint64_t *bits, bool *negative)
{
#if HAS_INTEGERS
	int is_integer;
	lua_Integer value = lua_tointegerx(L, at, &is_integer);

	*bits = (uint64_t)value;
	*negative = value < 0;
	return is_integer;
#else
	lua_Number value = lua_tonumber(L, at);

	*negative = value < 0;
	if (!(value >= -9223372036854775808.0 && value < 18446744073709551616.0))
		return false;
	*bits = *negative ? (uint64_t)(int64_t)value : (uint64_t)value;
	return (*negative ? (lua_Number)(int64_t)value : (lua_Number)(uint64_t)value) == value;
#endif
}

static bool read_integer(lua_State *L, int at, uint64_t *bits, bool *negative)
{
	switch (lua_type(L, at)) {
	case LUA_TNUMBER:
		return read_number(L, at, bits, negative);
	case LUA_TSTRING:
		return read_decimal(lua_tostring(L, at), bits, negative);
#if !HAS_INTEGERS
	case LUA_TCDATA:
		if (!is_cdata(L, at, &int64_key) && !is_cdata(L, at, &uint64_key))
			return false;
		*bits = *(const uint64_t *)lua_topointer(L, at);
		*negative = is_cdata(L, at, &int64_key) && (int64_t)*bits < 0;
		return true;
#endif
	default:
		return false;
	}
}

static int absolute(lua_State *L, int at)
{
	return at < 0 ? lua_gettop(L) + 1 + at : at;
}

/* As an error shows it. */
static const char *shown(lua_State *L, int at)
{
	int type = lua_type(L, at);

	if (type == LUA_TNUMBER || type == LUA_TSTRING) {
		lua_pushvalue(L, at);
		return lua_tostring(L, -1);
	}
	return luaL_typename(L, at);
}

/* With integers, an unsigned one of 64 bits is any: its bits are meant. */
uint64_t upml_uint64(lua_State *L, int at, const char *what)
{
	uint64_t bits;
	bool negative;

	at = absolute(L, at);
	if (!read_integer(L, at, &bits, &negative))
		upml_invalid(L, what, "an integer is wanted, not %s", shown(L, at));
	if (negative && !HAS_INTEGERS)
		upml_invalid(L, what, "%s is negative", shown(L, at));
	return bits;
}

static uint64_t small(lua_State *L, int at, const char *what, uint64_t most)
{
	uint64_t value = upml_uint64(L, at, what);

	if (value > most)
		upml_invalid(L, what, "%s is not from 0 to %" PRIu64, shown(L, at), most);
	return value;
}

uint32_t upml_uint32(lua_State *L, int at, const char *what)
{
	return (uint32_t)small(L, at, what, UINT32_MAX);
}

uint16_t upml_uint16(lua_State *L, int at, const char *what)
{
	return (uint16_t)small(L, at, what, UINT16_MAX);
}

int32_t upml_int32(lua_State *L, int at, const char *what)
{
	uint64_t bits;
	bool negative;

	at = absolute(L, at);
	if (!read_integer(L, at, &bits, &negative))
		upml_invalid(L, what, "an integer is wanted, not %s", shown(L, at));
	if (negative ? (int64_t)bits < INT32_MIN : bits > INT32_MAX)
		upml_invalid(L, what, "%s has more than 32 bits", shown(L, at));
	return (int32_t)bits;
}

double upml_double(lua_State *L, int at, const char *what)
{
	if (lua_type(L, at) != LUA_TNUMBER)
		upml_invalid(L, what, "a number is wanted, not %s", shown(L, absolute(L, at)));
	return lua_tonumber(L, at);
}

const char *upml_text(lua_State *L, int at, const char *what)
{
	size_t length;
	const char *text;

	at = absolute(L, at);
	if (lua_isnoneornil(L, at))
		return NULL;
	if (lua_type(L, at) != LUA_TSTRING)
		upml_invalid(L, what, "a string is wanted, not a %s", luaL_typename(L, at));
	text = lua_tolstring(L, at, &length);
	if (strlen(text) != length)
		upml_invalid(L, what, "the string holds a NUL byte");
	return text;
}

void upml_chars(lua_State *L, int at, const char *what, char *to, size_t size)
{
	const char *text = upml_text(L, at, what);
	size_t length = text ? strlen(text) : 0;

	if (length > size)
		upml_invalid(L, what, "the string is longer than %zu bytes", size);
	if (text)
		memcpy(to, text, length);
}

/* The length of a table that stands for an array; its values are at 1 … */
static size_t length_of(lua_State *L, int at, const char *what)
{
	size_t length = lua_rawlen(L, at);

	if (lua_type(L, at) != LUA_TTABLE)
		upml_invalid(L, what, "a table is wanted, not a %s", luaL_typename(L, at));
	luaL_checkstack(L, 8, what);
	lua_getfield(L, at, "n");
	if (!lua_isnil(L, -1))
		length = small(L, -1, "n", INT32_MAX);
	lua_pop(L, 1);
	return length;
}

void upml_copy_uint64s(lua_State *L, int at, const char *what, uint64_t *to, size_t count)
{
	at = absolute(L, at);
	if (length_of(L, at, what) > count)
		upml_invalid(L, what, "it has more than %zu elements", count);
	for (size_t i = 0; i < count; i++) {
		lua_rawgeti(L, at, (int)i + 1);
		to[i] = lua_isnil(L, -1) ? 0 : upml_uint64(L, -1, what);
		lua_pop(L, 1);
	}
}

#define READ_ARRAY(name, type, read)                                                               \
	const type *name(lua_State *L, int at, const char *what, size_t *count)                    \
	{                                                                                          \
		type *values;                                                                      \
                                                                                                   \
		*count = 0;                                                                        \
		at = absolute(L, at);                                                              \
		if (lua_isnoneornil(L, at))                                                        \
			return NULL;                                                               \
		*count = length_of(L, at, what);                                                   \
		values = lua_newuserdata(L, (*count + 1) * sizeof(*values));                       \
		for (size_t i = 0; i < *count; i++) {                                              \
			lua_rawgeti(L, at, (int)i + 1);                                            \
			values[i] = read(L, -1, what);                                             \
			lua_pop(L, 1);                                                             \
		}                                                                                  \
		return values;                                                                     \
	}
READ_ARRAY(upml_int32s, int32_t, upml_int32)
READ_ARRAY(upml_uint64s, uint64_t, upml_uint64)

/* The strings are kept by a table of our own: a callback may change the caller's. */
const char *const *upml_texts(lua_State *L, int at, const char *what, size_t *count)
{
	const char **texts;
	int mine;

	*count = 0;
	at = absolute(L, at);
	if (lua_isnoneornil(L, at))
		return NULL;
	*count = length_of(L, at, what);
	lua_createtable(L, (int)*count, 0);
	mine = lua_gettop(L);
	texts = lua_newuserdata(L, (*count + 1) * sizeof(*texts));
	for (size_t i = 0; i < *count; i++) {
		lua_rawgeti(L, at, (int)i + 1);
		texts[i] = upml_text(L, -1, what);
		lua_rawseti(L, mine, (int)i + 1);
	}
	return texts;
}

void *upml_room(lua_State *L, int at, const char *what, int count_at, size_t size)
{
	uint64_t count = small(L, count_at, "count", INT32_MAX);

	if (lua_isnoneornil(L, at))
		return NULL;
	if (lua_type(L, at) != LUA_TTABLE)
		upml_invalid(L, what, "a table is wanted, not a %s", luaL_typename(L, at));
	return memset(lua_newuserdata(L, (count + 1) * size), 0, (count + 1) * size);
}

static void check_known(lua_State *L, const char *what, const char *const *known)
{
	const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;

	while (name && *known && strcmp(*known, name) != 0)
		known++;
	if (!name || !*known)
		upml_invalid(L, what, "there is no field %s", name ? name : luaL_typename(L, -2));
}

int upml_is_table(lua_State *L, int at, const char *what, const char *const *known)
{
	if (lua_isnoneornil(L, at))
		return 0;
	if (lua_type(L, at) != LUA_TTABLE)
		upml_invalid(L, what, "a table is wanted, not a %s", luaL_typename(L, at));
	luaL_checkstack(L, 80, what);
	for (lua_pushnil(L); lua_next(L, at); lua_pop(L, 1))
		check_known(L, what, known);
	return 1;
}

int upml_field(lua_State *L, int at, const char *name)
{
	lua_getfield(L, at, name);
	if (!lua_isnil(L, -1))
		return 1;
	lua_pop(L, 1);
	return 0;
}

int upml_decimal(lua_State *L)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, upml_uint64(L, 1, "decimal"));
	lua_pushstring(L, text);
	return 1;
}

void upml_begin(lua_State *L)
{
	if (!HAS_INTEGERS)
		begin_cdata(L);
}

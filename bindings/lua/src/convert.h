/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Values between C and Lua, for what the generator and SWIG write. Lua 5.3, 5.4 and LuaJIT.
 *
 * Integers keep all their 64 bits. Lua 5.3 and 5.4 have them as integers: an unsigned one from 2^63
 * on is the negative number of the same bits. LuaJIT has numbers up to 2^53, and uint64_t or
 * int64_t cdata beyond. All take decimal texts as well.
 *
 * Whatever fails is raised as an error object: a table with code, name, errno, operation, object,
 * message and hint. Everything here may raise, and so leave by longjmp(): memory that a call
 * needs is userdata on the stack, and nothing else is held.
 */
#ifndef UPML_CONVERT_H
#define UPML_CONVERT_H

#include <lauxlib.h>
#include <lua.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The failure that a library reports; texts are copied at once. */
struct upml_failure {
	int32_t code;
	int32_t sys_errno;
	const char *operation;
	const char *object;
	const char *message;
	const char *hint;
};

/* What each module tells of the library that it binds. */
struct upml_library {
	void (*last)(struct upml_failure *failure); /* the last one on this thread */
	const char *(*status_name)(int32_t status);
	int32_t invalid; /* the code for wrong arguments */
	int32_t state;	 /* for handles that are closed */
};
extern const struct upml_library upml_library;

/* A Lua function that C calls, while the call that it was given to runs. */
struct upml_call {
	lua_State *L;
	int first; /* of its slots on the stack */
};

/* Where the compiler has put a field; a whole structure without a name of a field. */
struct upml_place {
	const char *structure;
	const char *field;
	size_t offset;
	size_t size;
};

/* Once for each state, before all else. */
void upml_begin(lua_State *L);
/* Push an iterator's worth of lines about places: a table. */
int upml_push_layout(lua_State *L, const struct upml_place *places);

void upml_push_text(lua_State *L, const char *text);
void upml_push_int32(lua_State *L, int32_t value);
void upml_push_int64(lua_State *L, int64_t value);
void upml_push_uint64(lua_State *L, uint64_t value);
void upml_push_int32s(lua_State *L, const int32_t *values, size_t count);
void upml_push_uint64s(lua_State *L, const uint64_t *values, size_t count);
void upml_push_texts(lua_State *L, const char *const *texts, size_t count);
#define upml_push_uint32 upml_push_uint64
#define upml_push_uint16 upml_push_uint64
#define upml_push_size upml_push_uint64

/* `what` names the value in errors. A text may be nil, which is NULL; it is the string's own. */
const char *upml_text(lua_State *L, int at, const char *what);
int32_t upml_int32(lua_State *L, int at, const char *what);
uint32_t upml_uint32(lua_State *L, int at, const char *what);
uint16_t upml_uint16(lua_State *L, int at, const char *what);
uint64_t upml_uint64(lua_State *L, int at, const char *what);
double upml_double(lua_State *L, int at, const char *what);
#define upml_size upml_uint64
void upml_chars(lua_State *L, int at, const char *what, char *to, size_t size);
void upml_copy_uint64s(lua_State *L, int at, const char *what, uint64_t *to, size_t count);
/* Arrays out of tables, in memory that is left on the stack; nil is NULL and 0. The length is the
 * table's field n, or what # says. */
const char *const *upml_texts(lua_State *L, int at, const char *what, size_t *count);
const int32_t *upml_int32s(lua_State *L, int at, const char *what, size_t *count);
const uint64_t *upml_uint64s(lua_State *L, int at, const char *what, size_t *count);
/* Memory for an array that C fills, when at is a table; NULL for nil. */
void *upml_room(lua_State *L, int at, const char *what, int count_at, size_t size);

/* Is at a table (true) or nil? Else, and for a field that is not known, raise. */
int upml_is_table(lua_State *L, int at, const char *what, const char *const *known);
/* Push a field; false, and nothing pushed, when it is nil. */
int upml_field(lua_State *L, int at, const char *name);

/* The context for a callback that calls the function at `at`. */
void *upml_function(lua_State *L, int at, const char *what, lua_CFunction arguments,
		    struct upml_call *call);
/* Inside a callback: call `arguments`, protected; an error is kept for upml_check(). */
int32_t upml_protected(void *context, const void *given);
/* Inside `arguments`: call the function below so many values, and push its answer as a number. */
int upml_call(lua_State *L, int values);

/* Raise what a callback raised, or the failure behind a negative status. */
void upml_check(lua_State *L, int32_t status);
void upml_raise(lua_State *L, const struct upml_failure *failure);
/* Raise that an argument is wrong. */
int upml_invalid(lua_State *L, const char *what, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Raise that a handle is closed. */
int upml_closed(lua_State *L, const char *what);
/* Raise that a call that is in progress uses a handle. */
int upml_in_use(lua_State *L, const char *what);
/* error_object{...}: make one. failure_of(value) -> whether it is one. */
int upml_new_error(lua_State *L);
int upml_is_error(lua_State *L);
/* decimal(value): an integer as the digits of an unsigned one. */
int upml_decimal(lua_State *L);

#endif

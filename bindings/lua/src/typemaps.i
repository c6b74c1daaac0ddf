/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * How SWIG passes what functions.i declares. A function gives its result and then what it stores:
 *
 *     status, set = upm_resolve(specs, #specs, {pids = {1}})
 *     status, probe = upm_probe_set_get(set, 0)
 *     status = upm_observer_hits(observer, filled, upm_probe_set_size(set))   -- a table
 *
 * A negative int32_t is raised as an error object and never seen. Indexes begin at 0, as in C.
 */
%nodefaultctor;
%rename("struct_%s", %$isclass) ""; /* upm_pinned_list is a function, too */

%{
#include "handles.h"

/* The elements of the shortest array that this call was given, against its count. */
static _Thread_local size_t upml_shortest;

static inline void upml_counted(const void *array, size_t count)
{
	if (array && count < upml_shortest)
		upml_shortest = count;
}
%}

/* ---------------------------------------------------------------- numbers */

%define %upm_number(TYPE, WORD)
%typemap(in) TYPE { $1 = upml_##WORD(L, $input, "$1_name"); }
%typemap(out) TYPE { upml_push_##WORD(L, $1); SWIG_arg++; }
%enddef
%upm_number(uint16_t, uint16)
%upm_number(uint32_t, uint32)
%upm_number(uint64_t, uint64)
%upm_number(size_t, size)
%typemap(in) int32_t { $1 = upml_int32(L, $input, "$1_name"); }
%typemap(in) double { $1 = upml_double(L, $input, "$1_name"); }
%typemap(out) int32_t { upml_check(L, $1); lua_pushinteger(L, $1); SWIG_arg++; }

%typemap(in, numinputs=0) uint64_t * (uint64_t stored = 0) { $1 = &stored; }
%typemap(argout) uint64_t * { upml_push_uint64(L, *$1); SWIG_arg++; }

/* ------------------------------------------------------------------ texts */

%typemap(in) const char * { $1 = (char *)upml_text(L, $input, "$1_name"); }
%typemap(out) const char * { upml_push_text(L, $1); SWIG_arg++; }
%typemap(in, numinputs=0) const char ** (char *stored = NULL) { $1 = &stored; }
%typemap(argout) const char ** { upml_push_text(L, *$1); SWIG_arg++; }
%typemap(in, numinputs=0) const char **AREA (char *stored = NULL) { $1 = &stored; }
%typemap(argout) const char **AREA { lua_pushlightuserdata(L, *$1); SWIG_arg++; }

/* Given a length, gives what was written. */
%typemap(in) (char *buffer, size_t length) {
	$2 = upml_uint32(L, $input, "length");
	$1 = memset(lua_newuserdata(L, $2 + 1), 0, $2 + 1);
}
%typemap(argout) (char *buffer, size_t length) { lua_pushstring(L, $1); SWIG_arg++; }

/* ----------------------------------------------------------------- arrays */

%typemap(arginit) size_t count "upml_shortest = SIZE_MAX;";
%typemap(check) size_t count {
	if ($1 > upml_shortest)
		upml_invalid(L, "count", "a table has less elements");
}
%define %upm_array(TYPE, WORD)
%typemap(in) TYPE (size_t given) {
	$1 = ($1_ltype)upml_##WORD(L, $input, "$1_name", &given);
	upml_counted($1, given);
}
%typemap(argout) TYPE "" /* else SWIG takes that of the type without const */
%enddef
%upm_array(const char *const *, texts)
%upm_array(const uint64_t *, uint64s)
%upm_array(const size_t *, uint64s)

%typemap(in) uint64_t *FILLED {
	$1 = upml_room(L, $input, "$1_name", $input + 1, sizeof(*$1));
}
%typemap(argout) uint64_t *FILLED {
	size_t filled = $1 ? upml_size(L, $input + 1, "count") : 0;

	for (size_t i = 0; i < filled; i++) {
		upml_push_uint64(L, $1[i]);
		lua_rawseti(L, $input, (int)i + 1);
	}
}

/* ------------------------------------------- structures, handles, callbacks */

%define %upm_struct(NAME)
%typemap(in) const struct NAME * (struct upml_in_##NAME read) {
	$1 = upml_get_##NAME(L, $input, &read);
}
%typemap(argout) const struct NAME * ""
%typemap(out) const struct NAME * {
	if ($1)
		upml_push_##NAME(L, $1);
	else
		lua_pushnil(L);
	SWIG_arg++;
}
%typemap(in, numinputs=0) struct NAME * (struct NAME stored) {
	$1 = upml_sized(&stored, sizeof(stored));
}
%typemap(argout) struct NAME * { upml_push_##NAME(L, $1); SWIG_arg++; }
%typemap(in) struct NAME *FILLED {
	$1 = upml_room(L, $input, "$1_name", $input + 1, sizeof(*$1));
}
%typemap(argout) struct NAME *FILLED {
	size_t filled = $1 ? upml_size(L, $input + 1, "count") : 0;

	for (size_t i = 0; i < filled; i++) {
		upml_push_##NAME(L, &$1[i]);
		lua_rawseti(L, $input, (int)i + 1);
	}
}
%enddef

%{
/* Zeros, but for the size that every structure begins with; an event has its time there, which the
 * library writes over. */
static inline void *upml_sized(void *structure, size_t size)
{
	memset(structure, 0, size);
	memcpy(structure, &size, sizeof(size));
	return structure;
}
%}

%define %upm_handle(NAME, FREE)
struct NAME {};
%extend NAME {
	~NAME() { FREE($self); }
}
%typemap(in) const struct NAME * { $1 = upml_handle(L, $input, $descriptor(struct NAME *)); }
%typemap(in) struct NAME * { $1 = upml_alone(L, $input, $descriptor(struct NAME *)); }
%typemap(in) struct NAME *FREED { $1 = upml_freed(L, $input, $descriptor(struct NAME *)); }
/* Pushed when the number of arguments has been checked. */
%typemap(in, numinputs=0) struct NAME ** (int place) { $1 = NULL; }
%typemap(check) struct NAME ** {
	$1 = (struct NAME **)upml_new_handle(L, $descriptor(struct NAME *));
	place$argnum = lua_gettop(L);
}
%typemap(argout) struct NAME ** { lua_pushvalue(L, place$argnum); SWIG_arg++; }
%typemap(out) const struct NAME * {
	upml_push_inner(L, $1, $descriptor(struct NAME *));
	SWIG_arg++;
}
%enddef

%define %upm_callback(NAME)
%typemap(in) (NAME function, void *context) (struct upml_call call) {
	$1 = upml_##NAME;
	$2 = upml_function(L, $input, "$1_name", upml_call_##NAME, &call);
}
%enddef

/* Where SWIG's initialisation would put two functions of its own into the global table. */
%wrapper %{
#undef lua_pushglobaltable
#define lua_pushglobaltable lua_newtable
%}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The raw layer: all of the public header under its C names, and what Lua itself lacks. */
%module uprobe_multi_core
%include "typemaps.i"

%{
#include <uprobe_multi.h>

#include "events.h"
#include "host.h"

static void last(struct upml_failure *failure)
{
	const struct upm_error *error = upm_error_last();

	*failure = (struct upml_failure){error->code,   error->sys_errno, error->operation,
					 error->object, error->message,   error->hint};
}

const struct upml_library upml_library = {last, upm_status_name, UPM_ERR_INVALID, UPM_ERR_STATE};
%}

%init %{
	upml_begin(L);
	upml_begin_handles(L, swig_types);
%}

/* What the types do not tell: a callback of a run may use its observer; how long an array is. */
%typemap(in) struct upm_observer *observer {
	$1 = upml_handle(L, $input, $descriptor(struct upm_observer *));
}
%typemap(out) const uint64_t *upm_latency_snapshot_buckets {
	upml_push_uint64s(L, $1, UPM_LATENCY_BUCKETS);
	SWIG_arg++;
}
%typemap(out) const struct upm_event *upm_batch_events {
	upml_push_events(L, arg1, upml_push_upm_event);
	SWIG_arg++;
}
%typemap(out) const char *upm_batch_text {
	lua_pushlstring(L, $1 ? $1 : "", upm_batch_text_size(arg1));
	SWIG_arg++;
}

%include "functions.i"

/* Beyond the header. Functions of events.h say how many values they pushed. */
%typemap(in, numinputs=0) lua_State *L { $1 = L; }
%typemap(in) int known { $1 = (luaL_checktype(L, $input, LUA_TTABLE), $input); }
%typemap(in) const char *text { $1 = lua_touserdata(L, $input); }
%typemap(out) int { SWIG_arg += $1; }
%rename("%(regex:/^upml_(.*)/\\1/)s", regextarget=1) "^upml_";
int upml_learn(lua_State *L, const struct upm_batch *batch, int known);
int upml_next_event(lua_State *L, struct upm_observer *observer, int known);
int upml_events(lua_State *L, const struct upm_batch *batch, int known);
int upml_event(lua_State *L, const struct upm_event *event, const char *text, int known);
int upml_column(lua_State *L, const struct upm_batch *batch, const char *field);
int upml_argument_column(lua_State *L, const struct upm_batch *batch, uint32_t argument, int known);

%{
static int layout(lua_State *L)
{
	return upml_push_layout(L, upml_layout);
}
%}
%native(layout) int layout(lua_State *L);
%native(new_error) int upml_new_error(lua_State *L);
%native(is_error) int upml_is_error(lua_State *L);
%native(hold) int upml_hold(lua_State *L);
%native(is_open) int upml_is_open(lua_State *L);
%native(decimal) int upml_decimal(lua_State *L);
%native(wait) int upml_wait(lua_State *L);
%native(time_ns) int upml_time_ns(lua_State *L);

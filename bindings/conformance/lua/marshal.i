/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The marshalling library, bound as the public one is; see ../../lua/src/uprobe_multi_core.i. */
%module uprobe_multi_marshal
%include "typemaps.i"

%{
#include "marshal.h"

static void last(struct upml_failure *failure)
{
	const struct marshal_error *error = marshal_error_last();

	*failure = (struct upml_failure){.code = error->code, .message = error->message};
}

static const char *status_name(int32_t status)
{
	return status == MARSHAL_INVALID ? "MARSHAL_INVALID" : "MARSHAL_FAILED";
}

const struct upml_library upml_library = {last, status_name, MARSHAL_INVALID, MARSHAL_FAILED};
%}

%init %{
	upml_begin(L);
	upml_begin_handles(L, swig_types);
%}

/* Numbers, not statuses; arrays whose length only the header's text has. */
%typemap(out) int32_t marshal_int32 { lua_pushinteger(L, $1); SWIG_arg++; }
%typemap(out) const uint64_t * { upml_push_uint64s(L, $1, MARSHAL_MANY); SWIG_arg++; }
%native(decimal) int upml_decimal(lua_State *L);

%include "marshal_functions.i"

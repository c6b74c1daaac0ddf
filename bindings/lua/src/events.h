/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Events as Lua has them, made in C: tables by the hundred thousand a second.
 *
 * `known` is a place on the stack. The table there has, for each probe from 1 on (its
 * __index may find out when it is first asked), what signatures.lua makes: a table of probe and
 * forms, the forms being a string: a byte for that of the result, and one for each argument. Its
 * field `type` is the metatable of events.
 */
#ifndef UPML_EVENTS_H
#define UPML_EVENTS_H

#include <uprobe_multi.h>

#include "convert.h"

/* Each returns how many values it pushed. Let `known` find out all that a batch needs. */
int upml_learn(lua_State *L, const struct upm_batch *batch, int known);
/* An event, or nil when there is none now. */
int upml_next_event(lua_State *L, struct upm_observer *observer, int known);
/* A table of events: all of a batch. */
int upml_events(lua_State *L, const struct upm_batch *batch, int known);
/* The event that a callback got. */
int upml_event(lua_State *L, const struct upm_event *event, const char *text, int known);
/* A table of the values of one field, such as "pid", one for each event of the batch. */
int upml_column(lua_State *L, const struct upm_batch *batch, const char *field);
/* A table of the values of argument number 1 …; false where there is none or it is not readable. */
int upml_argument_column(lua_State *L, const struct upm_batch *batch, uint32_t argument, int known);

/* A table of the events as they are. */
void upml_push_events(lua_State *L, const struct upm_batch *batch,
		      void (*push)(lua_State *L, const struct upm_event *event));

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The Lua module: what an event costs a process that reads it with `for event in trace:events()`, a
 * table for each, beside the C library. Readers are processes of their own: see reader.c.
 */
#include "reader.h"

#include <errno.h>

#define ROUNDS 5
#define EVENTS 120000 /* they fit the ring of 16 MiB */

static uint64_t drain(struct caller *caller, struct reader *reader)
{
	struct reading found;

	reader_attach(reader);
	caller_run(caller, EVENTS);
	reader_begin(reader, EVENTS);
	found = reader_end(reader);
	need_errno(found.events == EVENTS ? 0 : -EIO, "read all events");
	return found.cpu_ns;
}

static void report_rate(const char *name, const struct reader *reader,
			const struct samples *samples)
{
	char what[128];

	snprintf(what, sizeof(what), "events per second of CPU: %s", reader->name);
	report_number(name, what, EVENTS * 1e9 / (double)samples_median(samples), "");
}

static void compare(struct caller *caller, struct reader *c, const char *name,
		    const char *interpreter, const char *shown)
{
	struct reader lua = {.name = shown, .interpreter = interpreter, .script = "read_each.lua"};
	struct comparison comparison = {
		.name = name,
		.what = "CPU to read 120,000 events from a full ring",
		.probes = 1,
		.base_name = c->name,
		.ours_name = shown,
	};
	char rate[64];

	if (!reader_start(&lua, caller)) {
		report_skip(name, lua.reason);
		return;
	}
	for (int round = 0; round < ROUNDS; round++) {
		samples_add(&comparison.ours, drain(caller, &lua));
		samples_add(&comparison.base, drain(caller, c));
	}
	report_comparison(&comparison);
	snprintf(rate, sizeof(rate), "%s_rate", name);
	report_rate(rate, &lua, &comparison.ours);
	snprintf(rate, sizeof(rate), "%s_rate_of_c", name);
	report_rate(rate, c, &comparison.base);
	reader_stop(&lua);
}

void bench_lua(void)
{
	struct reader c = {.name = "upm_trace_read()"};
	struct caller caller;

	caller_start(&caller);
	need_errno(reader_start(&c, &caller) ? 0 : -EIO, "start a reader");
	compare(&caller, &c, "lua_drain_luajit", "luajit", "events(), LuaJIT");
	compare(&caller, &c, "lua_drain_5_4", "lua5.4", "events(), Lua 5.4");
	reader_stop(&c);
	caller_stop(&caller);
}

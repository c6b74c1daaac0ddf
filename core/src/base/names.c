/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The words for the numbers of the public header: one table for each enum. */
#include "uprobe_multi.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static const char *name_of(const char *const *names, size_t count, int64_t number)
{
	return number >= 0 && (size_t)number < count && names[number] ? names[number] : "?";
}

const char *upm_version(void)
{
	return UPM_VERSION;
}

const char *upm_status_name(int32_t status)
{
	static const char *const names[] = {
		[-UPM_OK] = "UPM_OK",
		[-UPM_ERR_INVALID] = "UPM_ERR_INVALID",
		[-UPM_ERR_SPEC] = "UPM_ERR_SPEC",
		[-UPM_ERR_NOT_FOUND] = "UPM_ERR_NOT_FOUND",
		[-UPM_ERR_FORMAT] = "UPM_ERR_FORMAT",
		[-UPM_ERR_PERMISSION] = "UPM_ERR_PERMISSION",
		[-UPM_ERR_UNSUPPORTED] = "UPM_ERR_UNSUPPORTED",
		[-UPM_ERR_NOTHING] = "UPM_ERR_NOTHING",
		[-UPM_ERR_STRICT] = "UPM_ERR_STRICT",
		[-UPM_ERR_MEMORY] = "UPM_ERR_MEMORY",
		[-UPM_ERR_SYSTEM] = "UPM_ERR_SYSTEM",
		[-UPM_ERR_CANCELLED] = "UPM_ERR_CANCELLED",
		[-UPM_ERR_PROGRAM] = "UPM_ERR_PROGRAM",
		[-UPM_ERR_LIMIT] = "UPM_ERR_LIMIT",
		[-UPM_ERR_STATE] = "UPM_ERR_STATE",
	};

	return name_of(names, ARRAY_SIZE(names), -(int64_t)status);
}

const char *upm_observer_kind_name(uint32_t kind)
{
	static const char *const names[] = {
		[UPM_OBSERVER_COUNT] = "count",
		[UPM_OBSERVER_LATENCY] = "latency",
		[UPM_OBSERVER_TRACE] = "trace",
	};

	return name_of(names, ARRAY_SIZE(names), kind);
}

const char *upm_kind_name(uint32_t kind)
{
	static const char *const names[] = {
		[UPM_KIND_UPROBE] = "uprobe",
		[UPM_KIND_URETPROBE] = "uretprobe",
		[UPM_KIND_USDT] = "usdt",
	};

	return name_of(names, ARRAY_SIZE(names), kind);
}

const char *upm_verdict_name(int32_t verdict)
{
	static const char *const names[] = {
		[UPM_VERDICT_OK] = "ok",
		[UPM_VERDICT_UNPROBEABLE] = "unprobeable",
		[UPM_VERDICT_UNDEFINED] = "undefined",
		[UPM_VERDICT_DATA] = "data",
		[UPM_VERDICT_MARKER] = "marker",
		[UPM_VERDICT_NOT_EXECUTABLE] = "not_executable",
		[UPM_VERDICT_AMBIGUOUS] = "ambiguous",
		[UPM_VERDICT_NO_MATCH] = "no_match",
		[UPM_VERDICT_MID_INSTRUCTION] = "mid_instruction",
		[UPM_VERDICT_RED_ZONE] = "red_zone",
		[UPM_VERDICT_GO_RETURN] = "go_return",
		[UPM_VERDICT_NOT_ENTRY] = "not_entry",
		[UPM_VERDICT_FOREIGN] = "foreign",
		[UPM_VERDICT_TRUNCATED] = "truncated",
		[UPM_VERDICT_SEMAPHORE] = "semaphore",
		[UPM_VERDICT_CONFLICT] = "conflict",
		[UPM_VERDICT_REPLACED] = "replaced",
		[UPM_VERDICT_UNREADABLE] = "unreadable",
		[UPM_VERDICT_REFUSED] = "refused",
		[UPM_VERDICT_PROCESS_GONE] = "process_gone",
		[UPM_VERDICT_VDSO] = "vdso",
		[UPM_VERDICT_RETURN_UNSAFE] = "return_unsafe",
		[UPM_VERDICT_NO_ROOM] = "no_room",
	};

	return name_of(names, ARRAY_SIZE(names), verdict);
}

const char *upm_cost_name(uint32_t cost)
{
	static const char *const names[] = {
		[UPM_COST_UNKNOWN] = "unknown",
		[UPM_COST_NOP5] = "nop5",
		[UPM_COST_EMULATED] = "emulated",
		[UPM_COST_STEPPED] = "stepped",
	};

	return name_of(names, ARRAY_SIZE(names), cost);
}

const char *upm_backend_name(uint32_t backend)
{
	static const char *const names[] = {
		[UPM_BACKEND_AUTO] = "auto",
		[UPM_BACKEND_UPROBE_MULTI] = "uprobe_multi",
		[UPM_BACKEND_PERF_EVENT] = "perf_event",
	};

	return name_of(names, ARRAY_SIZE(names), backend);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "resolve/return_safety.h"

#include <stdlib.h>
#include <string.h>

#include "binary/symbols.h"

static int by_name(const void *key, const void *element)
{
	return strcmp(key, *(const char *const *)element);
}

static const char *look_up(const char *symbol)
{
	/* Both lists are sorted: bsearch(3) reads them. */
	static const char *const keepers[] = {
		"__getcontext", "__setjmp", "__sigsetjmp", "__swapcontext", "_setjmp",
		"getcontext",	"setjmp",   "sigsetjmp",   "swapcontext",
	};
	static const char *const unwinders[] = {
		"_Unwind_Backtrace", "_Unwind_ForcedUnwind",	  "_Unwind_RaiseException",
		"_Unwind_Resume",    "_Unwind_Resume_or_Rethrow", "__cxa_rethrow",
		"__cxa_throw",
	};
	static const char *const frameless[] = {
		"__restore_rt",
		"__start_context",
		"_dl_runtime_resolve",
		"_dl_runtime_resolve_fxsave",
		"_dl_runtime_resolve_xsave",
		"_dl_runtime_resolve_xsavec",
		"_dl_start_user",
		"_start",
	};
#define IN(list) bsearch(symbol, list, sizeof(list) / sizeof(list[0]), sizeof(list[0]), by_name)
	if (IN(keepers))
		return "it stores its return address: a return probe would make a later longjmp "
		       "crash";
	if (IN(unwinders))
		return "it walks return addresses: a return probe would end the program instead of "
		       "the exception";
	if (IN(frameless))
		return "it is not called: there is no return address to replace";
#undef IN
	return NULL;
}

const char *upm_return_hazard_of_name(const char *symbol)
{
	const char *cold = strstr(symbol, ".cold");

	if (cold && (cold[5] == '\0' || cold[5] == '.'))
		return "it is a cold part, entered by a jump: there is no return address to "
		       "replace";
	if (symbol[0] == '_' || symbol[0] == 'g' || symbol[0] == 's')
		return look_up(symbol);
	return NULL;
}

const char *upm_return_hazard(const struct upm_probe_table *table,
			      const struct upm_probe_entry *probe, const char *symbol,
			      uint8_t *verdict)
{
	const struct upm_binary *binary = upm_probe_binary(table, probe);
	const char *why;

	if (binary && binary->go) {
		*verdict = UPM_VERDICT_GO_RETURN;
		return "Go moves and checks its stacks: a return probe would crash the program";
	}
	why = upm_return_hazard_of_name(symbol);
	if (why) {
		*verdict = UPM_VERDICT_RETURN_UNSAFE;
	} else if (probe->flags & UPM_PROBE_RETURN_UNSAFE) {
		*verdict = UPM_VERDICT_NOT_ENTRY;
		why = "a return probe has to be at a function's entry, where the stack pointer "
		      "points "
		      "to the return address";
	} else if (binary && !(probe->flags & UPM_PROBE_UNWINDS) && upm_binary_unwinds(binary)) {
		*verdict = UPM_VERDICT_RETURN_UNSAFE;
		why = upm_binary_switches_stacks(binary) ? "its file switches stacks (swapcontext "
							   "or the like), and a function "
							   "that is left for another stack would "
							   "return to a wrong place: accept "
							   "unwinding where none is"
							 : "its file throws exceptions or cleans "
							   "up behind them, and one that left the "
							   "function would end the program: accept "
							   "unwinding where there are none";
	}
	return why;
}

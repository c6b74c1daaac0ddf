/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Names of functions where return probes would harm. */
#include "support.h"

#include "resolve/return_safety.h"
#include "uprobe_multi.h"

static void hazards(void **state)
{
	static const char *const names[] = {
		"__getcontext",
		"__setjmp",
		"__sigsetjmp",
		"__swapcontext",
		"_setjmp",
		"getcontext",
		"setjmp",
		"sigsetjmp",
		"swapcontext",
		"_Unwind_Backtrace",
		"_Unwind_ForcedUnwind",
		"_Unwind_RaiseException",
		"_Unwind_Resume",
		"_Unwind_Resume_or_Rethrow",
		"__cxa_rethrow",
		"__cxa_throw",
		"__restore_rt",
		"__start_context",
		"_dl_runtime_resolve",
		"_dl_runtime_resolve_fxsave",
		"_dl_runtime_resolve_xsave",
		"_dl_runtime_resolve_xsavec",
		"_dl_start_user",
		"_start",
		"f.cold",
		"f.cold.3",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!upm_return_hazard_of_name(names[i]))
			fail_msg("nothing against a return probe on %s", names[i]);
	}
}

static void others(void **state)
{
	static const char *const names[] = {
		"",	 "malloc",	"start",   "coldplay",	  "f.coldest",
		"_star", "getcontext2", "longjmp", "_ZN1a4coldEv"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_null(upm_return_hazard_of_name(names[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hazards),
		cmocka_unit_test(others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

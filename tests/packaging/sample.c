/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A cmocka program that ends in the way the environment names: runner.bats runs it. */
#include "support.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void passes(void **state)
{
	(void)state;
}

static void ends(void **state)
{
	const char *how = getenv("SAMPLE");

	(void)state;
	if (!how || strcmp(how, "pass") == 0)
		return;
	if (strcmp(how, "fail") == 0)
		assert_int_equal(1, 2);
	if (strcmp(how, "skip") == 0)
		skip_because("the sample was told to");
	if (strcmp(how, "fault") == 0)
		raise(SIGSEGV);
	if (strcmp(how, "die") == 0)
		raise(SIGKILL);
	if (strcmp(how, "stop") == 0)
		exit(0);
	if (strcmp(how, "hang") == 0)
		pause();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes),
		cmocka_unit_test(ends),
		cmocka_unit_test(passes),
	};

	return cmocka_run_group_tests_name("sample", tests, NULL, NULL);
}

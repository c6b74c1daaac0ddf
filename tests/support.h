/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What every cmocka test program needs: the framework's headers in their order, and skips that say
 * why. */
#ifndef UPM_TESTS_SUPPORT_H
#define UPM_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "uprobe_multi.h"

/** Leave the test, counted as skipped; the reason is printed for the summary. */
#define skip_because(reason) (print_message("# SKIP %s: %s\n", __func__, (reason)), skip())

/** Assert that a upm_ call succeeded; prints upm_error_last() when it did not. */
#define assert_upm_ok(call) test_expect((call), UPM_OK, #call, __FILE__, __LINE__)
/** Assert that a upm_ call gave this status. */
#define assert_upm(call, status) test_expect((call), (status), #call, __FILE__, __LINE__)
void test_expect(int32_t got, int32_t wanted, const char *call, const char *file, int line);

/** @return path of a file that the build made, such as test_build_path("target/known"); static
 * buffer. */
const char *test_build_path(const char *name);

/** Bytes from hexadecimal numbers with blanks between them. @return how many */
size_t test_from_hex(const char *hex, uint8_t *bytes);

#endif

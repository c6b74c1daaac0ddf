/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Probe sets as values: adding by place, selecting, joining, cookies, and sets that share a table.
 */
#include "support.h"

#include <string.h>

#include "uprobe_multi.h"

static struct upm_probe get(const struct upm_probe_set *set, size_t index)
{
	struct upm_probe probe = {.size = sizeof(probe)};

	assert_upm_ok(upm_probe_set_get(set, index, &probe));
	return probe;
}

static struct upm_probe_set *known(const char *pattern)
{
	struct upm_probe_set *set;
	char text[4200];
	const char *spec = text;

	snprintf(text, sizeof(text), "%s:%s", test_build_path("target/known"), pattern);
	assert_upm_ok(upm_resolve(&spec, 1, NULL, &set));
	return set;
}

static void places_are_named_and_judged(void **state)
{
	struct upm_probe_set *from = known("known_00[01]*"), *set;
	const char *paths[23];
	uint64_t offsets[23], cookies[23];

	(void)state;
	for (size_t i = 0; i < 20; i++) {
		paths[i] = get(from, i).path;
		offsets[i] = get(from, 19 - i).offset; /* in falling order */
		cookies[i] = 1000 + i;
	}
	paths[20] = "/no/such/file";
	offsets[20] = 64;
	paths[21] = paths[0];
	offsets[21] = 1;
	paths[22] = paths[0];
	offsets[22] = offsets[0]; /* again */
	cookies[20] = cookies[21] = cookies[22] = 7;
	assert_upm_ok(upm_probe_set_new(&set));
	assert_upm_ok(upm_probe_set_add(set, UPM_KIND_UPROBE, paths, offsets, NULL, cookies, 23));
	assert_int_equal(upm_probe_set_size(set), 23);
	for (size_t i = 0; i < 20; i++) {
		assert_int_equal(get(set, i).verdict, UPM_VERDICT_OK);
		assert_string_equal(get(set, i).symbol, get(from, 19 - i).symbol);
		assert_int_equal(get(set, i).cookie, 1000 + i);
	}
	assert_int_equal(get(set, 20).verdict, UPM_VERDICT_UNREADABLE);
	assert_int_equal(get(set, 21).verdict, UPM_VERDICT_NOT_EXECUTABLE);
	assert_int_equal(get(set, 22).verdict, UPM_VERDICT_OK);
	upm_probe_set_free(from);
	upm_probe_set_free(set);
}

static void bad_semaphores(void **state)
{
	struct upm_probe_set *from = known("known_0000"), *set;
	const char *paths[] = {get(from, 0).path, get(from, 0).path};
	const uint64_t offsets[] = {get(from, 0).offset, get(from, 0).offset};
	const uint64_t counters[] = {4097, get(from, 0).offset & ~1ULL};

	(void)state;
	assert_upm_ok(upm_probe_set_new(&set));
	assert_upm_ok(upm_probe_set_add(set, UPM_KIND_USDT, paths, offsets, counters, NULL, 2));
	assert_int_equal(get(set, 0).verdict, UPM_VERDICT_SEMAPHORE);
	assert_int_equal(get(set, 1).verdict, UPM_VERDICT_SEMAPHORE);
	upm_probe_set_free(from);
	upm_probe_set_free(set);
}

static void select_and_join(void **state)
{
	struct upm_probe_set *a = known("known_000*"), *b = known("alias_*"), *selected;
	const size_t indexes[] = {9, 0, 0}, wrong = 10;

	(void)state;
	assert_upm_ok(upm_probe_set_select(a, indexes, 3, &selected));
	assert_int_equal(upm_probe_set_size(selected), 3);
	assert_string_equal(get(selected, 0).symbol, get(a, 9).symbol);
	assert_upm(upm_probe_set_select(a, &wrong, 1, &selected), UPM_ERR_INVALID);
	assert_upm_ok(upm_probe_set_join(selected, b));
	upm_probe_set_free(a);
	upm_probe_set_free(b);
	assert_int_equal(upm_probe_set_size(selected), 4);
	assert_string_equal(get(selected, 3).symbol, "alias_first");
	assert_int_equal(get(selected, 3).alias_count, 2);
	assert_int_equal(strncmp(upm_probe_set_alias(selected, 3, 0), "alias_", 6), 0);
	assert_non_null(strstr(get(selected, 3).spec, "alias_*"));
	assert_upm(upm_probe_set_join(selected, selected), UPM_ERR_INVALID);
	upm_probe_set_free(selected);
}

static void cookies_stay_with_their_set(void **state)
{
	struct upm_probe_set *a = known("known_000*"), *b;
	const size_t first = 0;
	uint64_t cookies[10];

	(void)state;
	for (size_t i = 0; i < 10; i++)
		cookies[i] = i * i;
	assert_upm_ok(upm_probe_set_select(a, &first, 1, &b));
	assert_upm(upm_probe_set_cookies(a, cookies, 9), UPM_ERR_INVALID);
	assert_upm_ok(upm_probe_set_cookies(a, cookies, 10));
	assert_int_equal(get(a, 9).cookie, 81);
	assert_int_equal(get(b, 0).cookie, 0);
	upm_probe_set_free(a);
	upm_probe_set_free(b);
}

static void null_and_empty(void **state)
{
	struct upm_probe probe = {.size = sizeof(probe)};
	struct upm_probe_set *set;

	(void)state;
	upm_probe_set_free(NULL);
	assert_int_equal(upm_probe_set_size(NULL), 0);
	assert_upm_ok(upm_probe_set_new(&set));
	assert_int_equal(upm_probe_set_size(set), 0);
	assert_upm(upm_probe_set_get(set, 0, &probe), UPM_ERR_INVALID);
	assert_null(upm_probe_set_alias(set, 0, 0));
	upm_probe_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_are_named_and_judged),
		cmocka_unit_test(bad_semaphores),
		cmocka_unit_test(select_and_join),
		cmocka_unit_test(cookies_stay_with_their_set),
		cmocka_unit_test(null_and_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

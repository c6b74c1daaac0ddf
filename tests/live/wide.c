/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* 50,000 functions of one file by one descriptor: each hit counts, and none is invented. */
#include "live_target.h"

#include <unistd.h>

#define FUNCTIONS 50000
#define SPACING 16
#define CALLED_TWICE 7 /* every seventh one */

/* wide_0 … wide_49999, each of which does nothing. */
__asm__(".text\n"
	".altmacro\n"
	".macro wide_function number\n"
	".p2align 4\n"
	".type wide_\\number, @function\n"
	"wide_\\number:\n"
	"push %rbp\n"
	"pop %rbp\n"
	"ret\n"
	".size wide_\\number, . - wide_\\number\n"
	".endm\n"
	".set number, 0\n"
	".p2align 4\n"
	"wide_functions:\n"
	".rept 50000\n"
	"wide_function %number\n"
	".set number, number + 1\n"
	".endr\n"
	".noaltmacro\n");
extern char wide_functions[];

static void call_all(size_t step)
{
	for (size_t i = 0; i < FUNCTIONS; i += step)
		((void (*)(void))(uintptr_t)(wide_functions + i * SPACING))();
}

static size_t number_of(const struct upm_observer *observer, size_t index)
{
	struct upm_probe probe = {.size = sizeof(probe)};
	unsigned number;

	assert_upm_ok(upm_probe_set_get(upm_observer_probes(observer), index, &probe));
	assert_int_equal(sscanf(probe.symbol, "wide_%u", &number), 1);
	return number;
}

static void every_hit_by_one_descriptor(void **state)
{
	const char *spec = "/proc/self/exe:/^wide_[0-9]+$/";
	static uint64_t hits[FUNCTIONS];
	struct upm_observer *observer;
	struct upm_probe_set *set;
	int32_t pid = getpid();
	struct upm_attach_options options = options_for(&pid);
	const struct upm_link *link;
	uint64_t detach_ns;

	(void)state;
	skip_without_multi();
	assert_upm_ok(upm_resolve(&spec, 1, NULL, &set));
	assert_int_equal(upm_probe_set_size(set), FUNCTIONS);
	assert_upm_ok(upm_count(set, &options, &observer));
	link = upm_observer_link(observer);
	assert_int_equal(upm_link_attached(link), FUNCTIONS);
	assert_int_equal(upm_link_kernel_links(link), 1);
	call_all(1);
	call_all(CALLED_TWICE);
	assert_upm_ok(upm_observer_stop(observer, &detach_ns));
	call_all(1);
	assert_upm_ok(upm_observer_hits(observer, hits, FUNCTIONS));
	for (size_t i = 0; i < FUNCTIONS; i++)
		assert_int_equal(hits[i], number_of(observer, i) % CALLED_TWICE ? 1 : 2);
	print_message("# 50,000 functions by one link: attached in %.3f s, let go in %.3f s\n",
		      (double)upm_link_attach_ns(link) / 1e9, (double)detach_ns / 1e9);
	upm_observer_free(observer);
	upm_probe_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_hit_by_one_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

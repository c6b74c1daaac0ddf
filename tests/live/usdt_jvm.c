/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* OpenJDK: every call site of libjvm.so, all in one live Java machine. */
#include "usdt_real.h"

#include <string.h>
#include <unistd.h>

static char library[PATH_MAX]; /* empty when there is none */

static int find_library(void **state)
{
	(void)state;
	if (!real_path("/usr/lib/jvm/java-*-openjdk-*/lib/server/libjvm.so", library))
		library[0] = '\0';
	return 0;
}

#define skip_without_library()                                                                     \
	do {                                                                                       \
		if (!library[0])                                                                   \
			skip_because("no OpenJDK here");                                           \
	} while (0)

/* What tests/target/UsdtWork.java does at each command. */
enum { THREADS = 5, SLEEPS = 3, COLLECTIONS = 2, ALLOCATIONS = 1000 };

/* Probes of methods, monitors and allocations are passed only when asked for. */
static void start_java(struct target *target)
{
	char java[PATH_MAX], work[PATH_MAX];
	const char *const command[] = {java,
				       "-XX:+DTraceMethodProbes",
				       "-XX:+DTraceMonitorProbes",
				       "-XX:+DTraceAllocProbes",
				       work,
				       NULL};

	strcpy(java, library);
	strcpy(strstr(java, "/lib/server/"), "/bin/java");
	snprintf(work, sizeof(work), "%s", test_build_path("target/UsdtWork.java"));
	target_start_command(target, command);
	assert_memory_equal(target_answer(target), "ready ", 6);
}

static void every_site_is_listed(void **state)
{
	struct upm_probe_set *set;
	size_t arguments;

	(void)state;
	skip_without_library();
	set = usdt_resolve_in(library, "*:*", 0);
	arguments = assert_lists_notes(set, library);
	assert_int_equal(upm_probe_set_count_verdict(set, UPM_VERDICT_OK), upm_probe_set_size(set));
	print_message("# %zu call sites, %zu arguments\n", upm_probe_set_size(set), arguments);
	upm_probe_set_free(set);
}

static void check_hits(const struct upm_observer *observer, const struct upm_probe_set *set)
{
	assert_int_equal(real_hits(observer, set, "hotspot", "thread__sleep__begin"), SLEEPS);
	assert_int_equal(real_hits(observer, set, "hotspot", "thread__sleep__end"), SLEEPS);
	assert_in_range(real_hits(observer, set, "hotspot", "thread__start"), THREADS, 1000);
	assert_in_range(real_hits(observer, set, "hotspot", "gc__begin"), COLLECTIONS, 1000);
	assert_in_range(real_hits(observer, set, "hotspot", "object__alloc"), ALLOCATIONS,
			UINT32_MAX);
	assert_in_range(real_hits(observer, set, "hotspot", "method__entry"), ALLOCATIONS,
			UINT32_MAX);
	assert_true(real_hits(observer, set, "hotspot_jni", "") > 0);
	print_message("# %lu hits of hotspot, %lu of hotspot_jni\n",
		      (unsigned long)(real_hits(observer, set, "hotspot", "") -
				      real_hits(observer, set, "hotspot_jni", "")),
		      (unsigned long)real_hits(observer, set, "hotspot_jni", ""));
}

static void all_are_attached_at_once(void **state)
{
	struct upm_attach_options options;
	struct upm_observer *observer;
	struct upm_probe_set *set;
	struct target target;
	size_t probes;

	(void)state;
	skip_without_library();
	start_java(&target);
	options = options_for(&target.pid);
	set = usdt_resolve_in(library, "*:*", target.pid);
	probes = upm_probe_set_size(set);
	assert_upm_ok(upm_count(set, &options, &observer));
	assert_int_equal(upm_link_attached(upm_observer_link(observer)), probes);
	assert_int_equal(upm_link_skipped(upm_observer_link(observer)), 0);
	assert_int_equal(upm_link_kernel_links(upm_observer_link(observer)),
			 has_multi() ? 1 : probes);
	target_expect(&target, "work", "sum 20");
	assert_upm_ok(upm_observer_stop(observer, NULL));
	check_hits(observer, set);
	target_expect(&target, "work", "sum 40");
	upm_observer_free(observer);
	upm_probe_set_free(set);
	target_stop(&target);
}

/* Names have a length, as numbers[1], and no end of their own. */
static bool is_name(const struct usdt_text *text, const char *name)
{
	return text->numbers[1] == (int64_t)strlen(name) &&
	       strncmp(text->strings[0], name, strlen(name)) == 0;
}

/* The machine may start threads of its own in between. */
static void names_of_threads_are_read(void **state)
{
	char name[32];
	struct upm_object *object;
	struct upm_probe_set *set;
	struct target target;
	struct usdt_text text;
	struct upm_link *link;
	int found = 0;

	(void)state;
	skip_without_library();
	start_java(&target);
	set = usdt_resolve_in(library, "hotspot:thread__start", target.pid);
	link = texts_attach(set, target.pid, &object);
	target_expect(&target, "work", "sum 20");
	upm_link_free(link);
	while (texts_next(object, &text)) {
		snprintf(name, sizeof(name), "work %d", found);
		found += is_name(&text, name);
	}
	assert_int_equal(found, THREADS);
	upm_object_free(object);
	upm_probe_set_free(set);
	target_stop(&target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_site_is_listed),
		cmocka_unit_test(all_are_attached_at_once),
		cmocka_unit_test(names_of_threads_are_read),
	};

	return cmocka_run_group_tests(tests, find_library, NULL);
}

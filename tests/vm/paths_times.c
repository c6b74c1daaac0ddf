/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What one link over many files saves: 1, 10, 200 and 1,000 files of ten probes, as one link and
 * as a link for each file. The tests assert descriptors; times are only printed, in
 * milliseconds, for docs/paths-in-one-link.md.
 */
#include "ten_target.h"

#include <stdlib.h>
#include <unistd.h>

#include "attach/link.h"
#include "attach/sys.h"
#include "base/clock.h"

struct times {
	double attach, detach;
	size_t descriptors;
};

static double since(uint64_t start)
{
	return (double)(upm_now_ns() - start) / 1e6;
}

struct arrays {
	char (*names)[PATH_MAX];
	uint64_t *paths, *offsets;
	int *links;
	size_t files;
};

static void make_arrays(struct arrays *arrays, const struct upm_probe_set *set, size_t files)
{
	struct upm_probe probe = {.size = sizeof(probe)};
	size_t count = files * TEN_FUNCTIONS;

	arrays->files = files;
	arrays->names = calloc(files, sizeof(*arrays->names));
	arrays->paths = calloc(count, sizeof(*arrays->paths));
	arrays->offsets = calloc(count, sizeof(*arrays->offsets));
	arrays->links = calloc(files, sizeof(*arrays->links));
	for (size_t i = 0; i < count; i++) {
		size_t file = i / TEN_FUNCTIONS;

		assert_upm_ok(upm_probe_set_get(set, i, &probe));
		arrays->offsets[i] = probe.offset;
		arrays->paths[i] = (uint64_t)(uintptr_t)ten_path(file, arrays->names[file]);
	}
}

static void free_arrays(struct arrays *arrays)
{
	free(arrays->names);
	free(arrays->paths);
	free(arrays->offsets);
	free(arrays->links);
}

/* By system calls alone; links are closed one after another. */
static struct times time_calls(struct arrays *arrays, int program, size_t links)
{
	size_t before = descriptors_open(), each = arrays->files / links;
	uint64_t start = upm_now_ns();
	struct times times;

	for (size_t i = 0; i < links; i++) {
		const struct upm_multi_link request = {
			.program_fd = program,
			.attach_type = UPM_BPF_TRACE_UPROBE_MULTI,
			.path = arrays->names[i * each],
			.paths = each > 1 ? arrays->paths : NULL,
			.offsets = arrays->offsets + i * each * TEN_FUNCTIONS,
			.count = each * TEN_FUNCTIONS,
		};

		arrays->links[i] = upm_sys_link_multi(&request);
		assert_true(arrays->links[i] >= 0);
	}
	times.attach = since(start);
	times.descriptors = descriptors_open() - before;
	start = upm_now_ns();
	for (size_t i = 0; i < links; i++)
		close(arrays->links[i]);
	times.detach = since(start);
	return times;
}

static struct times time_engine(const struct upm_probe_set *set, int program, uint32_t most)
{
	const struct upm_attach_options options = {.size = sizeof(options),
						   .probes_per_link = most};
	size_t before = descriptors_open();
	struct upm_link *link;
	struct times times;
	uint64_t detach;

	assert_upm_ok(upm_attach(program, set, &options, &link));
	times.attach = (double)upm_link_attach_ns(link) / 1e6;
	times.descriptors = descriptors_open() - before;
	assert_upm_ok(upm_link_detach(link, &detach));
	times.detach = (double)detach / 1e6;
	upm_link_free(link);
	return times;
}

static void print_times(size_t files, const char *what, const struct times *times)
{
	print_message("# %5zu files, %-28s %9.1f %9.1f %6zu\n", files, what, times->attach,
		      times->detach, times->descriptors);
}

static void compare(size_t files, const char *state)
{
	struct upm_probe_set *set = ten_resolve(files, "uprobe");
	int program = load_nop(UPM_BPF_TRACE_UPROBE_MULTI);
	struct times one, many, engine_one, engine_many;
	struct arrays arrays;

	make_arrays(&arrays, set, files);
	many = time_calls(&arrays, program, files);
	one = time_calls(&arrays, program, 1);
	engine_many = time_engine(set, program, TEN_FUNCTIONS);
	engine_one = time_engine(set, program, 0);
	print_message("# %s: attach ms, detach ms, descriptors\n", state);
	print_times(files, "system calls, a link each", &many);
	print_times(files, "system calls, one link", &one);
	print_times(files, "the engine, a link each", &engine_many);
	print_times(files, "the engine, one link", &engine_one);
	assert_int_equal(one.descriptors, 1);
	assert_int_equal(many.descriptors, files);
	assert_int_equal(engine_one.descriptors, 1);
	assert_int_equal(engine_many.descriptors, files);
	free_arrays(&arrays);
	upm_probe_set_free(set);
	close(program);
}

static void files_that_nobody_maps(void **state)
{
	static const size_t sizes[] = {1, 10, 200, TEN_MOST};

	(void)state;
	skip_without_paths();
	for (size_t i = 0; i < 4; i++)
		compare(sizes[i], "not mapped");
}

static void files_that_a_process_maps(void **state)
{
	static const size_t sizes[] = {1, 10};

	(void)state;
	skip_without_paths();
	for (size_t i = 0; i < 2; i++) {
		ten_load(sizes[i]);
		compare(sizes[i], "mapped");
		ten_unload(sizes[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_that_nobody_maps),
		cmocka_unit_test(files_that_a_process_maps),
	};

	return cmocka_run_group_tests(tests, ten_make, ten_remove);
}

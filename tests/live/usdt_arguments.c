/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The engine's own reader of arguments, in BPF: values read equal values passed. */
#include "usdt_target.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "attach/bpf_uapi.h"
#include "resolve/probe_table.h"
#include "usdt/argument_table.h"

struct reader {
	struct bpf_object *object;
	struct upm_argument_table table;
	uint32_t *lists; /* of each probe */
};

static void list_arguments(struct reader *reader, const struct upm_probe_table *table)
{
	upm_argument_table_open(&reader->table);
	reader->lists = calloc(table->probes.count, sizeof(*reader->lists));
	assert_non_null(reader->lists);
	for (size_t i = 0; i < table->probes.count; i++) {
		const struct upm_probe_entry *probe = &table->probes.items[i];
		struct upm_usdt_position position =
			upm_usdt_position_of(upm_probe_binary(table, probe), probe->offset);
		struct upm_usdt_argument arguments[UPM_USDT_ARGUMENTS_MAX];
		size_t count = upm_probe_table_arguments(table, probe, arguments);

		assert_upm_ok(upm_argument_table_add(&reader->table, &position, arguments, count,
						     &reader->lists[i]));
	}
}

static int map_fd(const struct reader *reader, const char *name)
{
	return bpf_object__find_map_fd_by_name(reader->object, name);
}

static void reader_open(struct reader *reader, const struct upm_probe_set *set)
{
	struct bpf_program *program;

	list_arguments(reader, set->table);
	reader->object = bpf_object__open(test_build_path("tests/bpf/usdt_arguments.bpf.o"));
	assert_non_null(reader->object);
	program = bpf_object__find_program_by_name(reader->object, "read_arguments");
	bpf_program__set_type(program, BPF_PROG_TYPE_KPROBE);
	bpf_program__set_expected_attach_type(program, (int)UPM_BPF_TRACE_UPROBE_MULTI);
	bpf_map__set_max_entries(bpf_object__find_map_by_name(reader->object, "upm_usdt_lists"),
				 upm_argument_table_size(&reader->table));
	assert_int_equal(bpf_object__load(reader->object), 0);
	assert_upm_ok(upm_argument_table_store(&reader->table, map_fd(reader, "upm_usdt_lists")));
	for (uint32_t i = 0; i < upm_probe_set_size(set); i++)
		assert_int_equal(bpf_map_update_elem(map_fd(reader, "lists"), &i, &reader->lists[i],
						     BPF_ANY),
				 0);
}

static void reader_close(struct reader *reader)
{
	bpf_object__close(reader->object);
	upm_argument_table_close(&reader->table);
	free(reader->lists);
}

static bool reads_everything(const char *text)
{
	(void)text;
	return true;
}

static void read_build(const char *build)
{
	struct upm_attach_options options;
	struct upm_probe_set *set;
	struct upm_link *link;
	struct target target;
	struct reader reader;
	int program;

	usdt_start(&target, build);
	set = usdt_resolve(build, "*:*", 0);
	options = options_for(&target.pid);
	options.flags = UPM_ATTACH_COOKIE_IS_INDEX | UPM_ATTACH_STRICT;
	reader_open(&reader, set);
	assert_true(reader.table.lists.count < upm_probe_set_size(set));
	program =
		bpf_program__fd(bpf_object__find_program_by_name(reader.object, "read_arguments"));
	assert_upm_ok(upm_attach(program, set, &options, &link));
	assert_int_equal(upm_link_kernel_links(link), has_multi() ? 1 : upm_probe_set_size(set));
	usdt_fire(&target, 1);
	target_expect(&target, "thread", "fired 2");
	upm_link_free(link);
	usdt_fire(&target, 3);
	assert_int_equal(usdt_check(set, map_fd(&reader, "results"), 2, 2, reads_everything), 0);
	reader_close(&reader);
	upm_probe_set_free(set);
	target_stop(&target);
}

static void every_form_is_read(void **state)
{
	(void)state;
	for (const char *const *build = usdt_builds; *build; build++) {
		print_message("# %s\n", *build);
		read_build(*build);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The attach plan, over tables made by hand. */
#include "support.h"

#include "attach/bundle.h"
#include "resolve/probe_name.h"

/* A plan only asks whether there is one; they are not what their descriptors show. */
static struct upm_binary binaries[2] = {{.path = "/one"}, {.path = "/two"}};

struct planned {
	uint64_t offset, cookie, ref_ctr_offset;
	uint32_t file;
	uint8_t kind, verdict;
};

static struct upm_probe_table *make_table(const struct planned *probes, size_t count)
{
	struct upm_probe_table *table = upm_probe_table_new();

	assert_non_null(table);
	for (uint32_t i = 0; i < 2; i++) {
		struct upm_probe_file file = {.binary = &binaries[i], .path = i ? "two" : "one"};

		struct upm_probe_origin origin = {.remark = "", .file = i, .spec = UINT32_MAX};
		uint32_t index;

		binaries[i].references = 2;
		assert_true(upm_vector_push(&table->files, file));
		assert_int_equal(upm_probe_table_origin(table, &origin, &index), UPM_OK);
		assert_int_equal(index, i);
	}
	for (size_t i = 0; i < count; i++) {
		const struct upm_probe_detail detail = {.ref_ctr_offset = probes[i].ref_ctr_offset};
		const struct upm_probe_entry entry = {
			.offset = probes[i].offset,
			.name = UPM_NAME_NONE,
			.origin = probes[i].file,
			.kind = probes[i].kind,
			.verdict = probes[i].verdict,
		};

		assert_true(upm_probe_table_add(table, entry, &detail));
		assert_true(upm_vector_push(&table->cookies, probes[i].cookie));
	}
	return table;
}

static void groups_are_sorted(void **state)
{
	const struct planned probes[] = {
		{.offset = 30, .cookie = 7},
		{.offset = 10, .cookie = 8},
		{.offset = 20, .kind = UPM_KIND_URETPROBE},
		{.offset = 5, .file = 1},
		{.offset = 1, .verdict = UPM_VERDICT_DATA},
	};
	const struct upm_plan_rules rules = {.kinds = UPM_ALL_KINDS};
	struct upm_probe_table *table = make_table(probes, 5);
	struct upm_outcome outcome;
	struct upm_plan plan;

	(void)state;
	assert_int_equal(upm_outcome_open(&outcome), UPM_OK);
	assert_int_equal(upm_plan_open(&plan, table, &rules, &outcome), UPM_OK);
	assert_int_equal(plan.groups.count, 3);
	assert_int_equal(plan.count, 4);
	assert_int_equal(plan.offsets[0], 10);
	assert_int_equal(plan.cookies[0], 8);
	assert_int_equal(plan.offsets[1], 30);
	assert_int_equal(plan.groups.items[1].kind, UPM_KIND_URETPROBE);
	assert_int_equal(plan.groups.items[2].file, 1);
	assert_int_equal(outcome.skipped.count, 1);
	upm_plan_remove(&plan, &plan.groups.items[0], 0);
	assert_int_equal(plan.offsets[plan.groups.items[0].first], 30);
	assert_int_equal(plan.groups.items[0].count, 1);
	assert_int_equal(upm_outcome_finish(&outcome, 5), UPM_OK);
	assert_int_equal(outcome.attached_count, 4);
	assert_int_equal(upm_outcome_attached(&outcome, 3), 3);
	upm_plan_close(&plan);
	upm_outcome_close(&outcome);
	upm_probe_table_unref(table);
}

static void conflicts_cross_kinds(void **state)
{
	const struct planned probes[] = {
		{.offset = 10, .ref_ctr_offset = 2},
		{.offset = 10, .ref_ctr_offset = 4, .kind = UPM_KIND_USDT},
		{.offset = 10, .ref_ctr_offset = 4, .file = 1},
	};
	const struct upm_plan_rules rules = {.cookie_is_index = true, .kinds = UPM_ALL_KINDS};
	struct upm_probe_table *table = make_table(probes, 3);
	struct upm_outcome outcome;
	struct upm_plan plan;

	(void)state;
	assert_int_equal(upm_outcome_open(&outcome), UPM_OK);
	assert_int_equal(upm_plan_open(&plan, table, &rules, &outcome), UPM_OK);
	assert_int_equal(outcome.skipped.count, 1);
	assert_int_equal(outcome.skipped.items[0].index, 1);
	assert_int_equal(outcome.skipped.items[0].verdict, UPM_VERDICT_CONFLICT);
	assert_int_equal(plan.cookies[1], 2);
	upm_plan_close(&plan);
	upm_outcome_close(&outcome);
	upm_probe_table_unref(table);
}

static void attached_are_those_not_skipped(void **state)
{
	const uint32_t skipped[] = {7, 0, 3, 4}, attached[] = {1, 2, 5, 6, 8, 9};
	struct upm_outcome outcome;

	(void)state;
	assert_int_equal(upm_outcome_open(&outcome), UPM_OK);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(upm_outcome_skip(&outcome, skipped[i], UPM_VERDICT_DATA, NULL),
				 UPM_OK);
	assert_int_equal(upm_outcome_finish(&outcome, 10), UPM_OK);
	assert_int_equal(outcome.attached_count, 6);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(upm_outcome_attached(&outcome, i), attached[i]);
	upm_outcome_close(&outcome);
}

static void arrays_without_content_are_not_made(void **state)
{
	const struct planned probes[] = {{.offset = 1}, {.offset = 2}};
	const struct upm_plan_rules rules = {.kinds = UPM_ALL_KINDS};
	struct upm_probe_table *table = make_table(probes, 2);
	struct upm_outcome outcome;
	struct upm_plan plan;

	(void)state;
	table->cookies.count = 0;
	assert_int_equal(upm_outcome_open(&outcome), UPM_OK);
	assert_int_equal(upm_plan_open(&plan, table, &rules, &outcome), UPM_OK);
	assert_null(plan.cookies);
	assert_null(plan.ref_ctr_offsets);
	upm_plan_remove(&plan, &plan.groups.items[0], 0);
	assert_int_equal(plan.offsets[0], 2);
	assert_int_equal(plan.probes[0], 1);
	upm_plan_close(&plan);
	upm_outcome_close(&outcome);
	upm_probe_table_unref(table);
}

/* Where a link takes many files, those of one kind stand side by side, without gaps. */
static void many_files_come_by_kind(void **state)
{
	const struct planned probes[] = {
		{.offset = 30},
		{.offset = 10},
		{.offset = 20, .kind = UPM_KIND_URETPROBE},
		{.offset = 5, .file = 1, .ref_ctr_offset = 2},
		{.offset = 6, .file = 1, .kind = UPM_KIND_URETPROBE},
	};
	const struct upm_plan_rules rules = {.kinds = UPM_ALL_KINDS, .many_files = true};
	struct upm_probe_table *table = make_table(probes, 5);
	struct upm_link link = {.table = table};
	struct upm_attach_job job = {.link = &link};
	struct upm_multi_link request = {0};
	struct upm_bundle bundle;
	size_t position = 1;

	(void)state;
	assert_int_equal(upm_outcome_open(&link.outcome), UPM_OK);
	assert_int_equal(upm_plan_open(&job.plan, table, &rules, &link.outcome), UPM_OK);
	assert_int_equal(job.plan.groups.count, 4);
	assert_int_equal(job.plan.groups.items[1].kind, UPM_KIND_UPROBE);
	assert_int_equal(job.plan.groups.items[1].file, 1);
	assert_int_equal(job.plan.groups.items[2].kind, UPM_KIND_URETPROBE);

	upm_plan_remove(&job.plan, &job.plan.groups.items[0], 0);
	assert_int_equal(upm_bundle_open(&bundle, &job, 0), UPM_OK);
	assert_int_equal(bundle.group_count, 2);
	assert_int_equal(bundle.count, 2);
	assert_int_equal(upm_bundle_files(&bundle, 0, 2), 2);
	assert_ptr_equal(upm_bundle_find(&bundle, &position), &bundle.groups[1]);
	assert_int_equal(position, 0);
	upm_bundle_describe(&bundle, 0, 2, &request);
	assert_int_equal(request.offsets[0], 30);
	assert_int_equal(request.offsets[1], 5);
	assert_int_equal(request.ref_ctr_offsets[1], 2);
	assert_string_equal((const char *)(uintptr_t)request.paths[0], "/one");
	assert_string_equal((const char *)(uintptr_t)request.paths[1], "/two");

	request.paths = NULL;
	upm_bundle_describe(&bundle, 1, 1, &request);
	assert_null(request.paths);
	assert_string_equal(request.path, "/two");
	upm_bundle_close(&bundle);
	upm_plan_close(&job.plan);
	upm_outcome_close(&link.outcome);
	upm_probe_table_unref(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_are_sorted),
		cmocka_unit_test(conflicts_cross_kinds),
		cmocka_unit_test(attached_are_those_not_skipped),
		cmocka_unit_test(arrays_without_content_are_not_made),
		cmocka_unit_test(many_files_come_by_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

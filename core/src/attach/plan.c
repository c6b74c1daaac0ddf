/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "attach/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "resolve/probe_name.h"
#include "resolve/return_safety.h"

#define KINDS 3

static const char operation[] = "plan the attach";

struct planner {
	struct upm_plan *plan;
	const struct upm_probe_table *table;
	const struct upm_plan_rules *rules;
	struct upm_outcome *outcome;
	uint8_t *conflicts; /* one per probe; NULL when no probe has a reference counter */
	size_t *slots;	    /* one per file and kind: first its count, then its next free place */
};

/* Slots come in the order of the groups. */
static size_t slot_at(const struct planner *planner, uint32_t file, uint8_t kind)
{
	return planner->rules->many_files ? kind * planner->table->files.count + file
					  : (size_t)file * KINDS + kind;
}

static size_t slot_of(const struct planner *planner, uint32_t index)
{
	const struct upm_probe_entry *probe = &planner->table->probes.items[index];

	return slot_at(planner, upm_probe_file(planner->table, probe), probe->kind);
}

static struct upm_plan_group group_of(const struct planner *planner, size_t slot)
{
	size_t files = planner->table->files.count;
	bool by_kind = planner->rules->many_files;

	return (struct upm_plan_group){
		.file = (uint32_t)(by_kind ? slot % files : slot / KINDS),
		.kind = (uint8_t)(by_kind ? slot / files : slot % KINDS),
	};
}

/* ---- conflicts: one place in one file can have one reference counter */

struct place {
	uint64_t offset;
	uint32_t file;
	uint32_t probe;
};

static int by_place(const void *left, const void *right)
{
	const struct place *a = left, *b = right;

	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	return (a->probe > b->probe) - (a->probe < b->probe);
}

static bool same_place(const struct place *a, const struct place *b)
{
	return a->file == b->file && a->offset == b->offset;
}

/* Where a probe will be hit. */
static uint64_t site_of(const struct planner *planner, size_t index)
{
	return planner->table->probes.items[index].offset +
	       upm_site_distance(planner->rules->sites, index);
}

static size_t list_places(const struct planner *planner, struct place *places)
{
	const struct upm_probe_table *table = planner->table;
	size_t count = 0;

	for (size_t i = 0; i < table->probes.count; i++) {
		const struct upm_probe_entry *probe = &table->probes.items[i];

		if (probe->verdict == UPM_VERDICT_OK)
			places[count++] = (struct place){site_of(planner, i),
							 upm_probe_file(table, probe), (uint32_t)i};
	}
	return count;
}

static uint64_t ref_ctr_of(const struct upm_probe_table *table, uint32_t index)
{
	return upm_probe_detail(table, &table->probes.items[index])->ref_ctr_offset;
}

/* The first probe of a place decides; those that differ from it are in conflict. */
static void mark_conflicts(const struct upm_probe_table *table, struct place *places, size_t count,
			   uint8_t *conflicts)
{
	size_t first = 0;

	qsort(places, count, sizeof(*places), by_place);
	for (size_t i = 1; i < count; i++) {
		if (!same_place(&places[first], &places[i]))
			first = i;
		if (ref_ctr_of(table, places[i].probe) != ref_ctr_of(table, places[first].probe))
			conflicts[places[i].probe] = 1;
	}
}

static bool any_ref_ctr(const struct upm_probe_table *table)
{
	for (size_t i = 0; i < table->details.count; i++)
		if (table->details.items[i].ref_ctr_offset)
			return true;
	return false;
}

static int find_conflicts(struct planner *planner)
{
	size_t total = planner->table->probes.count;
	struct place *places;

	if (!any_ref_ctr(planner->table))
		return UPM_OK;
	places = malloc(total * sizeof(*places));
	planner->conflicts = calloc(total, 1);
	if (places && planner->conflicts)
		mark_conflicts(planner->table, places, list_places(planner, places),
			       planner->conflicts);
	free(places);
	return places && planner->conflicts ? UPM_OK : upm_fail_memory(operation);
}

/* ---- the layout: a counting sort by file and kind */

static int32_t verdict_of(const struct planner *planner, size_t index, const char **reason)
{
	const struct upm_probe_entry *probe = &planner->table->probes.items[index];
	const struct upm_binary *binary = upm_probe_binary(planner->table, probe);
	uint8_t hazard = UPM_VERDICT_OK;

	*reason = NULL;
	if (probe->verdict != UPM_VERDICT_OK)
		return probe->verdict;
	if (!binary) {
		*reason = "its file is not open";
		return UPM_VERDICT_UNREADABLE;
	}
	if (binary->fd < 0) {
		*reason = "its set was read from pins, without the file: resolve the spec again";
		return UPM_VERDICT_UNREADABLE;
	}
	if (planner->conflicts && planner->conflicts[index]) {
		*reason = "another probe at this offset names a different reference counter";
		return UPM_VERDICT_CONFLICT;
	}
	if (!(planner->rules->kinds & 1u << probe->kind)) {
		*reason = "a program that sees entry and return takes functions only";
		return UPM_VERDICT_NOT_ENTRY;
	}
	if (planner->rules->timed_kinds & 1u << probe->kind)
		*reason = upm_return_hazard(planner->table, probe,
					    upm_probe_symbol(planner->table, probe), &hazard);
	return hazard;
}

static int count_slots(struct planner *planner)
{
	for (size_t i = 0; i < planner->table->probes.count; i++) {
		const char *reason;
		int32_t verdict = verdict_of(planner, i, &reason);

		if (verdict == UPM_VERDICT_OK)
			planner->slots[slot_of(planner, (uint32_t)i)]++;
		else if (upm_outcome_skip(planner->outcome, (uint32_t)i, verdict, reason))
			return UPM_ERR_MEMORY;
	}
	return UPM_OK;
}

static int make_groups(struct planner *planner)
{
	size_t slots = planner->table->files.count * KINDS;

	for (size_t slot = 0; slot < slots; slot++) {
		struct upm_plan_group group = group_of(planner, slot);

		group.first = planner->plan->count;
		group.count = planner->slots[slot];
		if (group.count && !upm_vector_push(&planner->plan->groups, group))
			return upm_fail_memory(operation);
		planner->slots[slot] = group.first;
		planner->plan->count += group.count;
	}
	return UPM_OK;
}

/* Semaphores and cookies are rare: without any, their arrays are not made. */
static bool needs_cookies(const struct planner *planner)
{
	for (size_t i = 0; i < planner->plan->groups.count; i++)
		if (planner->plan->groups.items[i].kind == UPM_KIND_USDT)
			return true;
	return planner->rules->cookie_is_index || planner->table->cookies.count;
}

static int allocate(struct planner *planner)
{
	struct upm_plan *plan = planner->plan;
	size_t count = plan->count + 1;
	bool ref_ctrs = any_ref_ctr(planner->table), cookies = needs_cookies(planner);
	size_t wide = 1u + ref_ctrs + cookies;

	plan->offsets = malloc(count * (wide * sizeof(*plan->offsets) + sizeof(*plan->probes)));
	if (!plan->offsets)
		return upm_fail_memory(operation);
	if (ref_ctrs)
		plan->ref_ctr_offsets = plan->offsets + count;
	if (cookies)
		plan->cookies = plan->offsets + (1u + ref_ctrs) * count;
	plan->probes = (uint32_t *)(plan->offsets + wide * count);
	return UPM_OK;
}

static void list_probes(struct planner *planner)
{
	const struct upm_skip *skip = planner->outcome->skipped.items;
	const struct upm_skip *end = skip + planner->outcome->skipped.count;

	for (size_t i = 0; i < planner->table->probes.count; i++) {
		if (skip < end && skip->index == i)
			skip++;
		else
			planner->plan->probes[planner->slots[slot_of(planner, (uint32_t)i)]++] =
				(uint32_t)i;
	}
}

static int by_offset(const void *left, const void *right, void *context)
{
	const struct upm_probe_entry *probes = context;
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	if (probes[a].offset != probes[b].offset)
		return probes[a].offset < probes[b].offset ? -1 : 1;
	return (a > b) - (a < b);
}

/* The resolver delivers rising offsets, so that sorting is the exception. */
static void sort_group(const struct planner *planner, const struct upm_plan_group *group)
{
	const struct upm_probe_entry *probes = planner->table->probes.items;
	uint32_t *order = planner->plan->probes + group->first;

	for (size_t i = 1; i < group->count; i++)
		if (probes[order[i]].offset < probes[order[i - 1]].offset) {
			qsort_r(order, group->count, sizeof(*order), by_offset, (void *)probes);
			return;
		}
}

static void fill_group(const struct planner *planner, struct upm_plan_group *group)
{
	struct upm_plan *plan = planner->plan;

	for (size_t i = group->first; i < group->first + group->count; i++) {
		uint32_t index = plan->probes[i];

		plan->offsets[i] = site_of(planner, index);
		if (plan->ref_ctr_offsets) {
			plan->ref_ctr_offsets[i] = ref_ctr_of(planner->table, index);
			group->has_ref_ctrs |= plan->ref_ctr_offsets[i] != 0;
		}
		if (plan->cookies) {
			plan->cookies[i] = planner->rules->cookie_is_index
						   ? index
						   : upm_probe_cookie(planner->table, index);
			group->has_cookies |= plan->cookies[i] != 0;
		}
	}
}

static int lay_out(struct planner *planner)
{
	int status = find_conflicts(planner);

	if (!status)
		status = count_slots(planner);
	if (!status)
		status = make_groups(planner);
	if (!status)
		status = allocate(planner);
	if (status)
		return status;
	list_probes(planner);
	for (size_t i = 0; i < planner->plan->groups.count; i++) {
		sort_group(planner, &planner->plan->groups.items[i]);
		fill_group(planner, &planner->plan->groups.items[i]);
	}
	return UPM_OK;
}

int upm_plan_open(struct upm_plan *plan, const struct upm_probe_table *table,
		  const struct upm_plan_rules *rules, struct upm_outcome *outcome)
{
	struct planner planner = {
		.plan = plan,
		.table = table,
		.rules = rules,
		.outcome = outcome,
		.slots = calloc(table->files.count * KINDS + 1, sizeof(size_t)),
	};
	int status;

	memset(plan, 0, sizeof(*plan));
	plan->many_files = rules->many_files;
	status = planner.slots ? lay_out(&planner) : upm_fail_memory(operation);
	free(planner.slots);
	free(planner.conflicts);
	return status;
}

static void move(uint64_t *items, size_t to, size_t from, size_t count)
{
	if (items)
		memmove(&items[to], &items[from], count * sizeof(*items));
}

static void move_elements(struct upm_plan *plan, size_t to, size_t from, size_t count)
{
	memmove(&plan->probes[to], &plan->probes[from], count * sizeof(*plan->probes));
	move(plan->offsets, to, from, count);
	move(plan->ref_ctr_offsets, to, from, count);
	move(plan->cookies, to, from, count);
}

void upm_plan_remove(struct upm_plan *plan, struct upm_plan_group *group, size_t position)
{
	size_t at = group->first + position;

	move_elements(plan, at, at + 1, group->count - position - 1);
	group->count--;
}

void upm_plan_close_gaps(struct upm_plan *plan, struct upm_plan_group *groups, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		size_t end = groups[i - 1].first + groups[i - 1].count;

		if (groups[i].first > end)
			move_elements(plan, end, groups[i].first, groups[i].count);
		groups[i].first = end;
	}
}

void upm_plan_close(struct upm_plan *plan)
{
	upm_vector_clear(&plan->groups);
	free(plan->offsets);
	memset(plan, 0, sizeof(*plan));
}

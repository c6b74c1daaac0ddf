/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "attach/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static size_t count_groups(const struct upm_plan *plan, size_t first)
{
	size_t end = first + 1;

	while (plan->many_files && end < plan->groups.count &&
	       plan->groups.items[end].kind == plan->groups.items[first].kind)
		end++;
	return end - first;
}

static size_t count_probes(const struct upm_bundle *bundle)
{
	size_t count = 0;

	for (size_t i = 0; i < bundle->group_count; i++)
		count += bundle->groups[i].count;
	return count;
}

int upm_bundle_open(struct upm_bundle *bundle, struct upm_attach_job *job, size_t first)
{
	*bundle = (struct upm_bundle){
		.job = job,
		.groups = &job->plan.groups.items[first],
		.group_count = count_groups(&job->plan, first),
	};
	bundle->count = count_probes(bundle);
	bundle->names = calloc(bundle->group_count, sizeof(*bundle->names));
	if (bundle->group_count > 1)
		bundle->paths = calloc(bundle->count + 1, sizeof(*bundle->paths));
	if (!bundle->names || (bundle->group_count > 1 && !bundle->paths))
		return upm_fail_memory("list the files of a link");
	upm_bundle_settle(bundle);
	return UPM_OK;
}

void upm_bundle_settle(struct upm_bundle *bundle)
{
	size_t at = 0;

	upm_plan_close_gaps(&bundle->job->plan, bundle->groups, bundle->group_count);
	bundle->count = count_probes(bundle);
	for (size_t i = 0; i < bundle->group_count; i++) {
		const char *path =
			upm_job_file_path(bundle->job, bundle->groups[i].file, bundle->names[i]);

		if (i == 0)
			bundle->path = path;
		for (size_t left = bundle->paths ? bundle->groups[i].count : 0; left > 0; left--)
			bundle->paths[at++] = (uint64_t)(uintptr_t)path;
	}
}

void upm_bundle_describe(const struct upm_bundle *bundle, size_t position, size_t count,
			 struct upm_multi_link *request)
{
	const struct upm_plan *plan = &bundle->job->plan;
	size_t first = bundle->groups[0].first + position;
	bool ref_ctrs = false, cookies = false;

	for (size_t i = 0; i < bundle->group_count; i++) {
		ref_ctrs |= bundle->groups[i].has_ref_ctrs;
		cookies |= bundle->groups[i].has_cookies;
	}
	request->offsets = plan->offsets + first;
	request->ref_ctr_offsets = ref_ctrs ? plan->ref_ctr_offsets + first : NULL;
	request->cookies = cookies ? plan->cookies + first : NULL;
	request->count = count;
	if (upm_bundle_files(bundle, position, count) > 1)
		request->paths = bundle->paths + position;
	else
		request->path = bundle->paths ? (const char *)(uintptr_t)bundle->paths[position]
					      : bundle->path;
}

struct upm_plan_group *upm_bundle_find(const struct upm_bundle *bundle, size_t *position)
{
	struct upm_plan_group *group = bundle->groups;

	for (; *position >= group->count; group++)
		*position -= group->count;
	return group;
}

size_t upm_bundle_files(const struct upm_bundle *bundle, size_t position, size_t count)
{
	size_t files = 1;

	for (size_t i = position + 1; bundle->paths && i < position + count; i++)
		files += bundle->paths[i] != bundle->paths[i - 1];
	return files;
}

void upm_bundle_close(struct upm_bundle *bundle)
{
	free(bundle->names);
	free(bundle->paths);
	memset(bundle, 0, sizeof(*bundle));
}

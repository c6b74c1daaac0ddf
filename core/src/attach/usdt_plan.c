/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The plan of a program built with <bpf/usdt.bpf.h>: what its probes' cookies were goes
 * into the program's maps, and in its place come the numbers of map elements.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "attach/features.h"
#include "attach/job.h"
#include "attach/usdt_claim.h"
#include "base/error.h"
#include "locate/process.h"
#include "usdt/libbpf_spec.h"

static const char operation[] = "give a USDT program its arguments";
static const char no_spec[] = "__bpf_usdt_specs is full: build the program with a larger "
			      "BPF_USDT_MAX_SPEC_CNT";
static const char no_address[] = "__bpf_usdt_ip_to_spec_id is full: build the program with a "
				 "larger BPF_USDT_MAX_IP_CNT";
static const char same_address[] = "another probe has its address in the program's map already";

struct usdt_plan {
	struct upm_attach_job *job;
	struct upm_usdt_claim *claim;
	struct upm_intern specs;
	uint32_t *numbers; /* of the spec of each element of the plan */
	bool cookies;	   /* the kernel hands them over */
	bool by_address;   /* the program looks addresses up */
};

static bool any_usdt(const struct upm_plan *plan)
{
	for (size_t i = 0; i < plan->groups.count; i++)
		if (plan->groups.items[i].kind == UPM_KIND_USDT)
			return true;
	return false;
}

/* ---- specs */

static bool add_spec(struct usdt_plan *usdt, size_t at)
{
	const struct upm_attach_job *job = usdt->job;
	const struct upm_probe_table *table = job->link->table;
	const struct upm_probe_entry *probe = &table->probes.items[job->plan.probes[at]];
	const struct upm_usdt_position position =
		upm_usdt_position_of(upm_probe_binary(table, probe), job->plan.offsets[at]);
	struct upm_usdt_argument arguments[UPM_USDT_ARGUMENTS_MAX];
	size_t count = upm_probe_table_arguments(table, probe, arguments);
	uint8_t spec[UPM_LIBBPF_SPEC_MAX];

	upm_libbpf_spec_write(spec, usdt->claim->maps.spec_size, &position, arguments, count,
			      job->plan.cookies[at]);
	return upm_intern_add(&usdt->specs, spec, &usdt->numbers[at]);
}

static int list_specs(struct usdt_plan *usdt)
{
	upm_intern_open(&usdt->specs, usdt->claim->maps.spec_size);
	usdt->numbers = calloc(usdt->job->plan.count + 1, sizeof(*usdt->numbers));
	if (!usdt->numbers)
		return upm_fail_memory(operation);
	for (size_t at = 0; at < usdt->job->plan.count; at++)
		if (!add_spec(usdt, at))
			return upm_fail_memory(operation);
	return UPM_OK;
}

/* ---- what the kernel is given */

static int skip(struct usdt_plan *usdt, struct upm_plan_group *group, size_t position,
		int32_t verdict, const char *reason)
{
	struct upm_plan *plan = &usdt->job->plan;
	uint32_t index = plan->probes[group->first + position];

	upm_plan_remove(plan, group, position);
	return upm_outcome_skip(&usdt->job->link->outcome, index, verdict, reason);
}

/* From the last on: those that are taken out move only such as are through. */
static int set_cookies(struct usdt_plan *usdt, struct upm_plan_group *group)
{
	const struct upm_usdt_claim *claim = usdt->claim;
	int status = UPM_OK;

	for (size_t i = group->count; i-- > 0 && !status;) {
		uint32_t number = usdt->numbers[group->first + i];

		if (number < claim->ids.count)
			usdt->job->plan.cookies[group->first + i] = claim->ids.items[number];
		else
			status = skip(usdt, group, i, UPM_VERDICT_NO_ROOM, no_spec);
	}
	return status;
}

/* ---- addresses, for programs that can not read cookies */

static int enter_address(struct usdt_plan *usdt, struct upm_plan_group *group, size_t position,
			 uint64_t address)
{
	uint32_t id = (uint32_t)usdt->job->plan.cookies[group->first + position];
	int failure = upm_usdt_claim_address(usdt->claim, address, id);

	switch (failure) {
	case 0:
		return UPM_OK;
	case EEXIST:
		return skip(usdt, group, position, UPM_VERDICT_CONFLICT, same_address);
	case E2BIG:
		return skip(usdt, group, position, UPM_VERDICT_NO_ROOM, no_address);
	default:
		return upm_fail(upm_status_of_errno(failure), failure, operation,
				"__bpf_usdt_ip_to_spec_id", NULL, "can not add address 0x%" PRIx64,
				address);
	}
}

/* The probes of a group in one mapping of its file; from the last on, as above. */
static int enter_mapping(struct usdt_plan *usdt, struct upm_plan_group *group,
			 const struct upm_mapping *mapping)
{
	uint64_t length = mapping->end - mapping->start;
	int status = UPM_OK;

	for (size_t i = group->count; i-- > 0 && !status;) {
		uint64_t offset = usdt->job->plan.offsets[group->first + i];

		if (offset >= mapping->offset && offset - mapping->offset < length)
			status = enter_address(usdt, group, i,
					       mapping->start + offset - mapping->offset);
	}
	return status;
}

static int enter_process(struct usdt_plan *usdt, struct upm_plan_group *group, int32_t pid)
{
	const struct upm_binary *binary = usdt->job->link->table->files.items[group->file].binary;
	struct upm_mappings mappings;
	int status = upm_process_mappings(pid, &mappings);

	if (status) /* for one that has ended the kernel says so */
		return status == UPM_ERR_NOT_FOUND ? UPM_OK : status;
	for (size_t i = 0; i < mappings.list.count && !status; i++) {
		const struct upm_mapping *mapping = &mappings.list.items[i];

		if (mapping->executable &&
		    upm_process_maps_file(pid, mapping, binary->device, binary->inode))
			status = enter_mapping(usdt, group, mapping);
	}
	upm_mappings_clear(&mappings);
	return status;
}

static int enter_addresses(struct usdt_plan *usdt, struct upm_plan_group *group)
{
	const struct upm_scope *scope = usdt->job->scope;
	int status = UPM_OK;

	for (size_t i = 0; i < scope->processes.count && !status; i++)
		status = enter_process(usdt, group, scope->processes.items[i]);
	return status;
}

/* A program that was told of no cookies looks addresses up whatever the kernel can do. */
static int choose_way(struct usdt_plan *usdt)
{
	const struct upm_attach_job *job = usdt->job;

	usdt->cookies = job->link->backend == UPM_BACKEND_UPROBE_MULTI ||
			upm_kernel_features()->perf_cookie == UPM_YES;
	usdt->by_address =
		!usdt->cookies || (usdt->claim->maps.ips_fd >= 0 && !usdt->claim->maps.kconfig);
	if (!usdt->by_address)
		return UPM_OK;
	if (usdt->claim->maps.ips_fd < 0)
		return upm_fail(UPM_ERR_UNSUPPORTED, 0, operation, NULL,
				"use a kernel from 5.15 on, or build the program with "
				"<bpf/usdt.bpf.h> as it is",
				"this kernel has no cookies for perf events, and the program "
				"has no map __bpf_usdt_ip_to_spec_id");
	if (job->scope->processes.count)
		return UPM_OK;
	return upm_fail(
		UPM_ERR_UNSUPPORTED, 0, operation, NULL, "name the processes to observe",
		"the program tells its probes by their addresses, which differ from process "
		"to process");
}

static int fill_groups(struct usdt_plan *usdt)
{
	struct upm_plan *plan = &usdt->job->plan;
	int status = UPM_OK;

	for (size_t i = 0; i < plan->groups.count && !status; i++) {
		status = set_cookies(usdt, &plan->groups.items[i]);
		if (!status && usdt->by_address)
			status = enter_addresses(usdt, &plan->groups.items[i]);
		plan->groups.items[i].has_cookies = usdt->cookies;
	}
	return status;
}

static int rewrite(struct usdt_plan *usdt)
{
	int status = choose_way(usdt);

	if (!status)
		status = list_specs(usdt);
	if (!status)
		status = upm_usdt_claim_specs(usdt->claim, &usdt->specs);
	if (!status)
		status = fill_groups(usdt);
	upm_intern_close(&usdt->specs);
	free(usdt->numbers);
	return status;
}

int upm_usdt_plan(struct upm_attach_job *job)
{
	struct usdt_plan usdt = {.job = job};
	int status;

	if (!any_usdt(&job->plan))
		return UPM_OK;
	usdt.claim = calloc(1, sizeof(*usdt.claim));
	if (!usdt.claim)
		return upm_fail_memory(operation);
	usdt.claim->owner = getpid();
	job->link->usdt = usdt.claim;
	status = upm_usdt_maps_find(job->programs[0].fd, &usdt.claim->maps);
	if (status || usdt.claim->maps.specs_fd < 0)
		return status;
	return rewrite(&usdt);
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "attach/outcome.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/bpf_uapi.h"
#include "base/error.h"

static const char operation[] = "attach probes";

int upm_outcome_open(struct upm_outcome *outcome)
{
	memset(outcome, 0, sizeof(*outcome));
	outcome->strings = upm_strings_new();
	return outcome->strings ? UPM_OK : upm_fail_memory(operation);
}

static int push(struct upm_outcome *outcome, struct upm_skip skip)
{
	return upm_vector_push(&outcome->skipped, skip) ? UPM_OK : upm_fail_memory(operation);
}

int upm_outcome_skip(struct upm_outcome *outcome, uint32_t index, int32_t verdict,
		     const char *reason)
{
	return push(outcome, (struct upm_skip){
				     .index = index,
				     .verdict = (uint8_t)verdict,
				     .reason = reason,
			     });
}

static const char *errno_text(int sys_errno)
{
	switch (sys_errno) {
	case UPM_ENOTSUPP:
		return "ENOTSUPP: it can not run the instruction there out of line";
	case EINVAL:
		return "EINVAL: the offset or its reference counter is not usable";
	case EIO:
		return "EIO: its file system can not be probed";
	default:
		return strerror(sys_errno);
	}
}

int upm_outcome_refuse(struct upm_outcome *outcome, uint32_t index, int sys_errno)
{
	const char *reason = upm_strings_format(outcome->strings, "the kernel refused it with %s",
						errno_text(sys_errno));

	if (!reason)
		return upm_fail_memory(operation);
	return push(outcome, (struct upm_skip){
				     .index = index,
				     .verdict = UPM_VERDICT_REFUSED,
				     .sys_errno = sys_errno,
				     .reason = reason,
			     });
}

static int by_index(const void *left, const void *right)
{
	const struct upm_skip *a = left, *b = right;

	return (a->index > b->index) - (a->index < b->index);
}

int upm_outcome_finish(struct upm_outcome *outcome, size_t probe_count)
{
	if (outcome->skipped.count)
		qsort(outcome->skipped.items, outcome->skipped.count,
		      sizeof(*outcome->skipped.items), by_index);
	outcome->attached_count = probe_count - outcome->skipped.count;
	return UPM_OK;
}

/* Few are skipped: how many before the one wanted is searched for, instead of listing the others.
 */
uint32_t upm_outcome_attached(const struct upm_outcome *outcome, size_t position)
{
	size_t low = 0, high = outcome->skipped.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (outcome->skipped.items[middle].index - middle <= position)
			low = middle + 1;
		else
			high = middle;
	}
	return (uint32_t)(position + low);
}

static int fail_nothing(const struct upm_outcome *outcome)
{
	size_t counts[256] = {0};
	char text[512] = "";
	size_t length = 0;

	for (size_t i = 0; i < outcome->skipped.count; i++)
		counts[outcome->skipped.items[i].verdict]++;
	for (int verdict = 0; verdict < 256; verdict++)
		if (counts[verdict] && length < sizeof(text))
			length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%zu %s",
						   length ? ", " : "", counts[verdict],
						   upm_verdict_name(verdict));
	return upm_fail(UPM_ERR_NOTHING, 0, operation, NULL,
			outcome->skipped.count ? "look at the verdict and reason of each probe"
					       : "resolve specs that match something first",
			"no probe of the set can be attached: %s",
			outcome->skipped.count ? text : "the set is empty");
}

static int fail_strict(const struct upm_skip *skip, const struct upm_probe_table *table)
{
	struct upm_probe probe;

	upm_probe_table_describe(table, skip->index, &probe);
	return upm_fail(UPM_ERR_STRICT, skip->sys_errno, operation,
			*probe.symbol ? probe.symbol : probe.path,
			"leave this probe out, or attach without UPM_ATTACH_STRICT",
			"probe %u at %s+0x%llx would be skipped (%s)%s%s", skip->index, probe.path,
			(unsigned long long)probe.offset, upm_verdict_name(skip->verdict),
			skip->reason || *probe.reason ? ": " : "",
			skip->reason ? skip->reason : probe.reason);
}

static const struct upm_skip *first_skipped(const struct upm_outcome *outcome)
{
	const struct upm_skip *first = &outcome->skipped.items[0];

	for (size_t i = 1; i < outcome->skipped.count; i++)
		if (outcome->skipped.items[i].index < first->index)
			first = &outcome->skipped.items[i];
	return first;
}

int upm_outcome_judge(const struct upm_outcome *outcome, const struct upm_probe_table *table,
		      bool strict)
{
	if (outcome->skipped.count >= table->probes.count)
		return fail_nothing(outcome);
	if (strict && outcome->skipped.count)
		return fail_strict(first_skipped(outcome), table);
	return UPM_OK;
}

void upm_outcome_close(struct upm_outcome *outcome)
{
	upm_vector_clear(&outcome->skipped);
	upm_strings_unref(outcome->strings);
	memset(outcome, 0, sizeof(*outcome));
}

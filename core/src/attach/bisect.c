/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Rounds of trial links: what is refused is halved for the next round, what is accepted
 * is done with. A refusal makes the kernel take back what it had armed and wait for
 * a grace period, so the small trials of a round run side by side; large ones would
 * fight over the kernel's semaphore and go one by one. Accepted trials are
 * closed side by side too, but in batches: each holds a descriptor.
 */
#include "attach/bisect.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/parallel.h"
#include "attach/shelter.h"
#include "base/descriptors.h"
#include "base/error.h"

#define TRIAL_THREADS 32
#define SMALL_TRIAL 2048 /* probes */
#define BATCH 128	 /* trials made, or kept, at once */

static const char operation[] = "find the probes that the kernel refuses";

struct trial {
	size_t first, count;
	int result; /* descriptor or negative errno */
};

struct search {
	struct upm_multi_link link; /* with the no-op program */
	UPM_VECTOR(struct trial) round;
	UPM_VECTOR(struct trial) next;
	UPM_VECTOR(int) accepted;
	struct upm_refusals *refusals;
	int sys_errno;
};

bool upm_errno_is_of_probe(int sys_errno)
{
	switch (sys_errno) {
	case UPM_ENOTSUPP:
	case EINVAL:
	case ENOEXEC:
	case EFAULT:
	case ERANGE:
	case EOPNOTSUPP:
	case EBUSY:
	case EEXIST:
		return true;
	default:
		return false;
	}
}

bool upm_errno_is_of_file(int sys_errno)
{
	return sys_errno == EIO || sys_errno == EBADF || sys_errno == ENOENT ||
	       sys_errno == ENOTDIR || sys_errno == ELOOP;
}

static void try_one(void *context, size_t index)
{
	struct search *search = context;
	struct trial *trial = &search->round.items[index];
	struct upm_multi_link link = search->link;

	link.offsets += trial->first;
	if (link.paths)
		link.paths += trial->first;
	if (link.ref_ctr_offsets)
		link.ref_ctr_offsets += trial->first;
	if (link.cookies)
		link.cookies += trial->first;
	link.count = trial->count;
	do
		trial->result = upm_sys_link_multi(&link);
	while (trial->result == -EINTR);
}

static bool is_small(const struct search *search)
{
	for (size_t i = 0; i < search->round.count; i++)
		if (search->round.items[i].count > SMALL_TRIAL)
			return false;
	return true;
}

static bool has_many_files(const struct search *search, const struct trial *trial)
{
	const uint64_t *paths = search->link.paths;

	return paths && paths[trial->first] != paths[trial->first + trial->count - 1];
}

/* Many files are parted between two of them. */
static size_t half_of(const struct search *search, const struct trial *trial)
{
	const uint64_t *paths = search->link.paths + trial->first;
	size_t middle = trial->count / 2, at = middle;

	if (!has_many_files(search, trial))
		return middle;
	while (at < trial->count && paths[at] == paths[at - 1])
		at++;
	if (at < trial->count)
		return at;
	for (at = middle; paths[at] == paths[at - 1];)
		at--;
	return at;
}

static bool halve(struct search *search, const struct trial *trial)
{
	struct trial left = {.first = trial->first, .count = half_of(search, trial)};
	struct trial right = {
		.first = trial->first + left.count,
		.count = trial->count - left.count,
	};

	return upm_vector_push(&search->next, left) && upm_vector_push(&search->next, right);
}

/* Results are read in the order of the offsets, so refusals of one round come in order. */
static bool digest(struct search *search, const struct trial *trial)
{
	struct upm_refusal refusal = {
		.position = trial->first,
		.count = trial->count,
		.sys_errno = -trial->result,
	};
	bool of_file = search->link.paths && upm_errno_is_of_file(-trial->result);

	if (!of_file && !upm_errno_is_of_probe(-trial->result)) {
		search->sys_errno = -trial->result;
		return true;
	}
	if (trial->count == 1 || (of_file && !has_many_files(search, trial)))
		return upm_vector_push(&search->refusals->list, refusal);
	return halve(search, trial);
}

static void close_accepted(struct search *search)
{
	upm_shelter_close_all(search->accepted.items, search->accepted.count);
	search->accepted.count = 0;
}

static bool collect(struct search *search, size_t first, size_t end)
{
	bool ok = true;

	for (size_t i = first; i < end; i++) {
		const struct trial *trial = &search->round.items[i];

		if (trial->result < 0)
			ok = digest(search, trial) && ok;
		else if (!upm_vector_push(&search->accepted, trial->result)) {
			upm_shelter_close(trial->result);
			ok = false;
		}
	}
	if (search->accepted.count >= BATCH)
		close_accepted(search);
	return ok;
}

struct batch {
	struct search *search;
	size_t first;
};

static void try_of_batch(void *context, size_t index)
{
	const struct batch *batch = context;

	try_one(batch->search, batch->first + index);
}

static bool run_batches(struct search *search)
{
	size_t threads = is_small(search) ? TRIAL_THREADS : 1;
	bool ok = true;

	for (size_t first = 0; first < search->round.count && ok && !search->sys_errno;
	     first += BATCH) {
		struct batch batch = {.search = search, .first = first};
		size_t left = search->round.count - first;
		size_t count = left < BATCH ? left : BATCH;

		upm_parallel(count, threads, try_of_batch, &batch);
		ok = collect(search, first, first + count);
	}
	return ok;
}

static int run_round(struct search *search)
{
	search->next.count = 0;
	if (!run_batches(search))
		return upm_fail_memory(operation);
	search->round.count = 0;
	for (size_t i = 0; i < search->next.count; i++)
		if (!upm_vector_push(&search->round, search->next.items[i]))
			return upm_fail_memory(operation);
	return UPM_OK;
}

static int by_position(const void *left, const void *right)
{
	const struct upm_refusal *a = left, *b = right;

	return (a->position > b->position) - (a->position < b->position);
}

static void close_search(struct search *search)
{
	close_accepted(search);
	if (search->refusals->list.count)
		qsort(search->refusals->list.items, search->refusals->list.count,
		      sizeof(*search->refusals->list.items), by_position);
	upm_vector_clear(&search->round);
	upm_vector_clear(&search->next);
	upm_vector_clear(&search->accepted);
	close(search->link.program_fd);
}

int upm_bisect(const struct upm_multi_link *link, int (*go_on)(void *context), void *context,
	       struct upm_refusals *refusals, int *sys_errno)
{
	struct search search = {.link = *link, .refusals = refusals};
	const struct trial whole = {.count = link->count};
	struct rlimit limit;
	int status = UPM_OK;

	upm_descriptors_reserve(2 * BATCH, &limit);
	search.link.program_fd = upm_sys_program_load_nop(link->attach_type);
	*sys_errno = 0;
	if (search.link.program_fd < 0) {
		*sys_errno = -search.link.program_fd;
		return UPM_OK;
	}
	if (!upm_vector_push(&search.round, whole))
		status = upm_fail_memory(operation);
	while (!status && search.round.count && !search.sys_errno) {
		status = run_round(&search);
		if (!status)
			status = go_on(context);
	}
	*sys_errno = search.sys_errno;
	close_search(&search);
	return status;
}

void upm_refusals_clear(struct upm_refusals *refusals)
{
	upm_vector_clear(&refusals->list);
}

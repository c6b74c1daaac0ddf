/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "attach/link.h"

#include <linux/membarrier.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/parallel.h"
#include "attach/shelter.h"
#include "attach/sys.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/options.h"

struct upm_link *upm_link_new(struct upm_probe_table *table)
{
	struct upm_link *link = calloc(1, sizeof(*link));

	if (!link)
		return NULL;
	if (upm_outcome_open(&link->outcome)) {
		free(link);
		return NULL;
	}
	link->table = upm_probe_table_ref(table);
	return link;
}

struct closing {
	const struct upm_kernel_handle *handles;
	uint8_t program;
	bool large;
};

/* Probes of a link whose end is mostly work, beside the grace period that each waits for. */
#define LARGE 256

static void close_handle(void *context, size_t index)
{
	const struct closing *closing = context;
	const struct upm_kernel_handle *handle = &closing->handles[index];

	if (handle->program == closing->program && (handle->probes > LARGE) == closing->large)
		upm_shelter_close(handle->fd);
}

static uint8_t last_program(const struct upm_kernel_handle *handles, size_t count)
{
	uint8_t last = 0;

	for (size_t i = 0; i < count; i++)
		if (handles[i].program > last)
			last = handles[i].program;
	return last;
}

/*
 * Small links end side by side, since each mostly waits for a grace period. Large ones end one
 * after another: side by side they fight over the semaphore that every breakpoint is taken out
 * under, and with busy targets take several times as long.
 *
 * Programs that share an attach go in the reverse of the order in which they came: one may count on
 * what another does later in the same call.
 */
static void close_links(const struct upm_kernel_handle *handles, size_t count)
{
	struct closing closing = {.handles = handles, .program = last_program(handles, count)};

	do {
		closing.large = false;
		upm_parallel(count, SIZE_MAX, close_handle, &closing);
		closing.large = true;
		upm_parallel(count, 1, close_handle, &closing);
	} while (closing.program--);
}

/* Events without a program: what is left of them is the kernel's to take back. */
static void release_events(const struct upm_kernel_handle *handles, size_t count)
{
	int *events = malloc((count + 1) * sizeof(*events));
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		if (handles[i].event_fd < 0)
			continue;
		if (events)
			events[found++] = handles[i].event_fd;
		else
			upm_shelter_close(handles[i].event_fd);
	}
	if (found) {
		syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
		upm_shelter_close_behind(events, found);
	}
	free(events);
}

void upm_link_drop_handles(struct upm_link *link, size_t first)
{
	size_t count = link->handles.count - first;

	if (first >= link->handles.count)
		return;
	close_links(link->handles.items + first, count);
	release_events(link->handles.items + first, count);
	link->handles.count = first;
}

size_t upm_link_attached(const struct upm_link *link)
{
	return link ? link->outcome.attached_count : 0;
}

size_t upm_link_skipped(const struct upm_link *link)
{
	return link ? link->outcome.skipped.count : 0;
}

static int fail_index(size_t index, size_t count, const char *what)
{
	return upm_fail(UPM_ERR_INVALID, 0, "describe a part of a link", what, NULL,
			"number %zu is out of range: there are %zu", index, count);
}

static void describe(const struct upm_link *link, uint32_t index, struct upm_probe *probe)
{
	upm_probe_table_describe(link->table, index, probe);
	upm_sites_describe(link->sites, index, probe);
	if (link->cookie_is_index)
		probe->cookie = index;
}

int32_t upm_link_attached_get(const struct upm_link *link, size_t index, struct upm_probe *probe)
{
	struct upm_probe found;

	if (index >= upm_link_attached(link))
		return fail_index(index, upm_link_attached(link), "attached probe");
	describe(link, upm_outcome_attached(&link->outcome, index), &found);
	found.verdict = UPM_VERDICT_OK; /* whatever a file that has changed since looks like */
	return upm_options_write(probe, &found, sizeof(found), "struct upm_probe");
}

int32_t upm_link_skipped_get(const struct upm_link *link, size_t index, struct upm_probe *probe)
{
	const struct upm_skip *skip;
	struct upm_probe found;

	if (index >= upm_link_skipped(link))
		return fail_index(index, upm_link_skipped(link), "skipped probe");
	skip = &link->outcome.skipped.items[index];
	describe(link, skip->index, &found);
	found.verdict = skip->verdict;
	found.sys_errno = skip->sys_errno;
	if (skip->reason)
		found.reason = skip->reason;
	return upm_options_write(probe, &found, sizeof(found), "struct upm_probe");
}

uint32_t upm_link_backend(const struct upm_link *link)
{
	return link ? link->backend : UPM_BACKEND_AUTO;
}

uint64_t upm_link_attach_ns(const struct upm_link *link)
{
	return link ? link->attach_ns : 0;
}

size_t upm_link_kernel_links(const struct upm_link *link)
{
	return link ? link->handles.count : 0;
}

/* A bare perf event (before perf links, 5.15) has no id: the query fails. */
static uint32_t link_id(int fd)
{
	struct upm_bpf_link_info info = {0};

	return upm_sys_object_info(fd, &info, sizeof(info)) ? 0 : info.id;
}

int32_t upm_link_kernel_get(const struct upm_link *link, size_t index,
			    struct upm_kernel_link *kernel_link)
{
	const struct upm_kernel_handle *handle;
	struct upm_kernel_link found = {.size = sizeof(found)};

	if (index >= upm_link_kernel_links(link))
		return fail_index(index, upm_link_kernel_links(link), "kernel link");
	handle = &link->handles.items[index];
	found.path = link->table->files.items[handle->file].path;
	found.probes = handle->probes;
	found.id = link_id(handle->fd);
	found.fd = handle->fd;
	found.kind = handle->kind;
	found.pid = handle->pid;
	found.files = handle->files;
	return upm_options_write(kernel_link, &found, sizeof(found), "struct upm_kernel_link");
}

/* Probes first: a program that still runs shall find its arguments. */
static void end(struct upm_link *link)
{
	upm_link_drop_handles(link, 0);
	upm_usdt_claim_end(link->usdt);
	link->usdt = NULL;
}

int32_t upm_link_detach(struct upm_link *link, uint64_t *elapsed_ns)
{
	uint64_t start = upm_now_ns();

	if (!link)
		return upm_fail(UPM_ERR_INVALID, 0, "detach a link", NULL, NULL, "link is NULL");
	end(link);
	if (elapsed_ns)
		*elapsed_ns = upm_now_ns() - start;
	return UPM_OK;
}

void upm_link_free(struct upm_link *link)
{
	if (!link)
		return;
	end(link);
	upm_vector_clear(&link->handles);
	upm_outcome_close(&link->outcome);
	upm_probe_table_unref(link->table);
	upm_sites_unref(link->sites);
	free(link);
}

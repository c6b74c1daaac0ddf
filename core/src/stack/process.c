/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "stack/process.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"

#define CHECK_EVERY_NS 20000000u
#define SHARE_OF_READING 10 /* at most one part in so many of the time goes into reading */

/* Good to a few milliseconds, and much cheaper than upm_now_ns(): each frame asks for it. */
static uint64_t roughly_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

struct upm_stack_process *upm_stack_process_new(int32_t pid)
{
	struct upm_stack_process *process = calloc(1, sizeof(*process));

	if (process)
		process->pid = pid;
	return process;
}

static void free_regions(struct upm_stack_process *process)
{
	for (size_t i = 0; i < process->regions.count; i++) {
		free(process->regions.items[i].mapping.path);
		upm_image_let_go(process->regions.items[i].image);
	}
	upm_vector_clear(&process->regions);
}

void upm_stack_process_free(struct upm_stack_process *process)
{
	if (!process)
		return;
	free_regions(process);
	upm_jit_close(&process->jit);
	free(process);
}

/* ---- which program it is */

/* Fields 22, 26 and 28 of /proc/PID/stat, counted from behind the name, which may hold anything. */
static bool read_incarnation(int32_t pid, struct upm_incarnation *found)
{
	char path[64], text[1024];
	const char *at;
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/%" PRId32 "/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	text[length > 0 ? length : 0] = '\0';
	at = strrchr(text, ')');
	return at && sscanf(at + 1,
			    " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
			    "%*d %*d %" SCNu64 " %*u %*d %*u %" SCNu64 " %*u %" SCNu64,
			    &found->started, &found->code_start, &found->stack_start) == 3;
}

/* ---- mappings */

static const struct upm_region *same_region(const struct upm_stack_process *process,
					    const struct upm_mapping *mapping)
{
	for (size_t i = 0; i < process->regions.count; i++) {
		const struct upm_mapping *before = &process->regions.items[i].mapping;

		if (before->start == mapping->start && before->end == mapping->end &&
		    before->offset == mapping->offset && before->device == mapping->device &&
		    before->inode == mapping->inode)
			return &process->regions.items[i];
	}
	return NULL;
}

/* Paths change their owner. @return false when out of memory */
static bool take_executable(const struct upm_stack_process *process, struct upm_mappings *mappings,
			    struct upm_stack_process *fresh)
{
	for (size_t i = 0; i < mappings->list.count; i++) {
		struct upm_region region = {.mapping = mappings->list.items[i]};
		const struct upm_region *before;

		if (!region.mapping.executable)
			continue;
		before = same_region(process, &region.mapping);
		if (before)
			region.image = before->image;
		if (!upm_vector_push(&fresh->regions, region))
			return false;
		upm_image_hold(region.image);
		mappings->list.items[i].path = NULL;
	}
	return true;
}

/* @return UPM_OK, UPM_ERR_MEMORY, or why the mappings stay as they were */
static int read_regions(struct upm_stack_process *process)
{
	struct upm_stack_process fresh = {0};
	struct upm_mappings mappings;
	struct upm_error_copy before;
	int status;

	upm_error_take(&before);
	status = upm_process_mappings(process->pid, &mappings);
	upm_error_put_back(&before);
	if (status)
		return status;
	if (!take_executable(process, &mappings, &fresh)) {
		free_regions(&fresh);
		status = UPM_ERR_MEMORY;
	} else if (fresh.regions.count) {
		free_regions(process);
		process->regions.items = fresh.regions.items;
		process->regions.count = fresh.regions.count;
		process->regions.capacity = fresh.regions.capacity;
	}
	upm_mappings_clear(&mappings);
	return status;
}

static int read_again(struct upm_stack_process *process)
{
	uint64_t start = upm_now_ns(), end;
	int status = read_regions(process);

	end = upm_now_ns();
	process->not_before = end + (end - start) * SHARE_OF_READING;
	return status == UPM_ERR_MEMORY ? UPM_ERR_MEMORY : UPM_OK;
}

static void forget(struct upm_stack_process *process)
{
	free_regions(process);
	upm_jit_close(&process->jit);
	memset(&process->jit, 0, sizeof(process->jit));
}

int upm_stack_process_check(struct upm_stack_process *process)
{
	const struct upm_incarnation before = process->incarnation;
	struct upm_incarnation now;
	uint64_t time = roughly_now_ns();

	if (process->checked && time - process->checked < CHECK_EVERY_NS)
		return UPM_OK;
	process->checked = time;
	if (!read_incarnation(process->pid, &now) || !now.stack_start)
		return UPM_OK; /* it has ended: what was found stays */
	if (memcmp(&now, &before, sizeof(now)) == 0)
		return UPM_OK;
	process->incarnation = now;
	if (before.stack_start || now.started != before.started)
		forget(process);
	return read_again(process);
}

static struct upm_region *find_region(const struct upm_stack_process *process, uint64_t address)
{
	size_t low = 0, high = process->regions.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (process->regions.items[middle].mapping.end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < process->regions.count && process->regions.items[low].mapping.start <= address)
		return &process->regions.items[low];
	return NULL;
}

int upm_stack_process_region(struct upm_stack_process *process, uint64_t address,
			     struct upm_region **region)
{
	int status = UPM_OK;

	*region = find_region(process, address);
	if (*region || roughly_now_ns() < process->not_before)
		return UPM_OK;
	status = read_again(process);
	*region = find_region(process, address);
	return status;
}

const struct upm_jit_function *upm_stack_process_jit(struct upm_stack_process *process,
						     uint64_t address)
{
	const struct upm_jit_function *function = upm_jit_find(&process->jit, address);
	uint64_t start, end;

	if (function || roughly_now_ns() < process->not_before)
		return function;
	start = upm_now_ns();
	upm_jit_update(&process->jit, process->pid);
	end = upm_now_ns();
	process->not_before = end + (end - start) * SHARE_OF_READING;
	return upm_jit_find(&process->jit, address);
}

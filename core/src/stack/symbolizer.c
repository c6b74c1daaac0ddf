/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/options.h"
#include "stack/process.h"
#include "uprobe_multi.h"

/* Of those that were asked for last. */
enum { MOST_PROCESSES = 1024 };

static const char operation[] = "find out what lies at an address";

struct upm_symbolizer {
	UPM_VECTOR(struct upm_stack_process *) processes; /* by pid */
	struct upm_stack_process *last;
	struct upm_images images;
	uint64_t clock; /* goes on with each question */
};

int32_t upm_symbolizer_new(struct upm_symbolizer **out)
{
	if (!out)
		return upm_fail(UPM_ERR_INVALID, 0, "make a symbolizer", NULL, NULL, "out is NULL");
	*out = calloc(1, sizeof(**out));
	return *out ? UPM_OK : upm_fail_memory("make a symbolizer");
}

void upm_symbolizer_free(struct upm_symbolizer *symbolizer)
{
	if (!symbolizer)
		return;
	for (size_t i = 0; i < symbolizer->processes.count; i++)
		upm_stack_process_free(symbolizer->processes.items[i]);
	upm_vector_clear(&symbolizer->processes);
	upm_images_close(&symbolizer->images);
	free(symbolizer);
}

/* ---- processes */

/* Where it is in the list, or would be. */
static size_t position_of(const struct upm_symbolizer *symbolizer, int32_t pid)
{
	size_t low = 0, high = symbolizer->processes.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (symbolizer->processes.items[middle]->pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void remove_oldest(struct upm_symbolizer *symbolizer)
{
	struct upm_stack_process **items = symbolizer->processes.items;
	size_t oldest = 0;

	for (size_t i = 1; i < symbolizer->processes.count; i++)
		if (items[i]->used < items[oldest]->used)
			oldest = i;
	upm_stack_process_free(items[oldest]);
	symbolizer->processes.count--;
	memmove(&items[oldest], &items[oldest + 1],
		(symbolizer->processes.count - oldest) * sizeof(*items));
	symbolizer->last = NULL;
}

static struct upm_stack_process *add(struct upm_symbolizer *symbolizer, int32_t pid)
{
	struct upm_stack_process *process = upm_stack_process_new(pid);
	size_t at;

	if (!process)
		return NULL;
	if (symbolizer->processes.count == MOST_PROCESSES)
		remove_oldest(symbolizer);
	if (!upm_vector_reserve(&symbolizer->processes, 1)) {
		upm_stack_process_free(process);
		return NULL;
	}
	at = position_of(symbolizer, pid);
	memmove(&symbolizer->processes.items[at + 1], &symbolizer->processes.items[at],
		(symbolizer->processes.count - at) * sizeof(*symbolizer->processes.items));
	symbolizer->processes.items[at] = process;
	symbolizer->processes.count++;
	return process;
}

static struct upm_stack_process *process_of(struct upm_symbolizer *symbolizer, int32_t pid)
{
	size_t at;

	if (symbolizer->last && symbolizer->last->pid == pid)
		return symbolizer->last;
	at = position_of(symbolizer, pid);
	if (at < symbolizer->processes.count && symbolizer->processes.items[at]->pid == pid)
		symbolizer->last = symbolizer->processes.items[at];
	else
		symbolizer->last = add(symbolizer, pid);
	return symbolizer->last;
}

/* ---- places */

/* The call before a return address may be the last instruction of its function. */
static void name_from_file(struct upm_region *region, uint64_t offset, bool after_call,
			   struct upm_place *place)
{
	uint64_t start;
	const char *name = upm_image_function(region->image, offset - after_call, &start);

	if (!name)
		return;
	place->symbol = name;
	place->offset = offset - start;
}

static void name_from_jit(struct upm_stack_process *process, uint64_t address, bool after_call,
			  struct upm_place *place)
{
	const struct upm_jit_function *function =
		upm_stack_process_jit(process, address - after_call);

	if (!function)
		return;
	place->path = process->jit.path;
	place->symbol = function->name;
	place->offset = address - function->start;
	place->file_offset = 0;
}

/* What was found before stays where the file can not be reached any more. */
static int ask_for_image(struct upm_symbolizer *symbolizer, const struct upm_stack_process *process,
			 struct upm_region *region)
{
	struct upm_image *image;
	int status;

	if (region->asked)
		return UPM_OK;
	status = upm_images_of_mapping(&symbolizer->images, process->pid, &region->mapping, &image);
	if (status)
		return status;
	region->asked = true;
	if (image) {
		upm_image_hold(image);
		upm_image_let_go(region->image);
		region->image = image;
	}
	return UPM_OK;
}

static int describe(struct upm_symbolizer *symbolizer, struct upm_stack_process *process,
		    uint64_t address, bool after_call, struct upm_place *place)
{
	struct upm_region *region;
	int status = upm_stack_process_region(process, address - after_call, &region);

	if (status || !region)
		return status;
	status = ask_for_image(symbolizer, process, region);
	if (status)
		return status;
	place->path = region->mapping.path;
	place->file_offset = address - region->mapping.start + region->mapping.offset;
	place->offset = place->file_offset;
	if (region->image)
		name_from_file(region, place->file_offset, after_call, place);
	if (!region->image || !region->image->binary)
		name_from_jit(process, address, after_call, place);
	return UPM_OK;
}

int32_t upm_symbolizer_find(struct upm_symbolizer *symbolizer, int32_t pid, uint64_t address,
			    int32_t after_call, struct upm_place *place)
{
	struct upm_place found = {.size = sizeof(found), .path = "", .symbol = ""};
	struct upm_stack_process *process;
	int status;

	if (!symbolizer || pid <= 0 || !place)
		return upm_fail(UPM_ERR_INVALID, 0, operation, NULL, NULL, "%s",
				pid <= 0 ? "pid is no process" : "an argument is NULL");
	process = process_of(symbolizer, pid);
	if (!process)
		return upm_fail_memory(operation);
	process->used = ++symbolizer->clock;
	status = upm_stack_process_check(process);
	if (!status && address)
		status = describe(symbolizer, process, address, after_call != 0, &found);
	if (status)
		return upm_fail_memory(operation);
	return upm_options_write(place, &found, sizeof(found), "struct upm_place");
}

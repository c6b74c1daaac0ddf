// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "comms.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const struct cli_comm *comm, int32_t pid, int32_t tid)
{
	if (comm->pid != pid)
		return comm->pid < pid ? -1 : 1;
	return (comm->tid > tid) - (comm->tid < tid);
}

/* @return where it is, or belongs. */
static size_t position_of(const struct cli_comms *comms, int32_t pid, int32_t tid)
{
	size_t low = 0, high = comms->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&comms->list[middle], pid, tid) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct cli_comms *comms, size_t at, int32_t pid, int32_t tid)
{
	return at < comms->count && compare(&comms->list[at], pid, tid) == 0;
}

static void read_name(struct cli_comm *comm)
{
	char path[64];
	FILE *file;

	if (comm->tid)
		snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", comm->pid, comm->tid);
	else
		snprintf(path, sizeof(path), "/proc/%d/comm", comm->pid);
	file = fopen(path, "re");
	if (!file)
		return;
	if (fgets(comm->name, sizeof(comm->name), file))
		comm->name[strcspn(comm->name, "\n")] = '\0';
	fclose(file);
}

int cli_comms_note(struct cli_comms *comms, int32_t pid, int32_t tid)
{
	size_t at = position_of(comms, pid, tid);
	struct cli_comm *grown;

	if (is_at(comms, at, pid, tid))
		return 0;
	if (comms->count == comms->capacity) {
		comms->capacity = comms->capacity ? 2 * comms->capacity : 64;
		grown = reallocarray(comms->list, comms->capacity, sizeof(*grown));
		if (!grown)
			return -1;
		comms->list = grown;
	}
	memmove(&comms->list[at + 1], &comms->list[at], (comms->count - at) * sizeof(*comms->list));
	comms->list[at] = (struct cli_comm){.pid = pid, .tid = tid};
	read_name(&comms->list[at]);
	comms->count++;
	return 0;
}

const char *cli_comms_name(const struct cli_comms *comms, int32_t pid, int32_t tid)
{
	size_t at = position_of(comms, pid, tid);

	return is_at(comms, at, pid, tid) ? comms->list[at].name : "";
}

void cli_comms_free(struct cli_comms *comms)
{
	free(comms->list);
}

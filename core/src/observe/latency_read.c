/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Reading rows while programs write them.
 *
 * A call's entry is counted before its return, and possibly in another CPU's copy of the row. So
 * the histograms of all copies are read first and the entries after them: whatever returned
 * has then been seen to begin. A return counts in its bucket last, so minimum, maximum and sum,
 * read after the buckets, lack nothing that the buckets have.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/error.h"
#include "observe/latency.h"
#include "observe/latency_snapshot.h"
#include "observe/map_form.h"
#include "observe/mapped.h"

static const char operation[] = "read latencies";

/* ---- opening */

static int check_maps(const struct upm_latency *latency)
{
	const struct upm_latency_config *config = &latency->config;
	const uint64_t cells = (uint64_t)config->slots * config->copies;
	int status = upm_map_require(UPM_LATENCY_CELLS, latency->cells_fd,
				     upm_map_form_of_array(sizeof(struct upm_latency_cell), cells));

	if (status)
		return status;
	return upm_map_require(UPM_LATENCY_OWNERS, latency->owners_fd,
			       upm_map_form_of_array(sizeof(struct upm_latency_owner),
						     config->direct ? 1 : config->slots));
}

static int open_rows(struct upm_latency *latency, const struct upm_observer *observer)
{
	const void *memory;
	int status;

	latency->cells_fd = upm_observer_map(observer, UPM_LATENCY_CELLS);
	latency->owners_fd = upm_observer_map(observer, UPM_LATENCY_OWNERS);
	status = upm_observer_constants(observer, &latency->config, sizeof(latency->config));
	if (!status)
		status = check_maps(latency);
	if (status)
		return status;
	latency->cells_size = (size_t)latency->config.slots * latency->config.copies *
			      sizeof(struct upm_latency_cell);
	status = upm_map_array(operation, latency->cells_fd, &memory, &latency->cells_size);
	if (status)
		return status;
	latency->cells = memory;
	return upm_counters_open(&latency->lost, &latency->config.lost,
				 upm_probe_set_size(observer->set), UPM_LATENCY_LOST,
				 upm_observer_map(observer, UPM_LATENCY_LOST));
}

int upm_latency_open_rows(struct upm_observer *observer)
{
	observer->state = calloc(1, sizeof(struct upm_latency));
	return observer->state ? open_rows(observer->state, observer) : upm_fail_memory(operation);
}

void upm_latency_close_rows(struct upm_observer *observer)
{
	struct upm_latency *latency = observer->state;

	if (!latency)
		return;
	if (latency->cells)
		munmap((void *)latency->cells, latency->cells_size);
	upm_counters_close(&latency->lost);
	free(latency);
}

/* ---- cells */

/* @return the cell, in the map's memory or copied to the buffer; NULL with an error. */
static const struct upm_latency_cell *cell_at(const struct upm_latency *latency, uint32_t copy,
					      uint32_t slot, struct upm_latency_cell *buffer)
{
	uint32_t element = copy * latency->config.slots + slot;

	if (latency->cells)
		return &latency->cells[element];
	if (bpf_map_lookup_elem(latency->cells_fd, &element, buffer) == 0)
		return buffer;
	upm_fail(UPM_ERR_SYSTEM, errno, operation, "the rows", NULL, "can not read element %u",
		 element);
	return NULL;
}

static uint64_t load(const __u64 *number)
{
	return __atomic_load_n(number, __ATOMIC_ACQUIRE);
}

static int read_entries(const struct upm_latency *latency, uint32_t slot, uint64_t *entries)
{
	struct upm_latency_cell buffer;

	*entries = 0;
	for (uint32_t copy = 0; copy < latency->config.copies; copy++) {
		const struct upm_latency_cell *cell = cell_at(latency, copy, slot, &buffer);

		if (!cell)
			return UPM_ERR_SYSTEM;
		*entries += load(&cell->entries);
	}
	return UPM_OK;
}

static void add_cell(struct upm_latency_record *record, const struct upm_latency_cell *cell)
{
	uint64_t min_complement, max;

	for (size_t i = 0; i < UPM_LATENCY_BUCKETS; i++) {
		uint64_t calls = load(&cell->buckets[i]);

		record->buckets[i] += calls;
		record->calls += calls;
	}
	record->sum_ns += load(&cell->sum_ns);
	max = load(&cell->max_ns);
	if (max > record->max_ns)
		record->max_ns = max;
	min_complement = load(&cell->min_complement);
	if (~min_complement < record->min_ns)
		record->min_ns = ~min_complement;
}

static int read_record(const struct upm_latency *latency, uint32_t slot,
		       struct upm_latency_record *record)
{
	struct upm_latency_cell buffer;
	int status;

	record->min_ns = UINT64_MAX;
	for (uint32_t copy = 0; copy < latency->config.copies; copy++) {
		const struct upm_latency_cell *cell = cell_at(latency, copy, slot, &buffer);

		if (!cell)
			return UPM_ERR_SYSTEM;
		add_cell(record, cell);
	}
	if (!record->calls)
		record->min_ns = record->max_ns = record->sum_ns = 0;
	status = read_entries(latency, slot, &record->entries);
	record->unreturned = record->entries - record->calls;
	return status;
}

/* ---- rows */

struct row {
	struct upm_latency_owner owner;
	uint32_t slot;
	uint64_t entries;
};

struct rows {
	UPM_VECTOR(struct row) list;
};

static int read_owner(const struct upm_latency *latency, uint32_t slot,
		      struct upm_latency_owner *owner)
{
	*owner = (struct upm_latency_owner){.probe = slot};
	if (latency->config.direct || bpf_map_lookup_elem(latency->owners_fd, &slot, owner) == 0)
		return UPM_OK;
	return upm_fail(UPM_ERR_SYSTEM, errno, operation, "the owners of rows", NULL,
			"can not read element %u", slot);
}

/* Those that were entered. */
static int list_rows(const struct upm_observer *observer, struct rows *rows)
{
	const struct upm_latency *latency = observer->state;
	size_t probes = upm_probe_set_size(observer->set);

	for (uint32_t slot = 0; slot < latency->config.slots; slot++) {
		struct row row = {.slot = slot};
		int status = read_entries(latency, slot, &row.entries);

		if (!status && row.entries)
			status = read_owner(latency, slot, &row.owner);
		if (status)
			return status;
		if (row.entries && row.owner.probe < probes && !upm_vector_push(&rows->list, row))
			return upm_fail_memory(operation);
	}
	return UPM_OK;
}

int upm_latency_hits(const struct upm_observer *observer, uint64_t *hits)
{
	const struct upm_latency *latency = observer->state;
	struct rows rows = {0};
	int status = upm_counters_read(&latency->lost, hits);

	if (!status)
		status = list_rows(observer, &rows);
	for (size_t i = 0; i < rows.list.count; i++)
		hits[rows.list.items[i].owner.probe] += rows.list.items[i].entries;
	upm_vector_clear(&rows.list);
	return status;
}

static int by_owner(const void *left, const void *right)
{
	const struct row *a = left, *b = right;

	return upm_latency_owner_compare(&a->owner, &b->owner);
}

static int read_rows(const struct upm_latency *latency, const struct rows *rows,
		     struct upm_latency_snapshot *snapshot)
{
	int status = UPM_OK;

	for (size_t i = 0; i < rows->list.count && !status; i++) {
		struct upm_latency_record *record = &snapshot->rows.items[i];

		memset(record, 0, sizeof(*record));
		record->owner = rows->list.items[i].owner;
		status = read_record(latency, rows->list.items[i].slot, record);
		snapshot->rows.count++;
	}
	return status;
}

static int read_lost(const struct upm_latency *latency, size_t probes, uint64_t *total)
{
	uint64_t *lost = calloc(probes + 1, sizeof(*lost));
	int status = lost ? upm_counters_read(&latency->lost, lost) : upm_fail_memory(operation);

	*total = 0;
	for (size_t i = 0; i < probes && !status; i++)
		*total += lost[i];
	free(lost);
	return status;
}

static int read_snapshot(const struct upm_observer *observer, struct rows *rows,
			 struct upm_latency_snapshot **out)
{
	struct upm_latency_snapshot *snapshot;
	uint64_t now = upm_now_ns();
	int status = list_rows(observer, rows);

	if (status)
		return status;
	if (rows->list.count)
		qsort(rows->list.items, rows->list.count, sizeof(*rows->list.items), by_owner);
	snapshot = upm_latency_snapshot_new(rows->list.count);
	if (!snapshot)
		return upm_fail_memory(operation);
	snapshot->time_ns = now;
	status = read_rows(observer->state, rows, snapshot);
	if (!status)
		status = read_lost(observer->state, upm_probe_set_size(observer->set),
				   &snapshot->lost);
	if (status)
		upm_latency_snapshot_free(snapshot);
	else
		*out = snapshot;
	return status;
}

int32_t upm_latency_read(const struct upm_observer *observer, struct upm_latency_snapshot **out)
{
	struct rows rows = {0};
	int status = upm_observer_require(observer, &upm_latency_type, operation);

	if (!status && !out)
		return upm_fail(UPM_ERR_INVALID, 0, operation, NULL, NULL, "out is NULL");
	if (!status)
		status = read_snapshot(observer, &rows, out);
	upm_vector_clear(&rows.list);
	return status;
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "observe/counters.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"
#include "observe/map_form.h"
#include "observe/mapped.h"

/* The array lies in kernel memory that is never paged out: above this, CPUs share rows. */
#define BUDGET_BYTES (256ULL << 20)
#define MOST_ELEMENTS (1ULL << 30)

static const char operation[] = "read counters";

int upm_counters_shape(struct upm_counters_shape *shape, size_t probes)
{
	uint64_t lines = (probes + UPM_COUNTERS_PER_LINE - 1) / UPM_COUNTERS_PER_LINE;
	uint64_t stride = (lines ? lines : 1) * UPM_COUNTERS_PER_LINE;
	uint64_t rows = BUDGET_BYTES / (stride * sizeof(uint64_t));
	int cpus = libbpf_num_possible_cpus();

	if (stride > MOST_ELEMENTS)
		return upm_fail(UPM_ERR_LIMIT, 0, operation, NULL,
				"split the set: a BPF array holds no more counters",
				"%zu probes are more than %llu", probes, MOST_ELEMENTS);
	if (cpus > 0 && rows > (uint32_t)cpus)
		rows = (uint32_t)cpus;
	shape->rows = rows ? (uint32_t)rows : 1;
	shape->stride = (uint32_t)stride;
	return UPM_OK;
}

uint32_t upm_counters_elements(const struct upm_counters_shape *shape)
{
	return shape->rows * shape->stride;
}

static int check_shape(const struct upm_counters_shape *shape, size_t probes, const char *map,
		       int map_fd)
{
	const uint64_t elements = (uint64_t)shape->rows * shape->stride;

	if (probes > shape->stride)
		return upm_fail(
			UPM_ERR_FORMAT, 0, operation, map, "open it with the library that made it",
			"its rows of %u counters are too short for %zu", shape->stride, probes);
	return upm_map_require(map, map_fd, upm_map_form_of_array(sizeof(uint64_t), elements));
}

int upm_counters_open(struct upm_counters *counters, const struct upm_counters_shape *shape,
		      size_t probes, const char *map, int map_fd)
{
	const void *memory;
	int status = check_shape(shape, probes, map, map_fd);

	if (status)
		return status;
	counters->shape = *shape;
	counters->probes = (uint32_t)probes;
	counters->map_fd = map_fd;
	counters->memory_size = upm_counters_elements(shape) * sizeof(uint64_t);
	status = upm_map_array(operation, map_fd, &memory, &counters->memory_size);
	counters->memory = memory;
	return status;
}

static int read_element(const struct upm_counters *counters, uint32_t element, uint64_t *value)
{
	if (counters->memory) {
		*value = __atomic_load_n(&counters->memory[element], __ATOMIC_RELAXED);
		return UPM_OK;
	}
	if (bpf_map_lookup_elem(counters->map_fd, &element, value) == 0)
		return UPM_OK;
	return upm_fail(UPM_ERR_SYSTEM, errno, operation, "the counters", NULL,
			"can not read counter %u", element);
}

int upm_counters_read(const struct upm_counters *counters, uint64_t *hits)
{
	memset(hits, 0, counters->probes * sizeof(*hits));
	for (uint32_t row = 0; row < counters->shape.rows; row++) {
		for (uint32_t probe = 0; probe < counters->probes; probe++) {
			uint64_t value;
			int status = read_element(counters, row * counters->shape.stride + probe,
						  &value);

			if (status)
				return status;
			hits[probe] += value;
		}
	}
	return UPM_OK;
}

void upm_counters_close(struct upm_counters *counters)
{
	if (counters->memory)
		munmap((void *)counters->memory, counters->memory_size);
	counters->memory = NULL;
}

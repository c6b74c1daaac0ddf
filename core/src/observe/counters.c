/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "observe/counters.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "upm_count.h"

/* The array lies in kernel memory that is never paged out: above this, CPUs share rows. */
#define BUDGET_BYTES (256ULL << 20)
#define MOST_ELEMENTS (1ULL << 30)

static const char operation[] = "count hits";

int upm_counters_plan(struct upm_counters *counters, size_t probes, uint32_t cpus)
{
	uint64_t lines = (probes + UPM_COUNTERS_PER_LINE - 1) / UPM_COUNTERS_PER_LINE;
	uint64_t stride = (lines ? lines : 1) * UPM_COUNTERS_PER_LINE;
	uint64_t rows = BUDGET_BYTES / (stride * sizeof(uint64_t));

	if (stride > MOST_ELEMENTS)
		return upm_fail(UPM_ERR_LIMIT, 0, operation, NULL,
				"split the set: a BPF array holds no more counters",
				"%zu probes are more than %llu", probes, MOST_ELEMENTS);
	rows = rows < cpus ? rows : cpus;
	memset(counters, 0, sizeof(*counters));
	counters->rows = rows ? (uint32_t)rows : 1;
	counters->stride = (uint32_t)stride;
	counters->probes = (uint32_t)probes;
	counters->map_fd = -1;
	return UPM_OK;
}

uint32_t upm_counters_elements(const struct upm_counters *counters)
{
	return counters->rows * counters->stride;
}

int upm_counters_open(struct upm_counters *counters, int map_fd, bool mapped)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = upm_counters_elements(counters) * sizeof(uint64_t);
	void *memory;

	counters->map_fd = map_fd;
	if (!mapped)
		return UPM_OK;
	size = (size + page - 1) / page * page;
	memory = mmap(NULL, size, PROT_READ, MAP_SHARED, map_fd, 0);
	if (memory == MAP_FAILED)
		return upm_fail(upm_status_of_errno(errno), errno, operation, "the counters",
				"free memory, or count fewer probes", "can not map %zu bytes",
				size);
	counters->memory = memory;
	counters->memory_size = size;
	return UPM_OK;
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
	for (uint32_t row = 0; row < counters->rows; row++) {
		for (uint32_t probe = 0; probe < counters->probes; probe++) {
			uint64_t value;
			int status = read_element(counters, row * counters->stride + probe, &value);

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

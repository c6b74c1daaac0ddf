/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "attach/perf_pmu.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PMU_DIRECTORY "/sys/bus/event_source/devices/uprobe/"

static int read_line(const char *path, char *line, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;
	int failure;

	if (fd < 0)
		return -errno;
	length = read(fd, line, size - 1);
	failure = length < 0 ? -errno : 0;
	close(fd);
	line[length < 0 ? 0 : length] = '\0';
	return failure;
}

/* Without sysfs nothing can be said; with it, a missing PMU means a kernel without one. */
static int why_missing(int failure)
{
	if (failure == -ENOENT && access("/sys/bus/event_source", F_OK) != 0)
		return -ENODATA;
	return failure;
}

int upm_perf_pmu_read(struct upm_perf_pmu *pmu)
{
	char line[64];
	unsigned bit;
	int failure = read_line(PMU_DIRECTORY "type", line, sizeof(line));

	if (failure)
		return why_missing(failure);
	pmu->type = (uint32_t)strtoul(line, NULL, 10);
	failure = read_line(PMU_DIRECTORY "format/retprobe", line, sizeof(line));
	if (failure)
		return failure;
	if (sscanf(line, "config:%u", &bit) != 1 || bit > 63)
		return -EPROTO;
	pmu->return_bit = 1ULL << bit;
	pmu->ref_ctr_shift = 0;
	if (!read_line(PMU_DIRECTORY "format/ref_ctr_offset", line, sizeof(line)) &&
	    sscanf(line, "config:%u", &bit) == 1 && bit < 64)
		pmu->ref_ctr_shift = bit;
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* How perf_event_open(2) names uprobes here: numbers that sysfs tells. */
#ifndef UPM_ATTACH_PERF_PMU_H
#define UPM_ATTACH_PERF_PMU_H

#include <stdint.h>

struct upm_perf_pmu {
	uint32_t type;		/* perf_event_attr.type */
	uint64_t return_bit;	/* in config: probe the return */
	unsigned ref_ctr_shift; /* in config: where ref_ctr_offset begins; 0 = not known */
};

/** @return 0, or a negative errno: -ENOENT where the kernel has no uprobe PMU. */
int upm_perf_pmu_read(struct upm_perf_pmu *pmu);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Detaching 2,000 perf-event probes by the engine, against closing them one after another. That
 * takes minutes, each as long as the other: so 50 are closed, and their time is
 * multiplied. When the engine returns no program runs any more; how long the kernel then needs to
 * be rid of the events is told beside it.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach/perf_pmu.h"
#include "attach/sys.h"

#define PROBES 2000
#define SAMPLE 50 /* closed one after another */

static struct upm_probe_set *first_probes(void)
{
	struct upm_probe_set *set;
	char spec[4200];
	const char *specs = spec;

	snprintf(spec, sizeof(spec), "%s:many_00[01][0-9][0-9][0-9]", many_path());
	NEED(upm_resolve(&specs, 1, NULL, &set));
	need_errno(upm_probe_set_count_verdict(set, UPM_VERDICT_OK) == PROBES ? 0 : -1,
		   "find 2,000 probes");
	return set;
}

static int open_event(const struct upm_perf_pmu *pmu, uint64_t offset, int program)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = pmu->type,
		.config1 = (uint64_t)(uintptr_t)many_path(),
		.config2 = offset,
	};
	int fd = need_errno(upm_sys_perf_event_open(&attr, -1, 0), "perf_event_open");

	need_errno(ioctl(fd, PERF_EVENT_IOC_SET_BPF, program), "set the program");
	return fd;
}

/* @return time that all would take */
static uint64_t time_serial(const struct upm_probe_set *set, int program)
{
	int events[SAMPLE];
	struct upm_perf_pmu pmu;
	uint64_t start;

	need_errno(upm_perf_pmu_read(&pmu), "find the uprobe PMU");
	for (size_t i = 0; i < SAMPLE; i++) {
		struct upm_probe probe = {.size = sizeof(probe)};

		NEED(upm_probe_set_get(set, i, &probe));
		events[i] = open_event(&pmu, probe.offset, program);
	}
	start = now_ns();
	for (size_t i = 0; i < SAMPLE; i++)
		close(events[i]);
	return (now_ns() - start) * (PROBES / SAMPLE);
}

static uint64_t time_engine(const struct upm_probe_set *set, int program)
{
	struct upm_attach_options options = {
		.size = sizeof(options),
		.backend = UPM_BACKEND_PERF_EVENT,
	};
	struct upm_link *link;
	uint64_t elapsed;

	NEED(upm_attach(program, set, &options, &link));
	NEED(upm_link_detach(link, &elapsed));
	upm_link_free(link);
	return elapsed;
}

/* The file mapped as code into this process, where its breakpoints can be seen. */
static const volatile uint8_t *map_code(size_t *size)
{
	int fd = need_errno(open(many_path(), O_RDONLY | O_CLOEXEC), "open the library");
	struct stat facts;
	void *code;

	need_errno(fstat(fd, &facts), "look at the library");
	*size = (size_t)facts.st_size;
	code = mmap(NULL, *size, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	need_errno(code == MAP_FAILED ? -errno : 0, "map the library");
	close(fd);
	return code;
}

static size_t breakpoints_in(const struct upm_probe_set *set, const volatile uint8_t *code)
{
	size_t found = 0;

	for (size_t i = 0; i < PROBES; i++) {
		struct upm_probe probe = {.size = sizeof(probe)};

		NEED(upm_probe_set_get(set, i, &probe));
		found += code[probe.offset] == 0xcc;
	}
	return found;
}

void bench_detach_perf(void)
{
	struct comparison comparison = {
		.name = "detach_perf",
		.what = "detach perf events; one after another is 40 times the time of 50",
		.probes = PROBES,
		.base_name = "closed one after another, 40 x 50",
		.ours_name = "detached by the engine",
		.least_speed_up = 50,
	};
	int program = need_errno(upm_sys_program_load_nop(0), "load a program");
	struct upm_probe_set *set = first_probes();
	const volatile uint8_t *code;
	uint64_t detached;
	size_t size;

	samples_add(&comparison.base, time_serial(set, program));
	code = map_code(&size);
	samples_add(&comparison.ours, time_engine(set, program));
	detached = now_ns();
	report_comparison(&comparison);
	report_number("detach_perf_left", "breakpoints without a program then",
		      (double)breakpoints_in(set, code), "");
	while (breakpoints_in(set, code) > 0)
		usleep(10000);
	report_number("detach_perf_rest", "until the kernel has removed them",
		      (double)(now_ns() - detached) / 1e9, "s");
	munmap((void *)code, size);
	upm_probe_set_free(set);
	close(program);
}

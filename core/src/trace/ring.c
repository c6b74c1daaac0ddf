/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "trace/ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include "attach/sys.h"
#include "base/error.h"

static const char operation[] = "read events";

static int fail_mapping(void)
{
	return upm_fail(upm_status_of_errno(errno), errno, operation, "the ring buffer",
			"free memory, or ask for a smaller ring", "can not map it");
}

int upm_ring_open(struct upm_ring *ring, int map_fd)
{
	struct bpf_map_info info = {0};
	int failure = upm_sys_object_info(map_fd, &info, sizeof(info));
	void *mapped;

	*ring = (struct upm_ring){.map_fd = map_fd, .page = (size_t)sysconf(_SC_PAGESIZE)};
	if (failure || info.type != BPF_MAP_TYPE_RINGBUF)
		return upm_fail(UPM_ERR_SYSTEM, -failure, operation, "the ring buffer", NULL,
				"the kernel does not describe it");
	ring->mask = info.max_entries - 1;
	mapped = mmap(NULL, ring->page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (mapped == MAP_FAILED)
		return fail_mapping();
	ring->consumer = mapped;
	mapped = mmap(NULL, ring->page + 2 * (size_t)info.max_entries, PROT_READ, MAP_SHARED,
		      map_fd, (off_t)ring->page);
	if (mapped == MAP_FAILED)
		return fail_mapping();
	ring->producer = mapped;
	ring->data = (const uint8_t *)mapped + ring->page;
	return UPM_OK;
}

void upm_ring_close(struct upm_ring *ring)
{
	if (ring->consumer)
		munmap(ring->consumer, ring->page);
	if (ring->producer)
		munmap((void *)ring->producer, ring->page + 2 * (ring->mask + 1));
	*ring = (struct upm_ring){.map_fd = -1};
}

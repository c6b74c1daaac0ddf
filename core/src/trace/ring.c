/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "trace/ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include "attach/sys.h"
#include "base/error.h"

static const char operation[] = "read events";

/* ---- mapping */

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

/* ---- reading */

static uint64_t room_of(uint32_t size)
{
	return ((uint64_t)size + BPF_RINGBUF_HDR_SZ + 7) / 8 * 8;
}

struct upm_ring_cursor upm_ring_begin(const struct upm_ring *ring)
{
	return (struct upm_ring_cursor){
		.at = __atomic_load_n(ring->consumer, __ATOMIC_RELAXED),
		.end = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE),
	};
}

const void *upm_ring_peek(const struct upm_ring *ring, struct upm_ring_cursor *cursor,
			  uint32_t *size)
{
	while (cursor->at < cursor->end) {
		const uint8_t *header = ring->data + (cursor->at & ring->mask);
		uint32_t word = __atomic_load_n((const uint32_t *)header, __ATOMIC_ACQUIRE);

		cursor->busy = word & BPF_RINGBUF_BUSY_BIT;
		if (cursor->busy)
			return NULL;
		*size = word & ~BPF_RINGBUF_DISCARD_BIT;
		if (!(word & BPF_RINGBUF_DISCARD_BIT))
			return header + BPF_RINGBUF_HDR_SZ;
		upm_ring_pass(cursor, *size);
	}
	return NULL;
}

void upm_ring_pass(struct upm_ring_cursor *cursor, uint32_t size)
{
	cursor->at += room_of(size);
}

void upm_ring_end(struct upm_ring *ring, const struct upm_ring_cursor *cursor)
{
	__atomic_store_n(ring->consumer, cursor->at, __ATOMIC_RELEASE);
}

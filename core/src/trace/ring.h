/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The reading end of a BPF ring buffer: pages that the kernel shares (kernel/bpf/ringbuf.c).
 *
 * The consumer's page can be written: the position up to which records are read. The
 * producer's page has the position up to which room is given out; behind it lie the data, mapped
 * twice in a row so that every record is contiguous. A record is a header of 8 bytes, whose
 * first word is the length with two flags, and the bytes. Records are handed over in the order in
 * which room was given out, not in which they were completed: one that is still being written
 * (busy) ends a reading.
 */
#ifndef UPM_TRACE_RING_H
#define UPM_TRACE_RING_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct upm_ring {
	int map_fd;		  /* not owned */
	uint64_t *consumer;	  /* position; its page */
	const uint64_t *producer; /* position; its page, with the data behind */
	const uint8_t *data;
	uint64_t mask; /* bytes of data - 1 */
	size_t page;
};

/* A reading under way. */
struct upm_ring_cursor {
	uint64_t at, end;
	bool busy; /* it ended at a record that is being written */
};

/** Map the ring of this map. @return UPM_OK; UPM_ERR_SYSTEM; UPM_ERR_MEMORY; UPM_ERR_PERMISSION */
int upm_ring_open(struct upm_ring *ring, int map_fd);
void upm_ring_close(struct upm_ring *ring);

/* Inline, since they are run for each event. */

static inline struct upm_ring_cursor upm_ring_begin(const struct upm_ring *ring)
{
	return (struct upm_ring_cursor){
		.at = __atomic_load_n(ring->consumer, __ATOMIC_RELAXED),
		.end = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE),
	};
}

static inline void upm_ring_pass(struct upm_ring_cursor *cursor, uint32_t size)
{
	cursor->at += ((uint64_t)size + BPF_RINGBUF_HDR_SZ + 7) / 8 * 8;
}

/** @return the next record, also the same one again until it is passed; NULL when none is there. */
static inline const void *upm_ring_peek(const struct upm_ring *ring, struct upm_ring_cursor *cursor,
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

/** Give the room of what was passed back to the kernel. */
static inline void upm_ring_end(struct upm_ring *ring, const struct upm_ring_cursor *cursor)
{
	__atomic_store_n(ring->consumer, cursor->at, __ATOMIC_RELEASE);
}

#endif

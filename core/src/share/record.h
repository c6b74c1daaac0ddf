/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What is kept with the pins of an observer, so that a reader needs neither the process that made
 * it nor the files that it probes: the whole probe set, what became of each probe, and the kernel
 * links. It is a sequence of bytes in a BPF array, in the byte order of the machine:
 *
 *     header | strings | files | specs | aliases | USDT sites | probes | links | skipped | kind's
 * own
 *
 * Strings are kept once each and named by number. Counts come before what they count. Any change
 * of this, or of a map or constant of a shipped program, takes a new UPM_SHARE_FORMAT.
 *
 * Whoever owns the pins can have put anything there: the reader checks each count against the
 * bytes that are left, each number against what it counts, and never follows a pointer.
 */
#ifndef UPM_SHARE_RECORD_H
#define UPM_SHARE_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "observe/observer.h"

#define UPM_SHARE_MAGIC "upm-pins" /* 8 bytes, without the NUL */
#define UPM_SHARE_FORMAT 2

/* What upm_pinned_list() needs. The first three fields stay where they are in every format. */
struct upm_share_header {
	char magic[8];
	char library[24]; /* version that made it, ends with NUL */
	uint32_t format;
	uint32_t kind;	  /* enum upm_observer_kind */
	uint64_t size;	  /* of the whole record */
	char creator[16]; /* comm, ends with NUL */
	uint64_t created_s;
	uint64_t probes, attached, kernel_links;
	uint64_t attach_ns;
	uint32_t backend;
	int32_t creator_pid;
};

/* A record as it was read. */
struct upm_share_record {
	struct upm_share_header header;
	struct upm_link *link; /* without descriptors: they are -1 */
	const uint8_t *own;    /* what type->store() wrote; lies in the bytes that were read */
	size_t own_size;
};

/* How the parts of the record are laid out. */
struct upm_share_probe {
	uint64_t offset, address, symbol_offset, symbol_size, ref_ctr_offset, cookie;
	uint32_t path, symbol, version, spec, reason, provider; /* strings */
	uint32_t kind, verdict, cost, flags;
	uint32_t aliases, arguments; /* strings, and struct upm_share_argument, that follow */
	uint32_t site;		     /* bytes from offset */
	uint32_t reserved;
};
struct upm_share_argument {
	uint32_t reason; /* string */
	uint32_t place, width, is_signed, is_float, reserved;
	char text[64];
};
struct upm_share_link {
	uint32_t path; /* string: of the first file */
	uint32_t files, probes, kind;
	int32_t pid;
};
struct upm_share_skip {
	uint32_t index, verdict;
	int32_t sys_errno;
	uint32_t reason; /* string, or UPM_SHARE_NONE = the probe's own */
};
#define UPM_SHARE_NONE UINT32_MAX

_Static_assert(sizeof(struct upm_share_header) == 112, "no padding");
_Static_assert(sizeof(struct upm_share_probe) == 104, "no padding");

/** Write the record of an observer. @return UPM_OK, UPM_ERR_MEMORY, or what type->store() says */
int upm_share_write(const struct upm_observer *observer, struct upm_bytes *bytes);
/**
 * Check the beginning of a record.
 * @param size  bytes that there are, at least the header's unless it is damaged
 * @param name  of the pins, for errors
 * @return UPM_OK; UPM_ERR_FORMAT; UPM_ERR_UNSUPPORTED for another format
 */
int upm_share_read_header(const void *bytes, size_t size, const char *name,
			  struct upm_share_header *header);
/**
 * Read a record.
 * @param record  its link is the caller's to free
 * @return UPM_OK; UPM_ERR_FORMAT; UPM_ERR_UNSUPPORTED; UPM_ERR_MEMORY
 */
int upm_share_read(const void *bytes, size_t size, const char *name,
		   struct upm_share_record *record);

#endif

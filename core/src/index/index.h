/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The index: what a pattern found in a large file, kept for the next time.
 *
 * Listing and judging 78,000 functions means to read two symbol tables and the code behind them.
 * The answer depends on the file, the pattern, the kernel's rules and this library alone, so it
 * goes to a file of its own and is read back in a fifth of the time.
 *
 * An answer that belongs to another file would put breakpoints into the middle of instructions. So
 * it counts only where everything in struct upm_index_key is the same, to the nanosecond of the
 * last change of the inode, which no user can set back; it is never written for a file that
 * changed a short while ago, since a page that is mapped for writing may change once more without
 * a new time (key.c); nor on file systems whose times are another machine's.
 *
 * Nobody else can write an answer: folder and files belong to the caller and are closed to others,
 * or they are passed over (folder.c). What is read is checked as a file from outside would be
 * (load.c). The folder is bounded, and what was not used for longest goes first.
 *
 * The index never fails a call: whatever is wrong with it, the file is read as if there were none.
 */
#ifndef UPM_INDEX_INDEX_H
#define UPM_INDEX_INDEX_H

#include "index/self.h"
#include "resolve/probe_table.h"
#include "resolve/spec.h"

/* Files of fewer functions are read in a millisecond or two. */
enum { UPM_INDEX_LEAST_PROBES = 8192 };

/* What an answer depends on. No padding: it is compared and hashed as bytes. */
struct upm_index_key {
	char magic[8];
	uint8_t build[UPM_SELF_ID_SIZE]; /* of this library */
	uint8_t format;			 /* of the file: struct upm_index_header */
	uint8_t zero[3];
	uint8_t build_id[UPM_BUILD_ID_MAX];
	uint64_t build_id_size, device, inode, file_size;
	int64_t modified_s, modified_ns, changed_s, changed_ns;
	uint32_t flags; /* of enum upm_resolve_flag, those that change the answer */
	uint16_t machine;
	uint8_t bits, kind, nops_emulated, nop5_optimised, nop5_red_zone_safe, entry_size;
	uint8_t regex;
	char pattern[131];
};

/**
 * @param flags  of enum upm_resolve_flag
 * @return false when no answer is kept to such a question, or of such a file
 */
bool upm_index_key(const struct upm_binary *binary, const struct upm_spec *spec, uint32_t flags,
		   struct upm_index_key *key);
/** @return whether the file has been left alone for long enough that an answer may be kept. */
bool upm_index_at_rest(const struct upm_index_key *key);

/** Append what the pattern finds in the origin's file, judged. @return false, and none, without an
 * answer */
bool upm_index_load(const struct upm_index_key *key, struct upm_probe_table *table,
		    uint32_t origin);
/** Keep probes first … first + count - 1, which are all that the pattern found in one file. */
void upm_index_store(const struct upm_index_key *key, const struct upm_probe_table *table,
		     size_t first, size_t count);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The notes of a binary's USDT probes (type 3, owner "stapsdt"), from every section and, in a
 * file without sections, from PT_NOTE.
 *
 * A note holds three addresses as they were at link time: the site, the
 * address of .stapsdt.base, and the semaphore. A tool that moves code after the link
 * (prelink) moves .stapsdt.base as well: the difference between the section's address and the
 * note's word for it is added to site and semaphore.
 */
#ifndef UPM_USDT_NOTES_H
#define UPM_USDT_NOTES_H

#include "base/vector.h"
#include "binary/binary.h"

struct upm_usdt_note {
	uint64_t address;   /* of the site, virtual, adjusted */
	uint64_t semaphore; /* virtual address, adjusted; 0 = none */
	const char *provider, *name,
		*arguments; /* belong to the binary; "" when the note is damaged */
	const char *damage; /* why the note can not be used, a static string; NULL when it can */
};

struct upm_usdt_notes {
	UPM_VECTOR(struct upm_usdt_note) list; /* in file order */
};

/**
 * Notes of a binary, read at the first call and kept by it.
 * A damaged note has its place in the list with a reason; the rest is served.
 * @return UPM_OK (an empty list for a file without such notes), UPM_ERR_MEMORY
 */
int upm_binary_usdt_notes(struct upm_binary *binary, const struct upm_usdt_notes **notes);

#endif

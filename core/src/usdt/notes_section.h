/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Private to usdt/: the notes of one section or segment, once its bytes are read. */
#ifndef UPM_USDT_NOTES_SECTION_H
#define UPM_USDT_NOTES_SECTION_H

#include "usdt/notes.h"

struct upm_usdt_note_format {
	bool wide;	    /* addresses have 8 bytes, not 4 */
	bool foreign_order; /* the byte order is not that of this machine */
	bool named;	    /* the section is .note.stapsdt: its damages are those of probes */
	bool has_base;	    /* the file has a .stapsdt.base */
	uint64_t base;	    /* its address */
};

/**
 * Append the USDT notes in bytes, which must outlive the list.
 * @return false when out of memory
 */
bool upm_usdt_notes_parse(const struct upm_usdt_note_format *format, const char *bytes, size_t size,
			  struct upm_usdt_notes *notes);
/** Append a note that can not be used. @return false when out of memory */
bool upm_usdt_notes_add_damaged(struct upm_usdt_notes *notes, const char *damage);

#endif

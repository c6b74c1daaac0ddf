/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Private to binary/: does a function begin here? By what the file says, whoever asks: its table of
 * unwind entries (PT_GNU_EH_FRAME, Linux Standard Base, "The .eh_frame_hdr section"), whose ranges
 * begin where code does, and its own function symbols.
 */
#ifndef UPM_BINARY_FUNCTION_STARTS_H
#define UPM_BINARY_FUNCTION_STARTS_H

#include "base/vector.h"
#include "binary/binary.h"

struct upm_function_starts {
	struct upm_binary *binary; /* the caller's */
	uint64_t table_offset;	   /* of the sorted table of unwind entries */
	uint64_t table_address;	   /* that its entries are relative to */
	uint64_t table_count;	   /* 0 = there is none */
	bool symbols_read;
	UPM_VECTOR(uint64_t)
	symbols; /* addresses of functions, rising; read when first asked for */
};

void upm_function_starts_open(struct upm_binary *binary, struct upm_function_starts *starts);
void upm_function_starts_close(struct upm_function_starts *starts);
/** @param address  virtual, as linked. Want of memory is a no. */
bool upm_function_starts_at(struct upm_function_starts *starts, uint64_t address);

#endif

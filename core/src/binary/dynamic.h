/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What PT_DYNAMIC says: the libraries that a file needs, and where its dynamic symbols are. */
#ifndef UPM_BINARY_DYNAMIC_H
#define UPM_BINARY_DYNAMIC_H

#include "binary/binary.h"

/* Values of single entries; 0 = the entry is missing. Addresses are virtual, as linked. */
struct upm_dynamic {
	uint64_t symbols, strings, strings_size;
	uint64_t hash, gnu_hash;
	uint64_t versym, verdef, verdef_count, verneed, verneed_count;
	uint64_t relocations, relocations_size, plt_relocations, plt_relocations_size;
	uint64_t soname, rpath, runpath; /* offsets in strings */
	bool has_soname, has_rpath, has_runpath;
	UPM_VECTOR(uint64_t) needed; /* offsets in strings */
};

/** Read it; all zero when there is none. @return UPM_OK, UPM_ERR_FORMAT, UPM_ERR_MEMORY. */
int upm_dynamic_read(const struct upm_binary *binary, struct upm_dynamic *dynamic);
void upm_dynamic_clear(struct upm_dynamic *dynamic);
/** @return a copy of a dynamic string, to be given to free(); NULL when there is none. */
char *upm_dynamic_string(const struct upm_binary *binary, const struct upm_dynamic *dynamic,
			 uint64_t offset);
/** @return the DT_SONAME, to be given to free(); NULL when the file has none. */
char *upm_binary_soname(const struct upm_binary *binary);
/** @return the program interpreter, to be given to free(); NULL when the file has none. */
char *upm_binary_interpreter(const struct upm_binary *binary);

#endif
